"""The directive ``auth_http``: another server decides who may log in, and where."""

from typing import assert_never

import trio
from attrs import evolve, frozen

from mailssl_trio.auth.http_client import HttpClient
from mailssl_trio.auth.http_reply import (
    AuthHttpError,
    Backend,
    Refusal,
    Reply,
    Wait,
    read_reply,
)
from mailssl_trio.auth.http_request import request_headers
from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.auth.route import Judgement, LoginAttempt, Route, Undecided
from mailssl_trio.protocol.credentials import (
    BackendCredentials,
    Bearer,
    Envelope,
    Password,
    Reason,
    Rejected,
)
from mailssl_trio.transport.upstream import ProxySsl, Upstream

MOST_WAITS = 10
LONGEST_WAIT = 300.0
"""How often the auth server may ask to be asked again, and for how many seconds."""


@frozen
class HttpAuthenticator:
    """Judges as the auth server does; what it says wrong is nobody else's fault."""

    settings: AuthHttp
    client: HttpClient
    smtp_auth: bool = False
    """``proxy_smtp_auth``: whether an SMTP backend is given a password."""

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        """Ask the auth server."""
        try:
            return self._judgement(await self._ask(attempt), attempt)
        except AuthHttpError as error:
            return Undecided(error.about(self.settings.server.address))

    async def _ask(self, attempt: LoginAttempt) -> Refusal | Backend:
        """Ask, and ask the same again as often as it says WAIT, within bounds."""
        headers = tuple(request_headers(self.settings, attempt))
        until = trio.current_time() + LONGEST_WAIT
        for _ in range(1 + MOST_WAITS):
            answer = await self.client.ask(headers)
            reply: Reply = read_reply(answer, attempt.protocol)
            if not isinstance(reply, Wait):
                return reply
            if trio.current_time() + reply.seconds > until:
                break
            await trio.sleep(reply.seconds)
        raise AuthHttpError("sent WAIT too often, or for too long")

    def _judgement(self, reply: Refusal | Backend, attempt: LoginAttempt) -> Judgement:
        match reply:
            case Refusal(text, wait, code, challenge):
                wait_time = None if wait is None else min(float(wait), LONGEST_WAIT)
                return Rejected(
                    Reason.AUTHENTICATIONFAILED, text, code, wait_time, challenge
                )
            case Backend() as backend:
                return Route(
                    self._upstream(backend),
                    self._credentials(backend, attempt),
                    judged=True,
                    smtp_auth=backend.smtp_auth,
                )
            case _:
                assert_never(reply)

    def _upstream(self, backend: Backend) -> Upstream:
        """Secure the way as the auth server says, or else the configuration."""
        ssl, tls = backend.ssl or self.settings.proxy_ssl, self.settings.backend_tls
        if ssl is ProxySsl.OFF:
            return Upstream(backend.address)
        if tls is None:
            raise AuthHttpError("asks for TLS, and no CAs are here to verify by")
        if backend.name is not None:
            tls = evolve(tls, name=backend.name)
        return Upstream(backend.address, ssl, tls)

    def _credentials(
        self, backend: Backend, attempt: LoginAttempt
    ) -> BackendCredentials:
        """Return what the backend is given: the client's own, unless told otherwise."""
        presented = attempt.credentials
        if isinstance(presented, Envelope):
            return presented
        name = presented.authcid if backend.user is None else backend.user
        if backend.password is not None:
            return Password(name, backend.password)
        match presented:
            case Password(password=password):
                return Password(name, password)
            case Bearer(token=token, mechanism=mechanism):
                return Bearer(name, token, mechanism)
        return Password(name, self._no_password(backend, attempt.protocol))

    def _no_password(self, backend: Backend, protocol: str) -> bytes:
        """An SMTP backend needs none, as long as we do not authenticate there."""
        if protocol != "smtp":
            raise AuthHttpError("did not send password")
        given = self.smtp_auth if backend.smtp_auth is None else backend.smtp_auth
        if given:
            raise AuthHttpError("did not send password: no password available")
        return b""
