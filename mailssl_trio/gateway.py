"""One client's life: greet, judge, dial, log in, relay."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from os import getpid
from typing import TYPE_CHECKING, TypeAlias

import trio
from attrs import evolve, field, frozen

from mailssl_trio.auth.challenge import challenge
from mailssl_trio.auth.route import Authenticator, LoginAttempt, Route, Undecided
from mailssl_trio.limits.house import House
from mailssl_trio.limits.policy import LimitPolicy
from mailssl_trio.limits.stay import BANNED, Stay
from mailssl_trio.mail_session import MailSession
from mailssl_trio.nginx_words import TIMED_OUT
from mailssl_trio.observer import (
    Admitted,
    Connected,
    Ended,
    Happening,
    JudgeFailed,
    LoginFailed,
    Observer,
    ProxyRefused,
    Subject,
    Unnamed,
    UpstreamFailed,
)
from mailssl_trio.protocol.credentials import (
    Accepted,
    Credentials,
    Reason,
    Rejected,
    Verdict,
)
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Event,
    Goodbye,
    Helo,
    LoggedIn,
    Refused,
)
from mailssl_trio.protocol.failures import OF_A_JUDGE, Failure
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.proxy_header import written
from mailssl_trio.protocol.secrets import WITHHELD, quotes
from mailssl_trio.protocol.server_session import Policy, ServerSession
from mailssl_trio.protocol.smtp.server import SmtpServer
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.dial import Dialer, DialError
from mailssl_trio.transport.drain import Drain, Wait
from mailssl_trio.transport.proxied import RealIpFrom, RefusedProxyError
from mailssl_trio.transport.relay import Relay
from mailssl_trio.transport.resolver import TEMPUNAVAIL
from mailssl_trio.transport.secure import TlsLayer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire
from mailssl_trio.visits import Visit

if TYPE_CHECKING:  # it needs the extra [dns]
    from mailssl_trio.transport.client_names import ClientNames

SERVERS: Mapping[str, type[ServerSession]] = {
    "imap": ImapServer,
    "pop3": Pop3Server,
    "smtp": SmtpServer,
}

NO_SEAT = "worker_connections are not enough"

PENALISED = frozenset({Reason.AUTHENTICATIONFAILED, Reason.LIMIT})
"""Refusals that are answered ever later."""

Part: TypeAlias = Callable[[Callable[[], Awaitable[None]]], object]
"""Has something ended by somebody else, who waits for it."""

FIRST_PENALTY = 0.25
LONGEST_PENALTY = 8.0
"""Seconds before a wrong password is answered; each doubles the one before."""

BACKEND_MAY_SAY = frozenset(
    {Reason.AUTHENTICATIONFAILED, Reason.CONTACTADMIN, Reason.LIMIT}
)
"""Refusals that a client hears as the backend meant them, where it is the judge."""


@frozen
class Gateway:
    """What one virtual server does with every client."""

    protocol: str
    policy: Policy
    tls: ServerTls | None
    authenticator: Authenticator
    dialer: Dialer
    timeouts: Timeouts
    observer: Observer
    real_ip_from: RealIpFrom = field(factory=RealIpFrom)
    pass_error_message: bool = False
    """Whether clients hear the refusals of backends in their own words."""
    names: "ClientNames | None" = None
    """Who knows the names of clients; None: nobody is asked."""
    limits: LimitPolicy = field(factory=LimitPolicy)
    house: House = field(factory=House)

    def welcome(
        self,
        wire: Wire,
        drain: Drain,
        visit: Visit,
        part: Part,
        *,
        implicit_tls: bool,
        proxied: bool = False,
    ) -> "ClientLife":
        """Begin a client's life on a wire that has just been accepted.

        ``proxied`` is one that a PROXY header comes on before everything else.
        ``part`` sees to the closing of backends that have failed the client.
        """
        session = SERVERS[self.protocol](
            self.policy,
            implicit_tls=implicit_tls,
            challenge=partial(challenge, self.policy.server_name),
        )
        client = Connection(session, wire, self._layer(), self.timeouts, drain)
        stay = Stay(self.house, self.limits, self.protocol, visit)
        return ClientLife(
            self, client, session, stay, visit.subject, part, proxied=proxied
        )

    def _layer(self) -> TlsLayer | None:
        """Return what a handshake takes that begins with this client."""
        if self.tls is None:
            return None
        return TlsLayer(
            self.tls.context,
            judge=self.tls.judge,
            server_name=self.tls.server_name,
            verified=self.tls.verified,
        )


class ClientLife:
    """A client from greeting to goodbye."""

    def __init__(
        self,
        gateway: Gateway,
        client: Connection,
        session: ServerSession,
        stay: Stay,
        subject: Subject,
        part: Part,
        *,
        proxied: bool = False,
    ) -> None:
        self.gateway = gateway
        self.client = client
        self.session = session
        self.stay = stay
        self.subject = subject
        self._part = part
        self.upstream: Connection | None = None
        self._proxied = proxied
        self._wrong_passwords = 0

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
            self.subject.tls = self.client.session.tls
            match event:
                case Authenticate() as question:
                    admit = partial(self._admit, question)
                    if (verdict := await self.client.while_busy(admit)) is not None:
                        self.client.answer(event, verdict)
                case LoggedIn() if self.upstream is not None:
                    return self._session(self.upstream)
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
                for connection in filter(None, (self.client, self.upstream)):
                    if not connection.is_closed_at_once():
                        nursery.start_soon(connection.close)
        finally:
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

    async def _admit(self, question: Authenticate) -> Verdict:
        """Judge, and log in at the backend; a wrong password waits ever longer."""
        credentials, subject = question.credentials, self.subject
        subject.attempts += 1
        subject.mechanism = question.mechanism
        subject.login, subject.upstream = credentials.authcid, ""
        subject.failure = Failure.ABORTED_BY_CLIENT  # unless it stays for the verdict
        verdict: Verdict
        async with self.stay.turn(subject.login) as barred:
            if barred is not None:
                subject.failure, verdict = Failure.AUTH_FAILED, barred
            else:
                verdict = await self._judge(question)
            if isinstance(verdict, Rejected):
                text = _tellable(verdict.text, credentials)
                self._tell(LoginFailed(evolve(verdict, text=text)))
                self.stay.ceases()
                if verdict.reason is Reason.AUTHENTICATIONFAILED:
                    self.stay.failed(credentials)
                await self._make_wait(verdict)
            else:
                self.stay.succeeded(subject.login)
            return verdict

    async def _judge(self, question: Authenticate) -> Verdict:
        """Have the judge decide, and the backend if it lets the user in."""
        credentials, subject = question.credentials, self.subject
        attempt = LoginAttempt(
            credentials,
            self.gateway.protocol,
            self._introduction(question.helo),
            self.client.session.tls,
            subject.attempts,
            subject.proxied,
        )
        match await self.gateway.authenticator.judge(attempt):
            case Route() as route:
                return await self._begin(route, attempt.client)
            case Undecided(detail):
                self._tell(JudgeFailed(_tellable(detail, credentials)))
                subject.failure = Failure.INTERNAL_FAILURE
                return Rejected(Reason.UNAVAILABLE)
            case rejected:
                subject.failure = OF_A_JUDGE[rejected.reason]
                return rejected

    def _introduction(self, helo: Helo) -> Introduction:
        """Say who the client is, as far as it is known by now."""
        subject = self.subject
        return Introduction(
            client=subject.client,
            client_port=subject.client_port,
            server=subject.server_address,
            server_port=subject.server_port,
            host=subject.client_host,
            session=f"{getpid()}-{subject.number}",
            helo=helo.name,
            esmtp=helo.esmtp,
        )

    async def _make_wait(self, rejected: Rejected) -> None:
        """Let the time pass that the judge wants, or else one of our own."""
        if rejected.wait is not None:
            await trio.sleep(rejected.wait)
        elif rejected.reason in PENALISED or rejected is BANNED:
            penalty = FIRST_PENALTY * 2**self._wrong_passwords
            self._wrong_passwords += 1
            await trio.sleep(min(penalty, LONGEST_PENALTY))

    async def _begin(self, route: Route, client: Introduction) -> Verdict:
        """Log in at the backend, unless the user has too many sessions already.

        Only who knows the password is told: where the backend judges, it is asked
        first, and guesses take up no session of the user's.
        """
        user = route.credentials.authcid
        if route.judged and (too_many := self.stay.begins(user)) is not None:
            self.subject.failure = Failure.CONNECTION_LIMIT
            return too_many
        verdict = await self._log_in(route, client)
        if self.upstream is None or route.judged:
            return verdict
        if (too_many := self.stay.begins(user)) is not None:
            self.subject.failure = Failure.CONNECTION_LIMIT
            unwanted, self.upstream = self.upstream, None
            self._part(unwanted.close)
            return too_many
        return verdict

    async def _log_in(self, route: Route, client: Introduction) -> Verdict:
        """Log in at the backend; only a login that succeeds keeps its connection."""
        if not self.stay.takes_backend():
            return self._unavailable(NO_SEAT, Failure.INTERNAL_FAILURE)
        self.subject.upstream = str(route.upstream.address)
        try:
            upstream = await self.gateway.dialer.open(
                route.upstream,
                route.credentials,
                client,
                self.client.session.tls,
                smtp_auth=route.smtp_auth,
            )
        except DialError as failed:
            self.subject.action = failed.action
            return self._unavailable(str(failed), Failure.UPSTREAM_CONNECT_FAILED)
        try:
            event = await upstream.next_event()
            self.subject.action = _action(upstream, event)
            self.gateway.dialer.keep_session(route.upstream, upstream)
            if isinstance(event, LoggedIn):
                self.upstream = upstream
                return Accepted(event.reply, event.untagged)
        finally:
            if self.upstream is None:  # its ending is not for the client to wait for
                self._part(upstream.close)
        if isinstance(event, Refused):
            return self._refused(route, event)
        detail, failure = _why_closed(upstream, event)
        return self._unavailable(f"upstream {detail}", failure)

    def _refused(self, route: Route, refused: Refused) -> Verdict:
        """Whose fault it is depends on who was to judge."""
        reply = refused.reply if self.gateway.pass_error_message else b""
        reason = refused.rejected.reason
        if not route.judged and reason in BACKEND_MAY_SAY:
            self.subject.failure = OF_A_JUDGE[reason]
            return evolve(refused.rejected, reply=reply)
        unavailable = self._unavailable(refused.detail, refused.failure)
        return evolve(unavailable, reply=reply)

    def _unavailable(self, detail: str, failure: Failure) -> Rejected:
        self._tell(UpstreamFailed(detail))
        self.subject.failure = failure
        return Rejected(Reason.UNAVAILABLE)

    def _session(self, upstream: Connection) -> MailSession:
        """Hand over what both sides have sent ahead, and all that follows."""
        self.subject.logged_in = trio.current_time()
        self._tell(Admitted())
        relay = Relay(
            self.client.stream,
            upstream.stream,
            self.gateway.timeouts,
            to_upstream=self.client.session.trailing_data,
            to_client=upstream.session.trailing_data,
        )
        return MailSession(relay, self.subject, self.stay, self.gateway.observer)


def _tellable(said: str, credentials: Credentials) -> str:
    """Return what a log may hear of what a judge has said, who may quote anything."""
    return WITHHELD if quotes(said.encode(), credentials) else said


def _action(upstream: Connection, event: Event) -> str:
    """Say as nginx does what was being done: what was answered was being read."""
    match event:
        case Closed(Goodbye.TIMED_OUT | Goodbye.HANDSHAKE_FAILED):
            return upstream.session.action
        case _:
            return "reading response from upstream"


def _why_closed(upstream: Connection, event: Event) -> tuple[str, Failure]:
    failure = Failure.UPSTREAM_PROTOCOL_FAILURE
    match event:
        case Closed(Goodbye.HANDSHAKE_FAILED):
            return f"SSL handshake failed: {upstream.tls_failure}", failure
        case Closed(reason) if upstream.tls_failure:
            return f"{reason.value}: {upstream.tls_failure}", failure
        case Closed(Goodbye.TIMED_OUT as reason):
            return f"{reason.value} ({TIMED_OUT})", Failure.UPSTREAM_REMOTE_FAILURE
        case Closed(Goodbye.PEER_GONE as reason):
            return reason.value, Failure.UPSTREAM_REMOTE_FAILURE
        case Closed(reason):
            return reason.value, failure
        case _:
            raise RuntimeError(f"a client session said {event}")
