"""The directive ``proxy_ssl_session_reuse``: TLS sessions that backends will resume.

When there is a session to keep depends on the version: in TLS 1.2 with the end of the
handshake, in TLS 1.3 only once a ticket has come, which is read together with the
first octets that the backend says in TLS. The end of the login is behind both.
"""

from collections import OrderedDict

import trio
from attrs import field, frozen

from mailssl_trio.transport.address import Address
from mailssl_trio.transport.secure import SecureStream, session_of

CAPACITY = 256

LIFETIME = 3600.0
"""Seconds for which a certificate, once seen, is believed without being shown again.
A backend may let a session go on for ever, beyond its certificate's expiry."""


@frozen
class Backend:
    """Whom a session was made with."""

    address: Address
    name: str
    """By which its certificate was verified."""


@frozen
class _Kept:
    session: bytes | None = field(repr=False)
    """In DER; None where the backend is not to be offered any."""
    since: float
    """When the certificate was seen, on Trio's clock."""


class BackendSessions:
    """The newest session of each backend, for connections of one SSLContext.

    One for each context, so none is ever resumed under another policy, nor with
    another certificate of ours. What is kept are copies: a connection that breaks
    spoils no session but its own.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[Backend, _Kept] = OrderedDict()

    def offer(self, backend: Backend) -> bytes | None:
        """Return the session that the next connection should resume."""
        kept = self._find(backend)
        return None if kept is None else kept.session

    def keep(self, backend: Backend, stream: trio.abc.Stream) -> None:
        """Keep what the backend's newest connection has agreed on, whatever that is.

        A session that it would not resume makes way: for the new one, or for none.
        """
        earlier = self._find(backend)
        if earlier is not None and earlier.session is None:
            return
        self._kept.pop(backend, None)
        if not isinstance(stream, SecureStream):
            return
        session = session_of(stream)
        since = trio.current_time()
        if stream.socket.session_reused:
            if earlier is None:  # nobody knows any more when the certificate was seen
                return
            since = earlier.since
        if session is not None:
            self._add(backend, _Kept(session, since))

    def give_up(self, backend: Backend) -> None:
        """Offer the backend no session for a while: it fails handshakes with one.

        A server that asks for certificates, and whose session id context was
        forgotten, does so: SSL_CTX_set_session_id_context(3).
        """
        self._kept.pop(backend, None)
        self._add(backend, _Kept(None, trio.current_time()))

    def _find(self, backend: Backend) -> _Kept | None:
        kept = self._kept.get(backend)
        if kept is None or trio.current_time() - kept.since >= LIFETIME:
            self._kept.pop(backend, None)
            return None
        self._kept.move_to_end(backend)
        return kept

    def _add(self, backend: Backend, kept: _Kept) -> None:
        self._kept[backend] = kept
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
