"""How lines get where they belong: by one thread, for all logs and all targets.

The loop never waits for a disk: lines go through a bounded queue to one thread, and
lines that find it full are dropped and counted. That something is lost is said once,
to the targets of the error log at the top, or to standard error if it is these.
"""

import queue
import time
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import Protocol, TypeAlias

from attrs import frozen

from mailssl_trio.logs.file import LogFile
from mailssl_trio.logs.lines import Line
from mailssl_trio.logs.standard_error import StandardError
from mailssl_trio.logs.syslog import Syslog, SyslogSocket

QUEUED_LINES = 10_000

LAST_LINES = 2.0
"""Seconds in which the thread writes what is left; a disk may hang."""

Target: TypeAlias = Path | Syslog | None
"""A file, a daemon, or None for standard error."""


@frozen
class ErrorLog:
    """One target of the directive ``error_log``."""

    target: Target = None
    level: str = "error"
    """The least of nginx's levels that is written."""

    def __str__(self) -> str:
        return f"{self.target or 'stderr'} {self.level}"


Chain: TypeAlias = tuple[ErrorLog, ...]
"""Every target that a line is offered to."""


class Sink(Protocol):
    """Something that takes lines, one after the other."""

    @property
    def fails(self) -> bool:
        """Whether the last line was lost."""

    def write(self, line: Line) -> Line | None:
        """Take a line; return what there is to say about that elsewhere."""

    def reopen(self) -> None:
        """Go on in what has the name now. Raises OSError, and goes on in the old."""

    def close(self) -> None:
        """Let go of it."""


Targets: TypeAlias = Collection[Target]


class LogWriter:
    """The thread, and the queue that leads to it.

    Raises OSError if a file may not be opened; then nothing stays open.
    """

    def __init__(self, targets: Iterable[Target], troubles: Targets) -> None:
        self._troubles = troubles
        """Who is told of lines that are lost."""
        self._dropped = 0
        self._reopens = False
        self._is_closing = False
        with ExitStack() as undo:
            self.sinks: dict[Target, Sink] = {}
            for target in dict.fromkeys((*targets, *troubles)):
                self.sinks[target] = sink = _sink(target)
                undo.callback(sink.close)
            undo.pop_all()
        self._queue: queue.Queue[tuple[Targets, Line] | None] = queue.Queue(
            QUEUED_LINES
        )
        self._thread = Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def put(self, targets: Targets, line: Line) -> None:
        """Have a line written, or count it; never wait."""
        if not targets:
            return
        try:
            self._queue.put_nowait((targets, line))
        except queue.Full:
            self._dropped += 1
            return
        if self._dropped:
            with suppress(queue.Full):  # the next line will tell
                self._queue.put_nowait((self._troubles, self._told_dropped()))
                self._dropped = 0

    def reopen(self) -> None:
        """Open all files again, by their names; what cannot be opened goes on."""
        self._reopens = True
        with suppress(queue.Full):  # then there is a line that wakes the thread
            self._queue.put_nowait(((), Line("notice", "")))

    def close(self) -> None:
        """Have written what is left, but do not wait for ever."""
        until = time.monotonic() + LAST_LINES
        try:
            self._queue.put(None, timeout=LAST_LINES)
        except queue.Full:
            self._is_closing = True  # for when it hangs no more
        self._thread.join(max(0.0, until - time.monotonic()))

    def _told_dropped(self) -> Line:
        return Line("alert", f"{self._dropped} log lines were dropped")

    def _run(self) -> None:
        """Be the thread."""
        while not self._is_closing and (queued := self._queue.get()) is not None:
            if self._reopens:
                self._reopens = False
                self._reopen()
            self._write_all(*queued)
        if self._dropped:
            self._write_all(self._troubles, self._told_dropped())
        for sink in self.sinks.values():
            sink.close()

    def _write_all(self, targets: Targets, line: Line) -> None:
        for target in targets:
            if (trouble := self.sinks[target].write(line)) is not None:
                self._tell(trouble)

    def _tell(self, trouble: Line) -> None:
        """Tell those who are right themselves; or standard error, if nobody is."""
        right = [each for each in self._troubles if not self.sinks[each].fails]
        if not right and None not in self.sinks:
            self.sinks[None] = StandardError()
            right = [None]
        self._write_all(right, trouble)  # one that fails now will be told of, too

    def _reopen(self) -> None:
        for target, sink in tuple(self.sinks.items()):
            try:
                sink.reopen()
            except OSError as error:
                text = f"{target} is not reopened, the old file goes on: "
                trouble = Line("alert", text + str(error.strerror))
                self._write_all(self._troubles, trouble)


def _sink(target: Target) -> Sink:
    match target:
        case None:
            return StandardError()
        case Syslog():
            return SyslogSocket(target)
        case _:
            return LogFile(target)
