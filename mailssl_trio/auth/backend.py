"""Judging nobody: with no users file and no auth server, the backend decides."""

from attrs import frozen

from mailssl_trio.auth.route import LoginAttempt, Route
from mailssl_trio.transport.upstream import Upstream


@frozen
class BackendAuthenticator:
    """Sends everybody to one backend, to be judged there."""

    upstream: Upstream

    async def judge(self, attempt: LoginAttempt) -> Route:
        """Pass the credentials on as they came."""
        return Route(self.upstream, attempt.credentials, judged=False)
