"""The listening sockets: the supervisor's, for all its workers, across reloads.

One socket an address. Clients queue in the kernel at a socket, not at a process, so
as long as it is open nobody is refused, whichever workers come and go. Those that
systemd has opened for us are used in place of sockets of our own.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from socket import AF_UNIX, socket

from attrs import define, field, frozen

from mailssl_trio.building import StartError
from mailssl_trio.config.model import SYSTEMD, Listen, VirtualServer
from mailssl_trio.messages import Door
from mailssl_trio.supervision.inherited import Inheritance
from mailssl_trio.transport.listening import (
    ListenError,
    SocketAddress,
    listen,
    resolve,
)
from mailssl_trio.transport.socket_options import BACKLOG, SocketOptions


@frozen(eq=False)
class Opened:
    """A socket that listens."""

    address: SocketAddress
    options: SocketOptions
    """What it was opened with."""
    socket: socket
    file: tuple[int, int] | None = None
    """Device and inode of a Unix socket's file."""
    is_inherited: bool = False
    """It is systemd's: it stays open, and its queue is as long as systemd has it."""

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
        if self.is_inherited:
            return
        self.socket.close()
        path = str(self.address.name[0])
        if self.file is not None and _file(path) == self.file:
            with suppress(OSError):
                os.unlink(path)

    def adopt(self, options: SocketOptions) -> None:
        """Give it the parameters that it has by now."""
        options.apply(self.socket)
        if not self.is_inherited or options.backlog != BACKLOG:
            self.socket.listen(options.backlog)


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
    _inheritance: Inheritance = field(factory=Inheritance.of)

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
                one.adopt(taken[one.address])
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
                for address in await self._addresses(wanted, port):
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

    async def _addresses(self, wanted: Listen, port: int) -> list[SocketAddress]:
        """Return where to listen: what a name stands for. Raises ListenError."""
        if not wanted.is_systemds:
            return await resolve(wanted.host, port)
        name = wanted.host.removeprefix(SYSTEMD)
        if found := self._inheritance.named(name):
            return found
        names = sorted({one.name for one in self._inheritance.sockets})
        text = f"systemd has handed down no socket named {name}"
        which = f", but {', '.join(names)}" if names else ""
        raise ListenError(f"{text}{which}", denied=False)

    async def _opened(self, address: SocketAddress, options: SocketOptions) -> Opened:
        """Return the socket of an address, new if there is none."""
        for one in self._open:
            if one.serves(address, options):
                return one
        if inherited := self._inheritance.at(address):
            opened = Opened(address, options, inherited.socket, is_inherited=True)
            opened.adopt(options)
            self._open.append(opened)
            return opened
        beside = [one.socket for one in self._open if address.is_beside(one.address)]
        listening = await listen(address, options, beside)
        file = _file(str(address.name[0])) if address.family == AF_UNIX else None
        opened = Opened(address, options, listening, file)
        self._open.append(opened)
        return opened

    def useless(self) -> Iterator[str]:
        """Close what was inherited and is not listened at; say so."""
        while self._inheritance.useless:
            yield self._inheritance.useless.pop()
        used = {one.address: one.options for one in self._open}
        for one in tuple(self._inheritance.sockets):
            if one.address not in used:
                self._inheritance.drop(one)
                yield f"no `listen` has use for {one}: it is closed"
            elif one.is_both_families and used[one.address].ipv6only:
                yield f"{one}, takes clients of IPv4, too (BindIPv6Only=)"

    def keep(self, doors: Iterable[Door]) -> None:
        """Close what is not among these doors."""
        kept = {door.descriptor for door in doors}
        self._close([one for one in self._open if one.socket.fileno() not in kept])

    def _close(self, some: Iterable[Opened]) -> None:
        for one in tuple(some):
            self._open.remove(one)
            one.close()
