"""Accepting clients: sockets to listen on, and a wire for each who comes."""

import errno
from collections.abc import Awaitable, Callable, Sequence

import trio
from attrs import frozen

from mailssl_trio.transport.wire import Wire

BACKLOG = 511  # nginx's, listen(2)


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


async def open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    """Listen on every address that ``host`` has. Raises ListenError."""
    try:
        return await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
    except OSError as error:
        denied = error.errno in {errno.EACCES, errno.EPERM}
        reason = error.strerror or str(error)
        raise ListenError(
            f"bind() to {host}:{port} failed ({reason})", denied=denied
        ) from None


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
        here = f"[{server[0]}]" if ":" in server[0] else server[0]
        await serve(Newcomer(wire, client[0], client[1], f"{here}:{server[1]}"))
        return None

    await trio.serve_listeners(meet, list(listeners), handler_nursery=nursery)
