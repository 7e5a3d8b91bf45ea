"""One client's life up to its login: let in, greeted, heard, and answered."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import trio

from mailssl_trio.admission import Admission, Part
from mailssl_trio.auth.challenge import challenge
from mailssl_trio.gateway import Gateway
from mailssl_trio.limits.stay import Stay
from mailssl_trio.mail_session import MailSession
from mailssl_trio.observer import (
    Admitted,
    Connected,
    Ended,
    Happening,
    ProxyRefused,
    Unnamed,
)
from mailssl_trio.protocol.events import Authenticate, Closed, Goodbye, LoggedIn
from mailssl_trio.protocol.failures import Failure
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.proxy_header import written
from mailssl_trio.protocol.server_session import ServerSession
from mailssl_trio.protocol.smtp.server import SmtpServer
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.drain import Drain, Wait
from mailssl_trio.transport.proxied import RefusedProxyError
from mailssl_trio.transport.relay import Relay
from mailssl_trio.transport.resolver import TEMPUNAVAIL
from mailssl_trio.transport.wire import Wire
from mailssl_trio.visits import Visit

if TYPE_CHECKING:  # it needs the extra [dns]
    from mailssl_trio.transport.client_names import ClientNames

SERVERS: Mapping[str, type[ServerSession]] = {
    "imap": ImapServer,
    "pop3": Pop3Server,
    "smtp": SmtpServer,
}


class ClientLife:
    """A client from greeting to goodbye."""

    def __init__(
        self,
        gateway: Gateway,
        wire: Wire,
        drain: Drain,
        visit: Visit,
        part: Part,
        *,
        implicit_tls: bool,
        proxied: bool = False,
    ) -> None:
        """Begin on a wire that has just been accepted.

        ``proxied`` is one that a PROXY header comes on before everything else. ``part``
        sees to the closing of backends that have failed the client.
        """
        self.gateway = gateway
        self.session = SERVERS[gateway.protocol](
            gateway.policy,
            implicit_tls=implicit_tls,
            challenge=partial(challenge, gateway.policy.server_name),
        )
        self.client = Connection(
            self.session, wire, gateway.tls_layer(), gateway.timeouts, drain
        )
        self.subject = visit.subject
        self.stay = Stay(gateway.house, gateway.limits, gateway.protocol, visit)
        self.admission = Admission(gateway, visit.subject, self.stay, part)
        self._proxied = proxied

    async def live(self) -> MailSession | None:
        """Carry the client until it ends, or has logged in; close nothing yet.

        What is returned has taken over both connections, and all that is to be given
        back; this life is over then.
        """
        self._tell(Connected())
        if not await self._is_let_in():
            return None
        if self.gateway.names is not None:
            await self._look_up_name(self.gateway.names)
        while True:
            event = await self.client.next_event()
            self.subject.tls = self.session.tls
            match event:
                case Authenticate() as question:
                    admit = partial(self.admission.admit, question)
                    if (verdict := await self.client.while_busy(admit)) is not None:
                        self.client.answer(event, verdict)
                case LoggedIn() if (upstream := self.admission.upstream) is not None:
                    return self._session(upstream)
                case Closed(reason):
                    self._end(reason, self.client.tls_failure)
                    return None

    async def _is_let_in(self) -> bool:
        """Find out who the client is, and say so if that may not come in."""
        refused = self.stay.arrives(proxied=self._proxied)
        if refused is None:
            if self._proxied and not await self._hear_proxy():
                return False
            refused = self.stay.enters()
        if refused is not None:
            self._end(refused)
            await self.client.farewell(refused)
        return refused is None

    async def _look_up_name(self, names: "ClientNames") -> None:
        """Ask DNS, before the greeting, within the client's time and until a stop."""
        subject, scope = self.subject, trio.CancelScope(deadline=self.client.deadline)
        subject.client_host = TEMPUNAVAIL
        with scope, self.client.drain.cuts(scope, wait=Wait.BUSY):
            found = await names.name_of(subject.client)
            subject.client_host = found.host
            if found.problem:
                subject.action = found.action
                self._tell(Unnamed(found.problem))

    async def apologise(self) -> None:
        """Say that we are at fault."""
        await self.leave(Goodbye.INTERNAL_ERROR)

    async def leave(self, reason: Goodbye) -> None:
        """End what was cut short, saying why."""
        self._end(reason)
        await self.client.farewell(reason)

    def _end(self, reason: Goodbye, detail: str = "") -> None:
        """Tell that a connection ends without a login."""
        self.subject.tls = self.session.tls
        self.subject.failure = self.session.failure or self.subject.failure
        self._tell(Ended(reason, detail))

    async def close(self) -> None:
        """Close both sides at once."""
        try:
            async with trio.open_nursery() as nursery:
                for connection in filter(None, (self.client, self.admission.upstream)):
                    if not connection.is_closed_at_once():
                        nursery.start_soon(connection.close)
        finally:
            self.stay.end()

    def let_go(self) -> None:
        """Close at once what has not been closed, and give back what was taken."""
        for connection in filter(None, (self.client, self.admission.upstream)):
            connection.let_go()
        self.stay.end()

    async def _hear_proxy(self) -> bool:
        """Read for whom the proxy in front of us speaks; False: for nobody here."""
        subject, trusted = self.subject, self.gateway.real_ip_from
        subject.failure = Failure.PROXY_HEADER_REFUSED
        try:
            header = await self.client.proxy_header()
            if isinstance(header, Goodbye):
                self._tell(Ended(header, "no PROXY header"))
                return False
            subject.proxied = header.addresses
            believed = trusted.believed(header, subject.client)
        except RefusedProxyError as refused:
            self._tell(ProxyRefused(str(refused), refused.seen))
            return False
        subject.failure = Failure.NO_ATTEMPTS
        if believed is not None:
            subject.client = written(believed.source)
            subject.client_port = believed.source_port
        return True

    def _tell(self, happening: Happening) -> None:
        self.gateway.observer.tell(self.subject, happening)

    def _session(self, upstream: Connection) -> MailSession:
        """Hand over what both sides have sent ahead, and all that follows."""
        self.subject.logged_in = trio.current_time()
        self._tell(Admitted())
        relay = Relay(
            self.client.stream,
            upstream.stream,
            self.gateway.timeouts,
            to_upstream=self.session.trailing_data,
            to_client=upstream.session.trailing_data,
        )
        return MailSession(relay, self.subject, self.stay, self.gateway.observer)
