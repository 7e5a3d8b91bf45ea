"""Worker processes seen from outside: who they are, and clients who never cease."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import define

from tests.interop.background import Background
from tests.interop.machine import PATIENCE, until


def workers(supervisor: int) -> list[int]:
    """Return the worker processes that a supervisor has, as proc(5) knows them."""
    found: list[int] = []
    for thread in Path(f"/proc/{supervisor}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, thread.read_text().split())
    return sorted(found)


def lives(pid: int) -> bool:
    """Whether a process runs, or is stopped, but not one that waits to be reaped."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] != "Z"
    return False


def kill(pid: int) -> None:
    """Kill a process, if it is there, and wait until it is dead."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not lives(pid), f"the end of {pid}")


def await_workers(program: Background, others_than: Sequence[int] = ()) -> list[int]:
    """Wait until as many workers are there as were, and all of them are others."""
    supervisor = program.process.pid

    def are_others() -> bool:
        now = workers(supervisor)
        return len(now) == len(others_than) and not set(now) & set(others_than)

    until(are_others, "other workers")
    return workers(supervisor)


def reload(program: Background) -> None:
    """Ask for a reload, and wait until it is over: the old workers leave, or stay."""
    before = program.logged()
    program.signal(signal.SIGHUP)

    def is_over() -> bool:
        since = program.logged()[len(before) :]
        return "gracefully shutting down" in since or "not reconfigured" in since

    until(is_over, "a reload")
    time.sleep(0.1)  # until the others among them have heard of it, too


@define
class Crowd:
    """Clients who connect and wait for a greeting, one after the other, for ever."""

    port: int
    greeted: int = 0
    refused: int = 0
    """They found nobody who listens."""
    cut: int = 0
    """They were connected, but not greeted."""
    stop: bool = False

    def come(self) -> None:
        """Come until it is over."""
        while not self.stop:
            try:
                with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as it:
                    greeting = self._greeting(it)
            except OSError:
                self.refused += 1
            else:
                self.greeted += bool(greeting)
                self.cut += not greeting
            time.sleep(0.005)

    def _greeting(self, client: socket.socket) -> bytes:
        try:
            return client.recv(1000)
        except ConnectionError:
            return b""


@contextmanager
def crowd(port: int) -> Iterator[Crowd]:
    """Have clients come meanwhile."""
    people = Crowd(port)
    thread = threading.Thread(target=people.come)
    thread.start()
    try:
        yield people
    finally:
        people.stop = True
        thread.join(2 * PATIENCE)
