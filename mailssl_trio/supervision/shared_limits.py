"""Limits that hold for all workers: where they count, and what they must all know.

It outlives workers and configurations: a reload forgives nobody.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_bytes

import trio

from mailssl_trio.config.model import Config
from mailssl_trio.config.units import format_time
from mailssl_trio.escaping import escape
from mailssl_trio.limits.bans import Ban
from mailssl_trio.limits.counts import Place, Segments
from mailssl_trio.limits.ledger import Ledger
from mailssl_trio.limits.tags import KEY_OCTETS
from mailssl_trio.messages import Limiting, LoginsTold, Message, Sanctioned

PAUSE = 0.1
"""Seconds between two messages to workers; the first waits for nothing."""

BATCH = 200
"""Sanctions in one of them: a worker has them read in 5 ms."""


class SharedLimits:
    """The supervisor's part in limits."""

    def __init__(self, write: Callable[[str, str], object]) -> None:
        self.ledger = Ledger(self._tell)
        self._write = write
        self._hash_key = token_bytes(KEY_OCTETS)
        self._segments: Segments | None = None

    @contextmanager
    def lent(self, config: Config) -> Iterator[Place | None]:
        """Lend a worker where it counts connections, for its life; None: it does not.

        What it has counted is forgotten with it, however it ends.
        """
        if not any(server.limits.connections for server in config.servers):
            yield None
            return
        try:
            self._segments = self._segments or Segments()
        except OSError as error:
            self._write("alert", f"limit_conn: a worker does not count: {error}")
            yield None
            return
        with self._segments.lent() as place:
            if place is None:
                self._write("alert", "limit_conn: a worker does not count: too many")
            yield place

    def of_worker(self, place: Place | None) -> Limiting:
        """Return what a worker is told that starts now."""
        bans, now = self.ledger.standing(), trio.current_time()
        return Limiting(self._hash_key, place, bans, now)

    def hear(self, told: LoginsTold) -> None:
        """Take note of what a worker tells of logins."""
        for failure in told.failures:
            self.ledger.failed(failure)
        for success in told.successes:
            self.ledger.succeeded(success)

    async def spread(self, tell: Callable[[Message], object]) -> None:
        """Tell workers what comes to hold, until cancelled."""
        while True:
            await self.ledger.news.wait()
            news = self.ledger.take_news()
            for first in range(0, len(news), BATCH):
                tell(Sanctioned(news[first : first + BATCH]))
                await trio.sleep(PAUSE)

    def close(self) -> None:
        """Give the memory back."""
        if self._segments is not None:
            self._segments.close()

    def _tell(self, ban: Ban) -> None:
        whom = f'"{escape(ban.user)}" at {ban.network}' if ban.user_tag else ban.network
        length = format_time(ban.seconds_left)
        self._write("notice", f"limit_login: {whom} is banned for {length}: {ban.why}")
