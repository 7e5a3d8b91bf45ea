"""One socket as a stream that ends the way a mail relay has to end.

Trio's SocketStream closes at once. A relay needs two more endings: one that lets
the peer read our last octets even though it is still sending (else the kernel
answers with a reset that destroys them), and one that tells a plaintext peer, who
has no close_notify, that what it has read is not all there was.
"""

import fcntl
import socket
import struct
import sys
import termios
from contextlib import suppress

import trio

from mailssl_trio.transport.socket_options import OWN_KEEPALIVE, Keepalive

QUEUE_POLL = 0.02
"""Seconds between two looks at a send queue that must empty before a reset."""


class Wire(trio.abc.HalfCloseableStream):
    """A TCP or Unix stream socket; ``linger`` seconds bound each of its endings.

    With None for ``keepalive`` it keeps what the system has given it.
    """

    def __init__(
        self,
        stream: trio.SocketStream,
        linger: float,
        keepalive: Keepalive | None = OWN_KEEPALIVE,
    ) -> None:
        self.stream = stream
        self.linger = linger
        self._at_eof = False
        if stream.socket.family in {socket.AF_INET, socket.AF_INET6}:
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if keepalive is not None:
                keepalive.apply(stream.socket)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive as SocketStream does."""
        data = await self.stream.receive_some(max_bytes)
        self._at_eof = not data
        return data

    async def wait_readable(self) -> None:
        """Wait until the peer has said something, or has gone; read nothing."""
        await trio.lowlevel.wait_readable(self.stream.socket)

    def is_readable(self) -> bool:
        """Whether the peer has said something, or has gone; read nothing."""
        return self.stream.socket.is_readable()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send as SocketStream does; a cancelled send leaves the wire broken."""
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as SocketStream does."""
        await self.stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """Say that no more will come, and go on receiving."""
        await self.stream.send_eof()

    async def aclose(self) -> None:
        """Close so that the peer can read all that we sent, whatever it still sends."""
        try:
            await self.stream.send_eof()
            with trio.move_on_after(self.linger):
                while not self._at_eof:
                    await self.receive_some(65536)
            await self._delivered()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer has gone already
        finally:
            await trio.aclose_forcefully(self.stream)

    async def reset(self) -> None:
        """Let the peer read all that we sent, then an error instead of an end."""
        try:
            await self._delivered()
        except OSError:
            pass  # the peer has gone already
        finally:  # cancelled, it is still a reset
            with suppress(OSError, trio.ClosedResourceError):
                self.stream.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            await trio.aclose_forcefully(self.stream)

    async def _delivered(self) -> None:
        """Wait until the peer has taken all, or no more for ``linger`` seconds."""
        unsent = self.unsent()
        while unsent:
            with trio.move_on_after(self.linger):
                while self.unsent() >= unsent:  # noqa: ASYNC110 - no event tells
                    await trio.sleep(QUEUE_POLL)
            if self.unsent() >= unsent:
                return
            unsent = self.unsent()

    def unsent(self) -> int:
        """Octets that the peer's kernel has not taken (tcp(7), SIOCOUTQ)."""
        descriptor = self.stream.socket.fileno()
        if descriptor < 0:
            return 0
        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4)
        return int.from_bytes(answer, sys.byteorder)
