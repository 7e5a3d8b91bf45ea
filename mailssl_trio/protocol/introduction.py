"""The mail client that we speak for, and what its backend is told about it."""

from enum import Enum

from attrs import frozen

UNIX_CLIENT = "unix:"
"""Stands where there is no address, but a Unix socket."""

UNAVAILABLE = "[UNAVAILABLE]"
"""The name of a client that has none, or that nobody has looked up."""


@frozen
class Introduction:
    """What there is to tell about a client."""

    client: str = UNIX_CLIENT
    """Address without port; ``unix:`` for a Unix socket."""
    client_port: int = 0
    server: str = UNIX_CLIENT
    """Our own address, to which it connected."""
    server_port: int = 0
    host: str = UNAVAILABLE
    """Its name by DNS, as XCLIENT wants it."""
    session: str = ""
    """By which name our log knows it."""
    helo: bytes = b""
    """SMTP: what it called itself; empty if it said neither HELO nor EHLO."""
    esmtp: bool = False
    """SMTP: whether it said EHLO."""


class XClient(Enum):
    """The directive ``xclient``: whether backends are told for whom we speak."""

    OFF = "off"
    IF_OFFERED = "if offered"
    """Those are told that say they understand it: where nobody has set it."""
    ON = "on"
    """SMTP backends must take it, or there is no login: one that does not would hold
    its client for us, whom it may trust."""


@frozen
class ProxyPolicy:
    """How one virtual server deals with its backends."""

    xclient: XClient = XClient.OFF
    smtp_auth: bool = True
    """``proxy_smtp_auth``: whether we log in to an SMTP backend with a password."""
    proxy_buffer: int | None = None
    """Octets of the longest reply before the login is over; None: as usual."""
