"""The logs of a process, opened as it opens them, for as long as a block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager

from mailssl_trio.logs.error_log import ErrorLogger
from mailssl_trio.logs.opening import open_logs
from mailssl_trio.logs.writer import ErrorLog, Target


@contextmanager
def open_error_log(target: Target, level: str) -> Iterator[ErrorLogger]:
    """Write lines of this level and above to one target, all of them in the end."""
    with open_logs((ErrorLog(target, level),)) as logs:
        yield logs.error
