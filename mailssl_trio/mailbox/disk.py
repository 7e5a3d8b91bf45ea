"""The way to the disk: a thread, so that the loop never waits for a platter."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

THREADS = 8
"""Disk calls at once, for all sessions of one process."""


class Disk:
    """Runs the blocking calls of the store, a few at a time."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(THREADS)

    async def run(self, call: Callable[[*Ts], T], *arguments: *Ts) -> T:
        """Call in a thread; once begun it is carried to its end, even if cancelled."""
        return await trio.to_thread.run_sync(call, *arguments, limiter=self._limiter)
