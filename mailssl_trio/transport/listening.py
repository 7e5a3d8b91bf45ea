"""Accepting clients: sockets to listen on, and a wire for each who comes."""

import errno
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack

import trio
from attrs import frozen

from mailssl_trio.transport.wire import Wire

BACKLOG = 511  # nginx's, listen(2)

PATIENCE = 2.0
RETRY = 0.1
"""Seconds for which an address in use is tried, and between two tries; as nginx."""


class ListenError(Exception):
    """An address cannot be listened on; ``denied`` says that we may not."""

    def __init__(self, text: str, *, denied: bool) -> None:
        super().__init__(text)
        self.denied = denied


@frozen
class Newcomer:
    """A client that has just connected."""

    wire: Wire
    client: str
    """Address without port."""
    client_port: int
    server: str
    """The address it connected to."""
    server_port: int

    @property
    def door(self) -> str:
        """Address and port of ours, as they are written."""
        host = f"[{self.server}]" if ":" in self.server else self.server
        return f"{host}:{self.server_port}"


@frozen
class SocketAddress:
    """An address as bind(2) takes it."""

    family: socket.AddressFamily
    name: tuple[str | int | bytes, ...]
    """Host and port; for IPv6 flow label and scope too."""


async def resolve(host: str, port: int) -> list[SocketAddress]:
    """Return every address that ``host`` has. Raises ListenError."""
    try:
        found = await trio.socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise _cannot_listen(host, port, error) from None
    addresses = (SocketAddress(family, name) for family, *_, name in found)
    return list(dict.fromkeys(addresses))


async def listen(address: SocketAddress) -> socket.socket:
    """Listen on an address. Raises ListenError.

    One that is in use is tried again for a moment: where a program was killed, its
    workers are about to leave it.
    """
    host, port = str(address.name[0]), int(address.name[1])
    deadline = trio.current_time() + PATIENCE
    while True:
        try:
            return _listen(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or trio.current_time() > deadline:
                raise _cannot_listen(host, port, error) from None
        await trio.sleep(RETRY)


def _listen(address: SocketAddress) -> socket.socket:
    with ExitStack() as undo:
        listening = socket.socket(address.family, socket.SOCK_STREAM)
        undo.callback(listening.close)
        listening.setblocking(False)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address.name)
        listening.listen(BACKLOG)
        undo.pop_all()
        return listening


def _cannot_listen(host: str, port: int, error: OSError) -> ListenError:
    denied = error.errno in {errno.EACCES, errno.EPERM}
    reason = error.strerror or str(error)
    text = f"bind() to {host}:{port} failed ({reason})"
    return ListenError(text, denied=denied)


async def serve_wires(
    listeners: Sequence[trio.SocketListener],
    serve: Callable[[Newcomer], Awaitable[None]],
    nursery: trio.Nursery,
    linger: float,
) -> None:
    """Accept until cancelled; each client is a task in ``nursery``."""

    async def meet(stream: trio.SocketStream) -> None:
        try:
            client, server = stream.socket.getpeername(), stream.socket.getsockname()
            wire = Wire(stream, linger)
        except OSError:  # it has gone before we could look at it
            return await trio.aclose_forcefully(stream)
        await serve(Newcomer(wire, client[0], client[1], server[0], server[1]))
        return None

    await trio.serve_listeners(meet, list(listeners), handler_nursery=nursery)
