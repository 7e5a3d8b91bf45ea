"""Connecting to an address, by the shortest way that it allows.

An address that is written as one needs no lookup and no race: one non-blocking
connect(2), and a wait only if the system cannot say at once.
"""

import socket
from errno import EINPROGRESS
from functools import lru_cache
from ipaddress import ip_address
from os import strerror

import trio

from mailssl_trio.transport.address import TcpAddress, UnixAddress

REMEMBERED = 1024
"""Hosts that need not be read again."""


async def connect(address: TcpAddress | UnixAddress, patience: float) -> socket.socket:
    """Return a socket that is connected within so many seconds, and does not block.

    Every address that a name has is tried, by the rules of RFC 8305, until one
    answers. Raises TooSlowError, OSError, and UnicodeError for what cannot be a name.
    """
    match address:
        case UnixAddress(path):
            return await _connected(socket.AF_UNIX, str(path), patience)
        case TcpAddress(host, port) if (family := _family(host)) is not None:
            return await _connected(family, (host, port), patience)
        case TcpAddress(host, port):
            with trio.fail_after(patience):
                stream = await trio.open_tcp_stream(host, port)
            return socket.socket(fileno=stream.socket.detach())


@lru_cache(REMEMBERED)
def _family(host: str) -> socket.AddressFamily | None:
    """Return the family of an address, None for a name or what needs a lookup."""
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    if "%" in host:  # a scope is a name, too
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


async def _connected(
    family: socket.AddressFamily, where: str | tuple[str, int], patience: float
) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM)
    try:
        connecting.setblocking(False)
        error = connecting.connect_ex(where)
        if error == EINPROGRESS:
            with trio.fail_after(patience):
                await trio.lowlevel.wait_writable(connecting)
            error = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, strerror(error))
    except BaseException:
        connecting.close()
        raise
    return connecting
