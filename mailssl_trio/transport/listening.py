"""Accepting clients: sockets to listen on, and a wire for each who comes.

Two sockets of ours may have the same port where one has the wildcard address, or
where one is about to take the other's place: the kernel gives each client to the
socket whose address is the most exact. It opens the second only if both have
SO_REUSEPORT meanwhile. The first of a program is opened without it, so that a port
which another program has is still refused.
"""

import errno
import logging
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager

import trio
from attrs import frozen

from mailssl_trio.transport.socket_options import SocketOptions
from mailssl_trio.transport.unreachable import why_unreachable
from mailssl_trio.transport.wire import Wire

UNIX = "unix:"
"""Before the path of a Unix socket; and what stands for every client of one."""

MODE = 0o666
"""nginx's: who may come is a matter of the directory."""

PATIENCE = 2.0
RETRY = 0.1
"""Seconds for which an address in use is tried, and between two tries; as nginx."""

PAUSE = 0.1
"""Seconds until accepting is tried again where the system is short of something."""

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})

ACCEPT_LOOP = logging.getLogger(__name__)
"""Hears of shortages at every try."""

DEFAULTS = SocketOptions()


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
    """Address without port; ``unix:`` for all who come by a Unix socket."""
    client_port: int
    server: str
    """The address it connected to."""
    server_port: int

    @property
    def door(self) -> str:
        """Address and port of ours, as they are written."""
        return written(self.server, self.server_port)


@frozen
class SocketAddress:
    """An address as bind(2) takes it."""

    family: socket.AddressFamily
    name: tuple[str | int | bytes, ...]
    """Host and port; for IPv6 flow label and scope too; or the path alone."""

    def __str__(self) -> str:
        if self.family == socket.AF_UNIX:
            return f"{UNIX}{self.name[0]!s}"
        return written(str(self.name[0]), int(self.name[1]))

    @property
    def port(self) -> int:
        """The port; 0 for a path."""
        return 0 if self.family == socket.AF_UNIX else int(self.name[1])

    def is_beside(self, other: "SocketAddress") -> bool:
        """Whether the system would not open both, unless they are friends."""
        wildcards = {self.name[0], other.name[0]} & {"0.0.0.0", "::"}
        return 0 != self.port == other.port and (
            self.name[0] == other.name[0] or bool(wildcards)
        )


def written(host: str, port: int) -> str:
    """Write an address as ``listen`` has it."""
    if host.startswith(UNIX):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def resolve(host: str, port: int) -> list[SocketAddress]:
    """Return every address that ``host`` has. Raises ListenError."""
    if host.startswith(UNIX):
        return [SocketAddress(socket.AF_UNIX, (host.removeprefix(UNIX),))]
    try:
        found = await trio.socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as error:
        raise _cannot_listen(written(host, port), error) from None
    addresses = (SocketAddress(family, name) for family, *_, name in found)
    return list(dict.fromkeys(addresses))


async def listen(
    address: SocketAddress,
    options: SocketOptions = DEFAULTS,
    beside: Collection[socket.socket] = (),
) -> socket.socket:
    """Listen on an address, if need be beside sockets of ours. Raises ListenError.

    One that is in use is tried again for a moment: where a program was killed, its
    workers are about to leave it.
    """
    deadline = trio.current_time() + PATIENCE
    while True:
        try:
            with _friends(beside):
                return _listen(address, options, is_beside=bool(beside))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or trio.current_time() > deadline:
                raise _cannot_listen(str(address), error) from None
        await trio.sleep(RETRY)


@contextmanager
def _friends(sockets: Collection[socket.socket]) -> Iterator[None]:
    """Let somebody who asks for it share the ports of these sockets."""
    for one in sockets:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        yield
    finally:
        for one in sockets:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def _listen(
    address: SocketAddress, options: SocketOptions, *, is_beside: bool
) -> socket.socket:
    with ExitStack() as undo:
        listening = _socket(address.family, options)
        undo.callback(listening.close)
        listening.setblocking(False)
        options.apply(listening)
        if address.family == socket.AF_UNIX:
            _bind_path(listening, str(address.name[0]))
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, is_beside)
            if address.family == socket.AF_INET6:
                only = options.ipv6only
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
            listening.bind(address.name)
        listening.listen(options.backlog)
        if is_beside:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        undo.pop_all()
        return listening


def _socket(family: socket.AddressFamily, options: SocketOptions) -> socket.socket:
    if options.multipath and family != socket.AF_UNIX:
        try:
            return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
        except OSError:
            pass  # the system has none; the check of the configuration has said so
    return socket.socket(family, socket.SOCK_STREAM)


def _bind_path(listening: socket.socket, path: str) -> None:
    """Make the socket in the file system, in place of one that nobody listens at."""
    try:
        listening.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or not _is_stale(path):
            raise
        os.unlink(path)
        listening.bind(path)
    os.chmod(path, MODE)


def _is_stale(path: str) -> bool:
    """Whether a path is a socket, and a connection to it is refused."""
    if not stat.S_ISSOCK(os.stat(path).st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.setblocking(False)
        return visitor.connect_ex(path) == errno.ECONNREFUSED


def _cannot_listen(where: str, error: OSError) -> ListenError:
    denied = error.errno in {errno.EACCES, errno.EPERM}
    reason = error.strerror or str(error)
    return ListenError(f"bind() to {where} failed ({reason})", denied=denied)


async def serve_wires(
    listening: socket.socket,
    serve: Callable[[Newcomer], Awaitable[None]],
    nursery: trio.Nursery,
    linger: float,
) -> None:
    """Accept until cancelled; each client is a task in ``nursery``.

    One at a time, then the others' turn: workers that share a socket share its
    clients. Where the system has nothing left to accept with, it waits for better
    times, and the log hears of it.
    """
    with listening:
        while True:
            await trio.lowlevel.wait_readable(listening)
            try:
                accepted, _ = listening.accept()
            except BlockingIOError:
                continue  # another process was faster
            except OSError as error:
                if error.errno in SHORTAGES:
                    ACCEPT_LOOP.error("accept() failed (%s)", why_unreachable(error))
                    await trio.sleep(PAUSE)
                continue  # whoever it was has gone
            try:
                newcomer = _newcomer(accepted, linger)
            except OSError:  # it has gone before we could look at it
                accepted.close()
            else:
                nursery.start_soon(serve, newcomer)


def _newcomer(accepted: socket.socket, linger: float) -> Newcomer:
    ours = accepted.getsockname()
    wire = Wire(accepted, linger, keepalive=None)  # it has that of its listening socket
    if accepted.family == socket.AF_UNIX:
        return Newcomer(wire, UNIX, 0, f"{UNIX}{ours}", 0)
    client = accepted.getpeername()
    return Newcomer(wire, client[0], client[1], ours[0], ours[1])
