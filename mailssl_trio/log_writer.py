"""How lines of the error log get where they belong: by one thread, for all targets.

The loop never waits for a disk: lines go through a bounded queue to one thread, and
lines that find it full are dropped and counted. A server may have targets of its own;
what is said of it then goes to these, each with the least level that it takes.
"""

import logging
import queue
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from threading import main_thread
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.log_file import LogFile
from mailssl_trio.syslog import Syslog, SyslogHandler

LEVELS = {  # syslog(3), as nginx orders them
    "debug": 10,
    "info": 20,
    "notice": 25,
    "warn": 30,
    "error": 40,
    "crit": 50,
    "alert": 60,
    "emerg": 70,
}
NAMES = {number: name for name, number in LEVELS.items()}

QUEUED_LINES = 10_000

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


class BoundedQueueHandler(QueueHandler):
    """Drops what finds the queue full, and says how many when there is room."""

    dropped = 0

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it; never wait."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1
            return
        if self.dropped:
            dropped, self.dropped = self.dropped, 0
            text = f"{dropped} log lines were dropped"
            told = {"levelno": LEVELS["warn"], "msg": text, "name": record.name}
            self.handle(logging.makeLogRecord(told))


class Line(logging.Formatter):
    """``YYYY/MM/DD HH:MM:SS [level] PID#TID: message``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as nginx does."""
        now = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(record.created))
        level = NAMES[record.levelno]
        who = f"{record.process}#{main_thread().native_id}"
        line = f"{now} [{level}] {who}: {record.getMessage()}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class _Writer(QueueListener):
    """Offers each line to the targets of the chain that its logger is named after."""

    def __init__(
        self,
        lines: "queue.Queue[logging.LogRecord]",
        targets: Mapping[Target, logging.Handler],
        chains: Mapping[str, Chain],
    ) -> None:
        super().__init__(lines)
        self._targets = targets
        self._chains = chains

    def handle(self, record: logging.LogRecord) -> None:
        for one in self._chains[record.name]:
            if record.levelno >= LEVELS[one.level]:
                self._targets[one.target].handle(record)


@contextmanager
def open_loggers(chains: Iterable[Chain]) -> Iterator[Mapping[Chain, logging.Logger]]:
    """Open every target once, and return a logger for each chain.

    Raises OSError if a file may not be opened. On leaving, all lines are written.
    """
    named = {f"log {number}": chain for number, chain in enumerate(chains)}
    lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUED_LINES)
    targets: dict[Target, logging.Handler] = {}
    with ExitStack() as closing:
        for one in (one for chain in named.values() for one in chain):
            if one.target not in targets:
                targets[one.target] = handler = _handler(one.target)
                handler.setFormatter(Line())
                closing.callback(handler.close)
        writer = _Writer(lines, targets, named)
        writer.start()
        closing.callback(writer.stop)
        yield {chain: _logger(name, chain, lines) for name, chain in named.items()}


def _handler(target: Target) -> logging.Handler:
    match target:
        case None:
            return logging.StreamHandler(sys.stderr)
        case Syslog():
            return SyslogHandler(target)
        case _:
            return LogFile(target)


def _logger(
    name: str, chain: Chain, lines: "queue.Queue[logging.LogRecord]"
) -> logging.Logger:
    logger = logging.Logger(name, min(LEVELS[one.level] for one in chain))
    logger.addHandler(BoundedQueueHandler(lines))
    return logger
