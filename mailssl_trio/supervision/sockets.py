"""The listening sockets: the supervisor's, for all its workers, across reloads.

One socket an address. Clients queue in the kernel at a socket, not at a process, so
as long as it is open nobody is refused, whichever workers come and go.
"""

from collections.abc import Iterable, Sequence
from socket import socket

from attrs import define, field

from mailssl_trio.building import StartError
from mailssl_trio.config.model import VirtualServer
from mailssl_trio.messages import Door
from mailssl_trio.transport.listening import (
    ListenError,
    SocketAddress,
    listen,
    resolve,
)


@define
class Sockets:
    """Every address that is listened on."""

    _open: dict[SocketAddress, socket] = field(factory=dict, init=False)

    async def open(self, servers: Sequence[VirtualServer]) -> tuple[Door, ...]:
        """Return the doors of these servers, opening those that are not open yet.

        Raises StartError, and has opened nothing then.
        """
        before = frozenset(self._open)
        doors: list[Door] = []
        try:
            for number, server in enumerate(servers):
                doors += await self._doors(number, server)
        except BaseException:
            self._close(self._open.keys() - before)
            raise
        return tuple(doors)

    async def _doors(self, number: int, server: VirtualServer) -> list[Door]:
        doors: list[Door] = []
        try:
            for wanted in server.listens:
                for address in await resolve(wanted.host, wanted.port):
                    if address not in self._open:
                        self._open[address] = await listen(address)
                    descriptor = self._open[address].fileno()
                    doors.append(
                        Door(number, wanted.ssl, descriptor, wanted.proxy_protocol)
                    )
        except ListenError as error:
            text = f"{server.name}: {error}"
            raise StartError(text, denied=error.denied) from None
        return doors

    def keep(self, doors: Iterable[Door]) -> None:
        """Close what is not among these doors."""
        kept = {door.descriptor for door in doors}
        self._close(
            [
                address
                for address, listening in self._open.items()
                if listening.fileno() not in kept
            ]
        )

    def _close(self, addresses: Iterable[SocketAddress]) -> None:
        for address in tuple(addresses):
            self._open.pop(address).close()
