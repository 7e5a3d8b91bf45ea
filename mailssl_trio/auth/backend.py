"""Judging nobody: with no users file and no auth server, the backend decides."""

from attrs import frozen

from mailssl_trio.auth.route import Judgement, LoginAttempt, Route
from mailssl_trio.protocol.credentials import Bearer, Password, Reason, Rejected
from mailssl_trio.transport.upstream import Upstream


@frozen
class BackendAuthenticator:
    """Sends everybody to one backend, to be judged there."""

    upstream: Upstream

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        """Pass the credentials on as they came."""
        match attempt.credentials:
            case Password() | Bearer() as credentials:
                return Route(self.upstream, credentials, judged=False)
            case _:  # an answer to a challenge of ours means nothing to a backend
                return Rejected(Reason.AUTHENTICATIONFAILED)
