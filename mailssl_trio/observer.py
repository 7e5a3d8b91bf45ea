"""What happened, told by the gateway as it happens, for whoever keeps account.

Sessions never log and the driver never counts: they end with a value, and the
gateway tells it here. An observer must neither wait nor raise.
"""

from typing import Protocol

from attrs import define

from mailssl_trio.protocol.credentials import Rejected
from mailssl_trio.protocol.events import Goodbye, TlsInfo
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
    tls: TlsInfo | None = None
    starttls: bool = False
    """Whether TLS, where it is spoken, began in-line."""
    login: bytes = b""
    upstream: str = ""
    began: float = 0.0
    """On Trio's clock."""
    client_host: str = "[UNAVAILABLE]"
    """Its name by DNS, as XCLIENT wants it."""
    action: str = ""
    """What we are about to do for it, in nginx's words."""
    server_address: str = ""
    """The address alone."""
    server_port: int = 0
    proxied: Addresses | None = None
    """What a PROXY header said of the connection; whether it is believed or not."""


class Observer(Protocol):
    """Everything there is to tell about a connection."""

    def connected(self, subject: Subject) -> None:
        """Tell that a client has connected."""

    def unnamed(self, subject: Subject, detail: str) -> None:
        """Tell why DNS has no name for a client."""

    def proxy_refused(self, subject: Subject, detail: str, seen: bytes | None) -> None:
        """Tell that a proxy in front of us may not say who its client is, and why.

        ``seen`` is what came in place of a header, None where there was one.
        """

    def rejected(self, subject: Subject, rejected: Rejected) -> None:
        """Tell that a login attempt came to nothing."""

    def undecided(self, subject: Subject, detail: str) -> None:
        """Tell why nobody could be asked whether a user may log in."""

    def upstream_failed(self, subject: Subject, detail: str) -> None:
        """Tell what a backend did that it should not have done."""

    def logged_in(self, subject: Subject) -> None:
        """Tell that the backend has let the user in."""

    def relayed(
        self, subject: Subject, outcome: str, from_client: int, from_upstream: int
    ) -> None:
        """Tell how a logged-in session ended, and how many octets it carried."""

    def closed(self, subject: Subject, reason: Goodbye, detail: str) -> None:
        """Tell why a connection ended before its login."""

    def crashed(self, subject: Subject, bug: Exception) -> None:
        """Tell of an exception that nobody expected."""
