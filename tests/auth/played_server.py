"""An auth server whose every octet the test decides."""

import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import trio
from attrs import define, field

from mailssl_trio.auth.http_server import AuthServer
from mailssl_trio.transport.address import TcpAddress

OK = b"Auth-Status: OK\r\nAuth-Server: 192.0.2.9\r\nAuth-Port: 143\r\n"

Play: TypeAlias = Callable[["Visit"], Awaitable[None]]


@define
class Visit:
    """One connection to the server, and what was asked over it."""

    stream: trio.abc.Stream
    wire: trio.SocketStream
    requests: list[bytes]
    _received: bytearray = field(factory=bytearray)

    async def request(self) -> bool:
        """Read a request; False if no other comes."""
        while b"\r\n\r\n" not in self._received:
            if not (data := await self.stream.receive_some()):
                return False
            self._received += data
        head, _, rest = self._received.partition(b"\r\n\r\n")
        self.requests.append(bytes(head))
        self._received = bytearray(rest)
        return True

    async def say(self, octets: bytes) -> None:
        """Say something."""
        await self.stream.send_all(octets)

    async def gone(self) -> None:
        """Wait until the client has gone."""
        while await self.stream.receive_some():
            pass

    async def reset(self) -> None:
        """Break off without a goodbye."""
        self.wire.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        await trio.aclose_forcefully(self.wire)


@define
class Played:
    """The server, and all that it was asked."""

    server: AuthServer
    requests: list[bytes] = field(factory=list)
    visits: int = 0
    left: int = 0
    """Connections that are over."""


@asynccontextmanager
async def played(play: Play) -> AsyncIterator[Played]:
    """Serve on a port of our own, a visit at a time for each connection."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    told = Played(AuthServer(TcpAddress("127.0.0.1", port), "127.0.0.1", "/auth"))

    async def visit(stream: trio.SocketStream) -> None:
        told.visits += 1
        try:
            await play(Visit(stream, stream, told.requests))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client has had enough
        finally:
            told.left += 1
            await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, visit, [listener])
        try:
            yield told
        finally:
            nursery.cancel_scope.cancel()


def answering(headers: bytes = OK, version: bytes = b"1.1", body: bytes = b"") -> Play:
    """Answer every request alike, as long as the client asks."""
    length = b"Content-Length: %d\r\n" % len(body)
    answer = b"HTTP/%s 200 OK\r\n%s%s\r\n%s" % (version, length, headers, body)

    async def play(visit: Visit) -> None:
        while await visit.request():
            await visit.say(answer)

    return play


def saying(*octets: bytes) -> Play:
    """Answer the first request so, piece by piece, and go."""

    async def play(visit: Visit) -> None:
        await visit.request()
        for piece in octets:
            await visit.say(piece)
            await trio.sleep(0.01)

    return play
