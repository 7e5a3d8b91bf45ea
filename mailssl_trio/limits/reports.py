"""What a worker has to tell its supervisor of logins, until it is told."""

from collections import deque

import trio

from mailssl_trio.limits.sanctions import Failure, Success

MOST = 2_000
"""Logins that wait to be told; if there are more, the oldest are not."""

BATCH = 200
"""Of them, in one message: some 60 KB."""


class Reports:
    """A queue that is never waited for."""

    def __init__(self) -> None:
        self.waiting = trio.Event()
        self._queue: deque[Failure | Success] = deque(maxlen=MOST)

    def add(self, what: Failure | Success) -> None:
        """Have the supervisor be told of a login."""
        self._queue.append(what)
        self.waiting.set()

    def take(self) -> tuple[tuple[Failure, ...], tuple[Success, ...]]:
        """Return what comes next, failures and successes."""
        taken = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        if not self._queue:
            self.waiting = trio.Event()
        return (
            tuple(each for each in taken if isinstance(each, Failure)),
            tuple(each for each in taken if isinstance(each, Success)),
        )
