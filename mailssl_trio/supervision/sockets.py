"""The listening sockets: the supervisor's, for all its workers, across reloads.

One socket an address. Clients queue in the kernel at a socket, not at a process, so
as long as it is open nobody is refused, whichever workers come and go.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from socket import AF_UNIX, socket

from attrs import define, field, frozen

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Listen, VirtualServer
from mailssl_trio.messages import Door
from mailssl_trio.transport.listening import (
    ListenError,
    SocketAddress,
    listen,
    resolve,
)
from mailssl_trio.transport.socket_options import SocketOptions


@frozen(eq=False)
class Opened:
    """A socket that listens."""

    address: SocketAddress
    options: SocketOptions
    """What it was opened with."""
    socket: socket
    file: tuple[int, int] | None = None
    """Device and inode of a Unix socket's file."""

    def serves(self, address: SocketAddress, options: SocketOptions) -> bool:
        """Whether this socket can be what is wanted."""
        is_there = self.file is None or self.file == _file(str(address.name[0]))
        return (
            address == self.address
            and is_there
            and not self.options.is_another_socket(options)
        )

    def close(self) -> None:
        """Let nobody in any more, and leave no file behind that is ours."""
        self.socket.close()
        path = str(self.address.name[0])
        if self.file is not None and _file(path) == self.file:
            with suppress(OSError):
                os.unlink(path)


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@define
class Sockets:
    """Every address that is listened on."""

    _open: list[Opened] = field(factory=list, init=False)

    async def open(self, servers: Sequence[VirtualServer]) -> tuple[Door, ...]:
        """Return the doors of these servers, opening those that are not open yet.

        Those that are get the parameters they have by now. Raises StartError, and has
        opened nothing then.
        """
        before = list(self._open)
        doors: list[Door] = []
        taken: dict[SocketAddress, SocketOptions] = {}
        try:
            for number, server in enumerate(servers):
                for wanted in server.listens:
                    doors += await self._doors(number, server, wanted, taken)
        except BaseException:
            self._close([one for one in self._open if one not in before])
            raise
        for one in before:
            if one.address in taken:
                taken[one.address].apply(one.socket)
                one.socket.listen(taken[one.address].backlog)
        return tuple(doors)

    async def _doors(
        self,
        number: int,
        server: VirtualServer,
        wanted: Listen,
        taken: dict[SocketAddress, SocketOptions],
    ) -> list[Door]:
        doors: list[Door] = []
        try:
            for port in wanted.ports:
                for address in await resolve(wanted.host, port):
                    if address in taken:
                        text = f"{address}, of {wanted}, has another `listen` already"
                        raise ListenError(text, denied=False)
                    taken[address] = wanted.options
                    opened = await self._opened(address, wanted.options)
                    descriptor = opened.socket.fileno()
                    doors.append(
                        Door(number, wanted.ssl, descriptor, wanted.proxy_protocol)
                    )
        except ListenError as error:
            text = f"{server.name}: {error}"
            raise StartError(text, denied=error.denied) from None
        return doors

    async def _opened(self, address: SocketAddress, options: SocketOptions) -> Opened:
        """Return the socket of an address, new if there is none."""
        for one in self._open:
            if one.serves(address, options):
                return one
        beside = [one.socket for one in self._open if address.is_beside(one.address)]
        listening = await listen(address, options, beside)
        file = _file(str(address.name[0])) if address.family == AF_UNIX else None
        opened = Opened(address, options, listening, file)
        self._open.append(opened)
        return opened

    def keep(self, doors: Iterable[Door]) -> None:
        """Close what is not among these doors."""
        kept = {door.descriptor for door in doors}
        self._close([one for one in self._open if one.socket.fileno() not in kept])

    def _close(self, some: Iterable[Opened]) -> None:
        for one in tuple(some):
            self._open.remove(one)
            one.close()
