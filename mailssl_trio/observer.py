"""What happened, told by the gateway as it happens, to whoever keeps account.

Sessions never log and the driver never counts: they end with a value, and the
gateway tells it here, as one of the happenings below. An observer must neither wait
nor raise.
"""

from collections.abc import Iterable
from typing import Protocol

from attrs import define, field, frozen

from mailssl_trio.protocol.credentials import Rejected
from mailssl_trio.protocol.events import Goodbye, TlsInfo
from mailssl_trio.protocol.failures import Failure
from mailssl_trio.protocol.proxy_header import Addresses


@define
class Subject:
    """The connection that is spoken of, as far as it is known by now."""

    number: int
    """Counts connections within this process, from 1."""
    protocol: str
    client: str
    """Address without port; ``unix:`` for a Unix socket."""
    client_port: int
    server: str
    """The address and port the client connected to."""
    session: str = ""
    """Names the connection wherever it is spoken of; no other one has it, ever."""
    tls: TlsInfo | None = None
    starttls: bool = False
    """Whether TLS, where it is spoken, began in-line."""
    login: bytes = b""
    mechanism: str = ""
    """How the last login was tried, as SASL names it; ``PLAIN`` for LOGIN and PASS."""
    attempts: int = 0
    """Logins that were tried, the last one included."""
    failure: Failure = Failure.NO_ATTEMPTS
    """What became of the last login, as long as none has succeeded."""
    upstream: str = ""
    began: float = 0.0
    """On Trio's clock."""
    logged_in: float | None = None
    """When the backend let the user in, on Trio's clock; None before."""
    client_host: str = "[UNAVAILABLE]"
    """Its name by DNS, as XCLIENT wants it."""
    action: str = ""
    """What we are about to do for it, in nginx's words."""
    server_address: str = ""
    """The address alone."""
    server_port: int = 0
    proxied: Addresses | None = None
    """What a PROXY header said of the connection; whether it is believed or not."""


class Happening:
    """Something that there is to tell about a connection."""

    __slots__ = ()


@frozen
class Connected(Happening):
    """A client has connected."""


@frozen
class ProxyRefused(Happening):
    """A proxy in front of us may not say who its client is."""

    detail: str
    seen: bytes | None = field(default=None, repr=False)
    """What came in place of a header; None where there was one."""


@frozen
class Unnamed(Happening):
    """DNS has no name for a client."""

    detail: str


@frozen
class LoginFailed(Happening):
    """A login attempt came to nothing."""

    rejected: Rejected


@frozen
class JudgeFailed(Happening):
    """Nobody could be asked whether a user may log in."""

    detail: str


@frozen
class UpstreamFailed(Happening):
    """A backend did what it should not have done."""

    detail: str


@frozen
class Admitted(Happening):
    """The backend has let the user in."""


@frozen
class Relayed(Happening):
    """A logged-in session has ended."""

    outcome: str
    """In words for the log."""
    from_client: int
    from_upstream: int
    """Octets that were carried."""
    ended_by: str = "us"
    """``client``, ``upstream`` or ``us``: who was the first to end."""


@frozen
class Ended(Happening):
    """A connection has ended before its login."""

    reason: Goodbye
    detail: str = ""


@frozen
class Crashed(Happening):
    """There was an exception that nobody expected."""

    bug: Exception = field(repr=False)


class Observer(Protocol):
    """Somebody who keeps account."""

    def tell(self, subject: Subject, happening: Happening) -> None:
        """Take note of what has happened to a connection."""


class Observers:
    """Several who keep account, each of his own."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = tuple(observers)

    def tell(self, subject: Subject, happening: Happening) -> None:
        """Tell all of them."""
        for observer in self._observers:
            observer.tell(subject, happening)
