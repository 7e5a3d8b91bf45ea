"""Where sessions are kept for clients that come back: what every cache can do.

OpenSSL asks in the middle of a handshake, from C. So a cache answers at once and
never raises; a session that it does not have costs the client a full handshake, and
nothing else.
"""

import time
from collections.abc import Callable
from typing import Protocol, TypeAlias

from attrs import define, field, frozen

DEFAULT_SIZE = 20480  # as many as OpenSSL's own cache has
LARGEST_SESSION = 8192  # octets; nginx keeps no larger one
"""What makes a session large is the client's certificate, which may be any size."""

Clock: TypeAlias = Callable[[], float]
"""Seconds since the epoch, since that is how OpenSSL counts a session's life."""


class SessionStore(Protocol):
    """A cache of sessions by their ids. Neither method raises or waits."""

    def store(self, session_id: bytes, session: bytes, expires: float) -> None:
        """Keep a session, in DER, until it expires."""

    def lookup(self, session_id: bytes) -> bytes | None:
        """Return a session that is there and has not expired."""


@frozen
class Kept:
    """A session and its end."""

    session: bytes = field(repr=False)
    """It holds the secret that all its connections' keys come from."""
    expires: float


def _bounded(size: int) -> int:
    return size or DEFAULT_SIZE


@define
class BuiltinCache:
    """``builtin``: the newest sessions of one worker, in its own memory.

    nginx keeps any number where the size is 0. Here it means the default, as nothing
    that strangers fill may be without bound.
    """

    size: int = field(default=DEFAULT_SIZE, converter=_bounded)
    clock: Clock = time.time
    _kept: dict[bytes, Kept] = field(factory=dict, init=False, repr=False)
    """The oldest first."""

    def store(self, session_id: bytes, session: bytes, expires: float) -> None:
        """Keep a session, in place of the oldest one if there are too many."""
        self._kept.pop(session_id, None)
        if len(session) <= LARGEST_SESSION:
            self._kept[session_id] = Kept(session, expires)
        self._drop_the_oldest()

    def lookup(self, session_id: bytes) -> bytes | None:
        """Return a session that is there and has not expired."""
        kept = self._kept.get(session_id)
        if kept is None:
            return None
        if kept.expires <= self.clock():
            del self._kept[session_id]
            return None
        return kept.session

    def __len__(self) -> int:
        return len(self._kept)

    def _drop_the_oldest(self) -> None:
        """Keep to the size, and let expired sessions go, two for one that comes."""
        now, spare = self.clock(), 2
        while oldest := next(iter(self._kept), None):
            has_expired = self._kept[oldest].expires <= now and spare > 0
            if len(self._kept) <= self.size and not has_expired:
                return
            del self._kept[oldest]
            spare -= 1


@frozen
class StoreChain:
    """``builtin`` and ``shared`` together: near first, then with all workers."""

    builtin: SessionStore
    shared: SessionStore

    def store(self, session_id: bytes, session: bytes, expires: float) -> None:
        """Keep a session in both."""
        self.builtin.store(session_id, session, expires)
        self.shared.store(session_id, session, expires)

    def lookup(self, session_id: bytes) -> bytes | None:
        """Return a session that either has."""
        return self.builtin.lookup(session_id) or self.shared.lookup(session_id)
