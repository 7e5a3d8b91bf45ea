"""Reaching connections that wait for their peer, when the server is to stop.

A drain cancels no task. It cuts short the waits that were declared to it; whoever
waited sees that ``begun`` is set, says goodbye in its own protocol, and leaves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Drain:
    """A stop that is announced to everyone who declared a wait."""

    def __init__(self) -> None:
        self.begun = False
        self._waits: dict[trio.CancelScope, float] = {}

    @contextmanager
    def cuts(self, scope: trio.CancelScope, grace: float = 0.0) -> Iterator[None]:
        """Let ``scope`` last only ``grace`` seconds once the drain has begun."""
        self._waits[scope] = grace
        if self.begun:
            self._cut(scope, grace)
        try:
            yield
        finally:
            del self._waits[scope]

    def begin(self) -> None:
        """Cut short every declared wait, and each that will be declared."""
        self.begun = True
        for scope, grace in self._waits.items():
            self._cut(scope, grace)

    @staticmethod
    def _cut(scope: trio.CancelScope, grace: float) -> None:
        scope.deadline = min(scope.deadline, trio.current_time() + grace)
