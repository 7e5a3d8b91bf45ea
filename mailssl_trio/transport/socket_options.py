"""What ``listen`` says of a socket, besides its address.

The system hands these options down to each connection that is accepted.
"""

import socket
from contextlib import suppress

from attrs import frozen

BACKLOG = 511  # nginx's, listen(2)


@frozen
class Keepalive:
    """Probes that find out whether a silent peer is still there; 0: the system's."""

    is_on: bool = True
    idle: int = 0
    """Seconds until the first probe."""
    interval: int = 0
    """Seconds between probes."""
    probes: int = 0
    """Unanswered probes to the end."""

    def apply(self, to: socket.socket) -> None:
        """Set the options of a TCP socket."""
        to.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, self.is_on)
        for option, value in (
            (socket.TCP_KEEPIDLE, self.idle),
            (socket.TCP_KEEPINTVL, self.interval),
            (socket.TCP_KEEPCNT, self.probes),
        ):
            with suppress(OSError):  # of multipath TCP in some systems
                to.setsockopt(
                    socket.IPPROTO_TCP, option, value or _systems_own(to.family, option)
                )


OWN_KEEPALIVE = Keepalive(idle=120, interval=30, probes=5)
"""Ours where nothing else is said: five minutes without an answer are an end."""


def _systems_own(family: int, option: int) -> int:
    with socket.socket(family) as fresh:
        return fresh.getsockopt(socket.IPPROTO_TCP, option)


@frozen(kw_only=True)
class SocketOptions:
    """The parameters of ``listen``."""

    backlog: int = BACKLOG
    rcvbuf: int | None = None
    sndbuf: int | None = None
    """Octets; None is the system's own."""
    ipv6only: bool = True
    keepalive: Keepalive = OWN_KEEPALIVE
    multipath: bool = False

    def apply(self, to: socket.socket) -> None:
        """Set what may change while a socket listens."""
        for option, value in (
            (socket.SO_RCVBUF, self.rcvbuf),
            (socket.SO_SNDBUF, self.sndbuf),
        ):
            if value is not None:
                to.setsockopt(socket.SOL_SOCKET, option, value)
        if to.family != socket.AF_UNIX:
            self.keepalive.apply(to)

    def is_another_socket(self, other: "SocketOptions") -> bool:
        """Whether a socket cannot get from one to the other while it listens."""
        return (self.ipv6only, self.multipath) != (other.ipv6only, other.multipath)


def has_multipath() -> bool:
    """Whether the system has Multipath TCP (RFC 8684)."""
    try:
        socket.socket(proto=socket.IPPROTO_MPTCP).close()
    except OSError:
        return False
    return True
