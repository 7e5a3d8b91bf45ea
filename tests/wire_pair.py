"""Two ends of a connection within this process, as the program itself has them."""

import socket

from mailssl_trio.transport.wire import Wire

LINGER = 0.1

OPENED: list[Wire] = []
"""Ends that are closed behind each test (``tests/conftest.py``)."""


def wire_pair() -> tuple[Wire, Wire]:
    """Return two ends of a Unix socket, ours and the peer's.

    What one sends is there for the other at once, so virtual time passes between them
    as it does in memory.
    """
    ours, theirs = (Wire(end, LINGER) for end in socket.socketpair())
    OPENED.extend((ours, theirs))
    return ours, theirs


def clog(wire: Wire) -> None:
    """Fill what lies between a wire and a peer that reads nothing."""
    while not wire.send_now(bytes(4096)):
        pass
