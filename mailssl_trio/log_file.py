"""The file of an error log, on a disk that may be full.

What finds no room is lost, and counted; nothing else may come of it. Each line is one
write(2) at the end of the file, so those of several processes do not mix.
"""

import logging
import os
from pathlib import Path

MODE = 0o666  # less what the umask takes
WARNING = 30


class LogFile(logging.Handler):
    """Writes lines to a file. Raises OSError if that may not be opened."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        flags |= os.O_NONBLOCK  # a pipe that nobody reads must not hold us up
        self._descriptor = os.open(path, flags, MODE)
        super().__init__()  # which the module closes at the end, so it must be whole
        self._rest = b""
        """What is left of a line that was torn."""
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, and before it how many were lost."""
        line = self._encoded(record)
        if self._lost:
            text = f"{self._lost} log lines found no room"
            told = logging.makeLogRecord({"levelno": WARNING, "msg": text})
            line = self._encoded(told) + line
        whole = self._rest + line
        try:
            written = os.write(self._descriptor, whole)
        except OSError:
            self._lost += 1
        else:
            self._rest, self._lost = whole[written:], 0

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _encoded(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
