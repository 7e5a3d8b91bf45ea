"""Standard error as a log: a terminal, a file, a pipe, or systemd's journal.

It is shared with others, so it cannot be made non-blocking; we look before we write.
"""

import os
import select
from collections.abc import Iterator, Mapping

from mailssl_trio.logs.lines import Line

DESCRIPTOR = 2

PIECE = 4096  # PIPE_BUF of pipe(7): what is ready takes as much without a wait

PATIENCE = 1.0
"""Seconds that a reader gets, once, before lines are lost."""


def leads_to_journal(
    descriptor: int = DESCRIPTOR, environment: Mapping[str, str] = os.environ
) -> bool:
    """Whether it is the very stream that systemd has connected with its journal."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class StandardError:
    """Writes lines to standard error; a reader that stands still loses them."""

    def __init__(
        self, descriptor: int = DESCRIPTOR, environment: Mapping[str, str] = os.environ
    ) -> None:
        self._descriptor = descriptor
        self._in_journal = leads_to_journal(descriptor, environment)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._rest = b""
        """What is left of a line that was torn."""
        self._lost = 0

    @property
    def fails(self) -> bool:
        """Whether the last line was lost."""
        return self._lost > 0

    def write(self, line: Line) -> Line | None:
        """Write a line; return what there is to say elsewhere, when that is new."""
        text = line.in_the_journal if self._in_journal else line.in_a_file
        whole = self._rest + f"{text}\n".encode("utf-8", "backslashreplace")
        written = self._write(whole)
        if written <= len(self._rest):  # nothing of this line
            self._rest = self._rest[written:]
            return self._lose()
        self._rest = whole[written:]
        lost, self._lost = self._lost, 0
        if lost:
            return Line("alert", f"stderr takes lines again, {lost} were lost")
        return None

    def reopen(self) -> None:
        """Go on: it is not ours to open."""

    def close(self) -> None:
        """Leave it to others."""

    def _write(self, whole: bytes) -> int:
        """Write what can be written, and return how much that was."""
        written = 0
        try:
            for piece in _pieces(whole):
                patience = 0.0 if self._lost else PATIENCE
                if not self._poll.poll(patience * 1000):
                    break
                written += os.write(self._descriptor, piece)
        except OSError:  # nobody reads, or it is closed
            pass
        return written

    def _lose(self) -> Line | None:
        self._lost += 1
        if self._lost > 1:
            return None
        return Line("alert", "stderr takes no lines, they are lost")


def _pieces(whole: bytes) -> Iterator[bytes]:
    return (whole[start : start + PIECE] for start in range(0, len(whole), PIECE))
