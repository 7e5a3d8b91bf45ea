"""Who may log in, and where they go: the question, and its answers."""

from typing import Protocol, TypeAlias

from attrs import frozen

from mailssl_trio.protocol.credentials import (
    BackendCredentials,
    Credentials,
    Rejected,
)
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.protocol.proxy_header import Addresses
from mailssl_trio.transport.upstream import Upstream


@frozen
class LoginAttempt:
    """All that a judge may want to know."""

    credentials: Credentials
    protocol: str
    """``imap``, ``pop3`` or ``smtp``."""
    client: Introduction
    tls: TlsInfo | None
    number: int = 1
    """1 for the first attempt on its connection."""
    proxy_addresses: Addresses | None = None
    """What a PROXY header said of the connection."""


@frozen
class Route:
    """The attempt is good: log in there, with these credentials."""

    upstream: Upstream
    credentials: BackendCredentials
    judged: bool
    """Whether we know the user. If not, the backend judges, and its refusal is the
    user's fault; if so, its refusal is a fault of the set-up."""
    smtp_auth: bool | None = None
    """SMTP: whether to authenticate there; None leaves that to ``proxy_smtp_auth``."""


@frozen
class Undecided:
    """Nobody could be asked, or what was answered is of no use."""

    detail: str
    """For the operator: what happened."""


Judgement: TypeAlias = Route | Rejected | Undecided


class Authenticator(Protocol):
    """Decides about login attempts. May wait; is cancelled when the client leaves."""

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        """Return where to log in, or why not."""
        ...
