"""One login attempt after the other: judged, and carried out at the backend."""

from collections.abc import Awaitable, Callable
from os import getpid
from typing import TypeAlias

import trio
from attrs import evolve

from mailssl_trio.auth.route import LoginAttempt, Route, Undecided
from mailssl_trio.gateway import Gateway
from mailssl_trio.limits.stay import BANNED, Stay
from mailssl_trio.logs.nginx_words import TIMED_OUT
from mailssl_trio.observer import (
    Happening,
    JudgeFailed,
    LoginFailed,
    Subject,
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
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.protocol.secrets import WITHHELD, quotes
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.dial import DialError

NO_SEAT = "worker_connections are not enough"

PENALISED = frozenset({Reason.AUTHENTICATIONFAILED, Reason.LIMIT})
"""Refusals that are answered ever later."""

FIRST_PENALTY = 0.25
LONGEST_PENALTY = 8.0
"""Seconds before a wrong password is answered; each doubles the one before."""

BACKEND_MAY_SAY = frozenset(
    {Reason.AUTHENTICATIONFAILED, Reason.CONTACTADMIN, Reason.LIMIT}
)
"""Refusals that a client hears as the backend meant them, where it is the judge."""

Part: TypeAlias = Callable[[Callable[[], Awaitable[None]]], object]
"""Has something ended by somebody else, who waits for it."""


class Admission:
    """The logins of one client, until one of them succeeds."""

    def __init__(
        self, gateway: Gateway, subject: Subject, stay: Stay, part: Part
    ) -> None:
        """``part`` sees to the closing of backends that have failed the client."""
        self.gateway = gateway
        self.subject = subject
        self.stay = stay
        self.upstream: Connection | None = None
        """The backend that has let the user in."""
        self._part = part
        self._wrong_passwords = 0

    def _tell(self, happening: Happening) -> None:
        self.gateway.observer.tell(self.subject, happening)

    async def admit(self, question: Authenticate) -> Verdict:
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
            self.subject.tls,
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
                self.subject.tls,
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
