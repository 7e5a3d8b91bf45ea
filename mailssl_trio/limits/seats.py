"""The directive ``worker_connections``: how many connections a worker may have."""

from collections.abc import Callable
from math import inf

import trio

BETWEEN_LINES = 60.0
"""Seconds between two lines that say that there are too few."""


class Seats:
    """Connections with clients and with backends, counted as nginx counts them."""

    def __init__(
        self, most: int | None, complain: Callable[[str], object] = lambda _: None
    ) -> None:
        self.most = most
        self.taken = 0
        self._complain = complain
        self._next_line = -inf

    def take(self) -> bool:
        """Take one; False if there is none."""
        if self.most is not None and self.taken >= self.most:
            self._say_so(self.most)
            return False
        self.taken += 1
        return True

    def leave(self) -> None:
        """Give one back."""
        self.taken -= 1

    def _say_so(self, most: int) -> None:
        if (now := trio.current_time()) >= self._next_line:
            self._next_line = now + BETWEEN_LINES
            self._complain(f"{most} worker_connections are not enough")
