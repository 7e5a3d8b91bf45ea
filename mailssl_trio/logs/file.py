"""Where the lines of a log are kept: a file on a disk that may be full.

What finds no room is lost, and counted; nothing else may come of it. Each line is one
write(2) at the end of the file, so those of several processes do not mix. Only the
thread that writes the logs comes here.
"""

import errno
import os
import re
from contextlib import suppress
from pathlib import Path
from stat import S_ISLNK

from mailssl_trio.logs.lines import Line

MODE = 0o666  # less what the umask takes

STREAM = re.compile(
    "/dev/(?P<name>stdout|stderr)|/(?:proc/self|dev)/fd/(?P<number>[12])"
)
STREAMS = {"stdout": 1, "stderr": 2}
MOST_LINKS = 8


class LogFile:
    """Writes lines to a file. Raises OSError if that may not be opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = _open(path)
        self._rest = b""
        """What is left of a line that was torn."""
        self._lost = 0

    @property
    def fails(self) -> bool:
        """Whether the last line was lost."""
        return self._lost > 0

    def write(self, line: Line) -> Line | None:
        """Write a line; return what there is to say elsewhere, when that is new."""
        whole = self._rest + f"{line.in_a_file}\n".encode("utf-8", "backslashreplace")
        try:
            written = os.write(self._descriptor, whole)
        except OSError as error:
            self._lost += 1
            if self._lost > 1:
                return None
            why = f"{self._path} takes no lines, they are lost: {error.strerror}"
            return Line("alert", why)
        lost, self._lost, self._rest = self._lost, 0, whole[written:]
        if lost:
            return Line("alert", f"{self._path} takes lines again, {lost} were lost")
        return None

    def reopen(self) -> None:
        """Go on in the file that has the name by now.

        Raises OSError if that may not be opened; then the old one goes on.
        """
        fresh = _open(self._path)
        os.close(self._descriptor)
        self._descriptor, self._rest = fresh, b""

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


def _open(path: Path) -> int:
    if (stream := _standard_stream(path)) is not None:
        return os.dup(stream)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    flags |= os.O_NONBLOCK  # a pipe that nobody reads must not hold us up
    if os.geteuid() == 0 and not _is_roots_link(path):
        flags |= (
            os.O_NOFOLLOW
        )  # who has the directory must not have root write elsewhere
    try:
        return os.open(path, flags, MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            error.strerror = "it is a link of somebody who is not root"
        raise


def _is_roots_link(path: Path) -> bool:
    with suppress(OSError):
        found = os.lstat(path)
        return S_ISLNK(found.st_mode) and found.st_uid == 0
    return False


def _standard_stream(path: Path) -> int | None:
    """Return which of our own streams a name stands for, through whatever links.

    Who has another user than who has started it could not open it by name.
    """
    name = str(path)
    for _ in range(MOST_LINKS):
        if found := STREAM.fullmatch(name):
            return int(found["number"] or STREAMS[found["name"]])
        try:
            name = os.path.join(os.path.dirname(name), os.readlink(name))
        except OSError:
            return None
    return None
