"""Open a backend: connect, and have a client session ready to log in over it."""

import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import trio
from attrs import evolve, field, frozen

from mailssl_trio.logs.nginx_words import TIMED_OUT
from mailssl_trio.protocol.client_session import (
    AS_USUAL,
    CONNECTING,
    NOBODY_TO_TELL_OF,
    ClientSession,
)
from mailssl_trio.protocol.credentials import BackendCredentials
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.smtp.client import SmtpClient
from mailssl_trio.transport.address import (
    Address,
    EmbeddedAddress,
    TcpAddress,
)
from mailssl_trio.transport.announcing import ProxyProtocol, header
from mailssl_trio.transport.backend_sessions import Backend, BackendSessions
from mailssl_trio.transport.connecting import connect
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.secure import TlsLayer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.unreachable import why_unreachable
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from mailssl_trio.transport.wire import Wire

CLIENTS: Mapping[str, type[ClientSession]] = {
    "imap": ImapClient,
    "pop3": Pop3Client,
    "smtp": SmtpClient,
}

Embedded: TypeAlias = Callable[[str], Awaitable[socket.socket]]
"""Opens the embedded mailbox for ``imap``, ``pop3`` or ``smtp``."""


class DialError(Exception):
    """No address of the backend could be connected to; the text says why."""

    action = CONNECTING


class AnnouncementError(DialError):
    """The backend did not take our PROXY header."""

    action = "sending PROXY protocol header to upstream"


@frozen
class Dialer:
    """Opens the backends of one virtual server."""

    protocol: str
    client_name: str
    """What an SMTP backend is told in EHLO: our ``server_name``."""
    timeouts: Timeouts
    tls: ssl.SSLContext | None = None
    """None where no backend is spoken to by TLS."""
    embedded: Embedded | None = None
    policy: ProxyPolicy = AS_USUAL
    proxy_protocol: ProxyProtocol = ProxyProtocol.OFF
    _sessions: BackendSessions = field(factory=BackendSessions, init=False, eq=False)

    async def open(
        self,
        upstream: Upstream,
        credentials: BackendCredentials,
        client: Introduction = NOBODY_TO_TELL_OF,
        tls: TlsInfo | None = None,
        *,
        smtp_auth: bool | None = None,
    ) -> Connection:
        """Connect, and return a connection that is about to log in.

        ``client`` is whom the backend is told of, ``tls`` what it speaks with us.
        ``smtp_auth`` is for this backend in place of ``proxy_smtp_auth``. Raises
        DialError. All of it, until the user is in, shares one budget, as all that a
        client does.
        """
        begun = trio.current_time()
        policy = self.policy
        if smtp_auth is not None:
            policy = evolve(policy, smtp_auth=smtp_auth)
        session = CLIENTS[self.protocol](
            credentials,
            implicit_tls=upstream.proxy_ssl is ProxySsl.ON,
            starttls=upstream.proxy_ssl is ProxySsl.STARTTLS,
            client_name=self.client_name,
            client=client,
            policy=policy,
        )
        wire = await self._connect(upstream.address)
        try:
            if not isinstance(upstream.address, EmbeddedAddress):
                await self._announce(wire, header(self.proxy_protocol, client, tls))
            layer = self._layer(upstream)
            connection = Connection(session, wire, layer, self.timeouts, Drain())
        except BaseException:
            wire.let_go()
            raise
        connection.deadline = begun + self.timeouts.session
        return connection

    def keep_session(self, upstream: Upstream, connection: Connection) -> None:
        """Keep the TLS session of a connection whose login is over, for the next."""
        layer, backend = connection.tls, self._backend(upstream)
        if layer is None or not upstream.tls.session_reuse:
            return
        if layer.offer is not None and connection.tls_failure:
            self._sessions.give_up(backend)
        else:
            self._sessions.keep(backend, connection.stream)

    async def _connect(self, address: Address) -> Wire:
        """Connect in time. Raises DialError."""
        patience = min(self.timeouts.connect, self.timeouts.session)
        try:
            match address:
                case EmbeddedAddress():
                    with trio.fail_after(patience):
                        connected = await self._open_embedded()
                case _:
                    connected = await connect(address, patience)
        except trio.TooSlowError:
            raise DialError(f"upstream timed out ({TIMED_OUT})") from None
        except (OSError, UnicodeError) as error:
            why = why_unreachable(error)
            raise DialError(f"connect() to {address} failed ({why})") from None
        return Wire(connected, self.timeouts.close)

    async def _announce(self, wire: Wire, header: bytes) -> None:
        """Say for whom we speak, before anything else and before TLS."""
        if not header:
            return
        sent = False
        try:
            with trio.move_on_after(self.timeouts.connect):
                await wire.send_all(header)
                sent = True
        except trio.BrokenResourceError:
            pass  # it has gone already
        finally:
            if not sent:
                await trio.aclose_forcefully(wire)
        if not sent:
            raise AnnouncementError("could not send PROXY protocol header")

    async def _open_embedded(self) -> socket.socket:
        if self.embedded is None:
            raise OSError("there is no embedded mailbox")
        return await self.embedded(self.protocol)

    def _layer(self, upstream: Upstream) -> TlsLayer | None:
        if self.tls is None or upstream.proxy_ssl is ProxySsl.OFF:
            return None
        backend = self._backend(upstream)
        return TlsLayer(
            self.tls,
            server_side=False,
            server_hostname=backend.name,
            offer=self._sessions.offer(backend),
        )

    def _backend(self, upstream: Upstream) -> Backend:
        """Say whom a TLS session with it belongs to, and by which name to verify it."""
        match upstream.address:
            case TcpAddress(host):
                name = upstream.tls.name or host
            case _:
                name = upstream.tls.name or self.client_name
        return Backend(upstream.address, name)
