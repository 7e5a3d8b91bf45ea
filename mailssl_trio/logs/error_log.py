"""The directive ``error_log``: what operators must know, in nginx's lines."""

import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from mailssl_trio.escaping import octets
from mailssl_trio.logs.lines import LEVELS, Line
from mailssl_trio.logs.nginx_words import arrival, where, words
from mailssl_trio.logs.writer import Chain, LogWriter, Target
from mailssl_trio.observer import (
    Admitted,
    Connected,
    Crashed,
    Ended,
    Happening,
    LoginFailed,
    Relayed,
    Subject,
)

ACCEPT_LOOP = "mailssl_trio.transport.listening"
"""The logger of the loop that accepts, which goes on when descriptors run out."""
SECONDS_BETWEEN_ACCEPT_LINES = 60.0
MAX_LINE = 2048  # nginx's; a traceback may be longer


def targets_by_level(chain: Chain) -> Mapping[str, tuple[Target, ...]]:
    """Return who takes a line of each level."""
    return {
        level: tuple(
            dict.fromkeys(one.target for one in chain if LEVELS[one.level] <= number)
        )
        for level, number in LEVELS.items()
    }


USUAL = (Admitted, Connected, Ended, LoginFailed, Relayed)
"""What happens all the time; it is of the level ``info``."""


@frozen
class ErrorLogger:
    """An observer that writes what operators must know."""

    writer: LogWriter
    targets: Mapping[str, tuple[Target, ...]]
    """By level."""

    def write(self, level: str, message: str) -> None:
        """Write a line of our own; whatever a peer said in it is escaped already."""
        self.writer.put(self.targets[level], Line(level, message[:MAX_LINE]))

    def tell(self, subject: Subject, happening: Happening) -> None:
        """Write a line about a connection, and the traceback of a bug."""
        if isinstance(happening, USUAL) and not self.targets["info"]:
            return  # most of them where only errors are wanted: do not even word it
        match happening:
            case Connected():
                self.write("info", f"*{subject.number} {arrival(subject)}")
            case Crashed(bug):
                text = f"*{subject.number} internal error, {where(subject)}"
                line = Line("crit", text + _traceback(bug))
                self.writer.put(self.targets["crit"], line)
            case _:
                level, text = words(subject, happening)
                self.write(level, f"*{subject.number} {text}, {where(subject)}")


def _traceback(bug: Exception) -> str:
    """Return all lines of it, set in: what is quoted there begins none of ours."""
    lines = "".join(traceback.format_exception(bug)).splitlines()
    return "".join(
        "\n " + "".join(c if c.isprintable() else octets(c) for c in line)
        for line in lines
    )


class _AcceptFailures(logging.Handler):
    """Turns what Trio's accept loop says at each retry into a line a minute."""

    def __init__(self, log: ErrorLogger) -> None:
        super().__init__()
        self.log = log
        self.next_line = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        if (now := time.monotonic()) >= self.next_line:
            self.next_line = now + SECONDS_BETWEEN_ACCEPT_LINES
            self.log.write("alert", f"accepting pauses: {record.getMessage()}")


@contextmanager
def accept_failures_told(log: ErrorLogger) -> Iterator[None]:
    """Have the log told when nobody can be let in."""
    accepting, failures = logging.getLogger(ACCEPT_LOOP), _AcceptFailures(log)
    accepting.propagate = False
    accepting.addHandler(failures)
    try:
        yield
    finally:
        accepting.removeHandler(failures)
