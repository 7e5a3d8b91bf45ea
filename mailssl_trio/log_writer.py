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

from mailssl_trio.log_file import LogFile
from mailssl_trio.log_lines import Line
from mailssl_trio.standard_error import StandardError
from mailssl_trio.syslog import Syslog, SyslogSocket

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
        with ExitStack() as undo:
            self._sinks: dict[Target, Sink] = {}
            for target in dict.fromkeys((*targets, *troubles)):
                self._sinks[target] = sink = _sink(target)
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
        else:
            self._tell_dropped()

    def reopen(self) -> None:
        """Open all files again, by their names; what cannot be opened goes on."""
        self._reopens = True
        with suppress(queue.Full):  # then there is a line that wakes the thread
            self._queue.put_nowait(((), Line("notice", "")))

    def close(self) -> None:
        """Have written what is left, but do not wait for ever."""
        self._tell_dropped()
        until = time.monotonic() + LAST_LINES
        try:
            self._queue.put(None, timeout=LAST_LINES)
        except queue.Full:
            return  # it hangs, and ends with us
        self._thread.join(max(0.0, until - time.monotonic()))

    def _tell_dropped(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            text = f"{dropped} log lines were dropped"
            self.put(self._troubles, Line("alert", text))

    def _run(self) -> None:
        """Be the thread."""
        while (queued := self._queue.get()) is not None:
            if self._reopens:
                self._reopens = False
                self._reopen()
            targets, line = queued
            for target in targets:
                self._write(target, line)
        for sink in self._sinks.values():
            sink.close()

    def _write(self, target: Target, line: Line) -> None:
        if (trouble := self._sinks[target].write(line)) is not None:
            self._tell(trouble, failing=target)

    def _tell(self, trouble: Line, failing: Target) -> None:
        """Tell others what is wrong with a target, once it is right itself too."""
        others = [each for each in self._troubles if each != failing]
        if not others and failing is not None:
            self._sinks.setdefault(None, StandardError())
            others = [None]
        for target in others:
            self._sinks[target].write(trouble)

    def _reopen(self) -> None:
        for target, sink in tuple(self._sinks.items()):
            try:
                sink.reopen()
            except OSError as error:
                text = f"{target} is not reopened, the old file goes on: "
                trouble = Line("alert", text + str(error.strerror))
                for told in self._troubles:
                    self._write(told, trouble)


def _sink(target: Target) -> Sink:
    match target:
        case None:
            return StandardError()
        case Syslog():
            return SyslogSocket(target)
        case _:
            return LogFile(target)
