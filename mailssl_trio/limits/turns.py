"""So many at a time: guesses that come all at once are not all judged at once."""

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import trio


class Turns:
    """Who is being judged, by name; whoever comes beyond that waits for a turn."""

    def __init__(self) -> None:
        self._limiters: dict[Hashable, trio.CapacityLimiter] = {}

    def __len__(self) -> int:
        """Return of how many names somebody is being judged."""
        return len(self._limiters)

    @asynccontextmanager
    async def taken(self, name: Hashable, most: int) -> AsyncIterator[None]:
        """Be one of so many of a name."""
        limiter = self._limiters.setdefault(name, trio.CapacityLimiter(most))
        who = object()
        try:
            await limiter.acquire_on_behalf_of(who)
            try:
                yield
            finally:
                limiter.release_on_behalf_of(who)
        finally:  # whoever waits has it by now
            is_idle = not limiter.borrowed_tokens
            if is_idle and self._limiters.get(name) is limiter:
                del self._limiters[name]
