"""What the servers of one worker resume sessions with: caches and keys.

Those of a worker alone are made here. Zones and random keys are the supervisor's, so
that all workers have the same, and keep them when one of them dies.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import trio

from mailssl_trio.files import Files
from mailssl_trio.messages import RandomKeys
from mailssl_trio.tls.policy import SharedCache, TlsPolicy
from mailssl_trio.tls.sessions.resumption import Sessions
from mailssl_trio.tls.sessions.session_cache import (
    BuiltinCache,
    SessionStore,
    StoreChain,
)
from mailssl_trio.tls.sessions.shared_zone import SharedZone
from mailssl_trio.tls.sessions.ticket_keys import (
    TicketKey,
    TicketKeys,
    from_texts,
    read_ticket_keys,
)

COLLECTION = 5.0
"""Seconds between two rounds through the zones that let expired sessions go."""


class Resuming:
    """The caches and keys of one worker."""

    def __init__(
        self,
        zones: Path | None,
        random_keys: Iterable[RandomKeys],
        complain: Callable[[str], object],
    ) -> None:
        self._directory = zones
        self._complain = complain
        self._zones: dict[SharedCache, SharedZone] = {}
        self._random = _by_timeout(random_keys)
        self._of_timeouts: dict[int, TicketKeys] = {}
        self._of_files: dict[tuple[Path, ...], TicketKeys] = {}

    def sessions(self, policy: TlsPolicy, files: Files) -> Sessions:
        """Return what a server of this policy resumes sessions with."""
        return Sessions(self._store(policy), self._ticket_keys(policy, files))

    def replace(self, random_keys: Iterable[RandomKeys]) -> None:
        """Encrypt tickets with these from now on, where no files have keys."""
        self._random = _by_timeout(random_keys)
        for timeout, keys in self._of_timeouts.items():
            if timeout in self._random:
                keys.replace(self._random[timeout])

    def reread(self, files: Files) -> None:
        """Encrypt tickets with what is in the files of keys by now."""
        for paths, keys in self._of_files.items():
            keys.replace(read_ticket_keys(paths, files))

    async def collect(self) -> None:
        """Let expired sessions go, now and then."""
        while True:
            await trio.sleep(COLLECTION)
            for zone in self._zones.values():
                zone.collect()
                await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Leave what we have of the zones to who comes after us."""
        for zone in self._zones.values():
            zone.close()

    def _store(self, policy: TlsPolicy) -> SessionStore | None:
        cache = policy.session_cache
        builtin = None if cache.builtin is None else BuiltinCache(cache.builtin)
        shared = None if cache.shared is None else self._zone(cache.shared)
        if builtin is not None and shared is not None:
            return StoreChain(builtin, shared)
        return shared if builtin is None else builtin

    def _zone(self, cache: SharedCache) -> SharedZone | None:
        if self._directory is None:
            return None
        if cache not in self._zones:
            zone = SharedZone(self._directory, cache.name, cache.size, self._complain)
            self._zones[cache] = zone
        return self._zones[cache]

    def _ticket_keys(self, policy: TlsPolicy, files: Files) -> TicketKeys | None:
        if not policy.session_tickets:
            return None
        if paths := policy.session_ticket_keys:
            keys = read_ticket_keys(paths, files)
            return self._of_files.setdefault(paths, TicketKeys(keys))
        timeout = policy.session_timeout
        keys = self._random[timeout]
        return self._of_timeouts.setdefault(timeout, TicketKeys(keys))


def _by_timeout(
    random_keys: Iterable[RandomKeys],
) -> Mapping[int, tuple[TicketKey, ...]]:
    return {each.timeout: from_texts(each.keys) for each in random_keys}
