"""Who may log in, and where they go: the question, and its two answers."""

from typing import Protocol, TypeAlias

from attrs import frozen

from mailssl_trio.protocol.credentials import (
    BackendCredentials,
    Credentials,
    Rejected,
)
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.transport.upstream import Upstream


@frozen
class LoginAttempt:
    """All that a judge may want to know."""

    credentials: Credentials
    protocol: str
    """``imap``, ``pop3`` or ``smtp``."""
    client_address: str
    """IP address without port; ``unix:`` for a Unix socket."""
    tls: TlsInfo | None
    number: int = 1
    """1 for the first attempt on its connection."""


@frozen
class Route:
    """The attempt is good: log in there, with these credentials."""

    upstream: Upstream
    credentials: BackendCredentials
    judged: bool
    """Whether we know the user. If not, the backend judges, and its refusal is the
    user's fault; if so, its refusal is a fault of the set-up."""


Judgement: TypeAlias = Route | Rejected


class Authenticator(Protocol):
    """Decides about login attempts. May wait; is cancelled when the client leaves."""

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        """Return where to log in, or why not."""
        ...
