"""Every log of a process: opened together, written by one thread, reopened at once."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attrs import frozen

from mailssl_trio.logs.access_log import AccessChain, AccessLogger
from mailssl_trio.logs.error_log import (
    ErrorLogger,
    accept_failures_told,
    targets_by_level,
)
from mailssl_trio.logs.writer import Chain, LogWriter
from mailssl_trio.observer import Observer, Observers


@frozen
class Logs:
    """Who writes what."""

    writer: LogWriter
    error: ErrorLogger
    """Of the program itself, and of servers that have no targets of their own."""
    access: AccessChain = ()
    """Of servers that do not say otherwise."""

    def write(self, level: str, message: str) -> None:
        """Write a line of our own; whatever a peer said in it is escaped already."""
        self.error.write(level, message)

    def errors_of(self, chain: Chain) -> ErrorLogger:
        """Return the error log with these targets; without any, that of the whole."""
        if not chain:
            return self.error
        return ErrorLogger(self.writer, targets_by_level(chain))

    def of(self, error: Chain, access: AccessChain | None = None) -> Observer:
        """Return who is told of a server with these targets, if it has any."""
        log = self.errors_of(error)
        chain = self.access if access is None else access
        return Observers([log, AccessLogger(self.writer, chain)]) if chain else log

    def reopen(self) -> None:
        """Go on in the files that have the names by now; nobody waits for it."""
        self.write("notice", "reopening logs")
        self.writer.reopen()


@contextmanager
def open_logs(
    error: Chain,
    access: AccessChain = (),
    others: Sequence[Chain | AccessChain] = (),
) -> Iterator[Logs]:
    """Open every target, those of servers too.

    Raises OSError if a file may not be opened. On leaving, all lines are written.
    """
    targets = [one.target for chain in (error, access, *others) for one in chain]
    by_level = targets_by_level(error)
    writer = LogWriter(targets, by_level["alert"])
    log = ErrorLogger(writer, by_level)
    try:
        with accept_failures_told(log):
            yield Logs(writer, log, access)
    finally:
        writer.close()
