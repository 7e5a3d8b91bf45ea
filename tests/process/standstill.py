"""Workers that are stopped, so that it is known who answers, and who succeeds whom."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.interop.background import Background
from tests.interop.machine import until
from tests.process.processes import workers


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    """Stop processes in the middle of whatever they do; let them go on at the end."""
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        until(lambda: all(_state(pid) == "T" for pid in pids), "a standstill")
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def await_successor(program: Background, dead: int, other: int) -> int:
    """Wait for the worker that takes a dead one's place beside another."""

    def successors() -> set[int]:
        return set(workers(program.process.pid)) - {dead, other}

    until(lambda: len(successors()) == 1, f"a successor of {dead}")
    [pid] = successors()
    return pid


def _state(pid: int) -> str:
    """Return what proc(5) calls the state of a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
