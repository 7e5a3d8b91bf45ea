"""The keys of session tickets that the supervisor makes, for all its workers alike."""

from mailssl_trio.config.model import Config
from mailssl_trio.messages import RandomKeys
from mailssl_trio.tls.sessions.session_cache import Clock
from mailssl_trio.tls.sessions.ticket_keys import (
    RotatingKeys,
    as_texts,
    time_since_boot,
)


class TicketKeyring:
    """Keys for each length that sessions have; they outlive reloads."""

    def __init__(self, clock: Clock = time_since_boot) -> None:
        self._clock = clock
        self._rings: dict[int, RotatingKeys] = {}
        self._unused: set[int] = set()

    def of(self, config: Config) -> tuple[RandomKeys, ...]:
        """Return the keys that the servers of a configuration encrypt tickets with."""
        for timeout in sorted(_timeouts(config)):
            if timeout not in self._rings:
                self._rings[timeout] = RotatingKeys(timeout, self._clock)
                self._unused.add(timeout)
        return tuple(
            RandomKeys(timeout, as_texts(self._rings[timeout].keys))
            for timeout in sorted(_timeouts(config))
        )

    def begin(self) -> None:
        """Let the time of new keys begin: workers serve, and encrypt with them."""
        while self._unused:
            self._rings[self._unused.pop()].begin()

    def rotate(self) -> bool:
        """Move on to the keys whose time it is; return whether any are new."""
        rotated = [ring.rotate() for ring in self._rings.values()]  # all of them
        return any(rotated)


def _timeouts(config: Config) -> frozenset[int]:
    return frozenset(
        server.tls.session_timeout
        for server in config.servers
        if server.tls is not None
        if server.tls.session_tickets
        if not server.tls.session_ticket_keys
    )
