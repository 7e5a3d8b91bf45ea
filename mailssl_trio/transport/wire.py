"""One socket as a stream that ends the way a mail relay has to end.

Trio's SocketStream closes at once. A relay needs two more endings: one that lets
the peer read our last octets even though it is still sending (else the kernel
answers with a reset that destroys them), and one that tells a plaintext peer, who
has no close_notify, that what it has read is not all there was.

It is also the shortest way from the scheduler to the kernel. A read waits first, since
a mail peer has rarely spoken already; a send that fits into the kernel's queue returns
at once, without a pass through the scheduler. Whoever sends in a loop must therefore
wait for something else in it, as whoever answers or relays does.
"""

import fcntl
import select
import socket
import struct
import sys
import termios
from contextlib import suppress

import trio
from trio.lowlevel import wait_readable, wait_writable

from mailssl_trio.transport.socket_options import OWN_KEEPALIVE, Keepalive

QUEUE_POLL = 0.02
"""Seconds between two looks at a send queue that must empty before a reset."""

READ_SIZE = 65536


class Wire(trio.abc.HalfCloseableStream):
    """A TCP or Unix stream socket; ``linger`` seconds bound each of its endings.

    It takes the socket over, which must be connected and is made non-blocking. With
    None for ``keepalive`` it keeps what the system has given it.
    """

    def __init__(
        self,
        connected: socket.socket,
        linger: float,
        keepalive: Keepalive | None = OWN_KEEPALIVE,
    ) -> None:
        connected.setblocking(False)
        self.socket = connected
        self.linger = linger
        self._at_eof = False
        if connected.family in {socket.AF_INET, socket.AF_INET6}:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if keepalive is not None:
                keepalive.apply(connected)

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for octets, and return what is there; b"" at the end."""
        try:
            while True:
                await wait_readable(self.socket)
                with suppress(BlockingIOError):  # somebody else's wake-up
                    data = self.socket.recv(max_bytes or READ_SIZE)
                    self._at_eof = not data
                    return data
        except OSError as error:
            raise self._translated(error) from error

    async def receive_into(self, room: memoryview) -> int:
        """Wait for octets, and return how many are in ``room`` now; 0 at the end."""
        try:
            while True:
                await wait_readable(self.socket)
                with suppress(BlockingIOError):
                    size = self.socket.recv_into(room)
                    self._at_eof = not size
                    return size
        except OSError as error:
            raise self._translated(error) from error

    def receive_now(self, room: memoryview) -> int | None:
        """Return how many octets are in ``room``; 0 at the end, None for nothing."""
        try:
            size = self.socket.recv_into(room)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._translated(error) from error
        self._at_eof = not size
        return size

    async def wait_readable(self) -> None:
        """Wait until the peer has said something, or has gone; read nothing."""
        try:
            await wait_readable(self.socket)
        except OSError as error:
            raise self._translated(error) from error

    @property
    def holds_octets(self) -> bool:
        """Whether something has come that the socket does not tell of: never here."""
        return False

    def is_readable(self) -> bool:
        """Whether the peer has said something, or has gone; read nothing."""
        look = select.poll()
        look.register(self.socket, select.POLLIN)
        return bool(look.poll(0))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it, waiting only if the peer is slow.

        Cancelled, it leaves the wire with half of it sent.
        """
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[self.socket.send(rest) :]
                except BlockingIOError:
                    await wait_writable(self.socket)
        except OSError as error:
            raise self._translated(error) from error

    def send_now(self, data: bytes | memoryview) -> bytes | memoryview:
        """Send what the kernel takes at once; return the rest."""
        try:
            while data:
                data = data[self.socket.send(data) :]
        except BlockingIOError:
            pass
        except OSError as error:
            raise self._translated(error) from error
        return data

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for more."""
        try:
            await wait_writable(self.socket)
        except OSError as error:
            raise self._translated(error) from error

    async def send_eof(self) -> None:
        """Say that no more will come, and go on receiving."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise self._translated(error) from error

    def is_closed_at_once(self) -> bool:
        """Close if the peer has ended and has all that we sent; return whether so."""
        if not self._at_eof or self.unsent():
            return False
        self.close()
        return True

    async def aclose(self) -> None:
        """Close so that the peer can read all that we sent, whatever it still sends."""
        try:
            await self.send_eof()
            if not self._at_eof:
                with trio.move_on_after(self.linger):
                    while not self._at_eof:
                        await self.receive_some()
            await self._delivered()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the peer has gone already
        finally:
            self.close()

    async def cut(self) -> None:
        """Let the peer read all that we sent, then an error instead of an end."""
        try:
            await self._delivered()
        except OSError:
            pass  # the peer has gone already
        finally:  # cancelled, it is still a reset
            self.let_go()

    def let_go(self) -> None:
        """Close at once, unless it is closed; an end that looks like none."""
        if self.socket.fileno() >= 0:
            with suppress(OSError):
                self.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            self.close()

    def close(self) -> None:
        """Close at once; whoever waits for it is told."""
        if self.socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self.socket)
            self.socket.close()

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
        descriptor = self.socket.fileno()
        if descriptor < 0:
            return 0
        answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, b"\0" * 4)
        return int.from_bytes(answer, sys.byteorder)

    def _translated(self, error: OSError) -> Exception:
        """Return what Trio's streams raise in place of an error of the system's."""
        if self.socket.fileno() < 0:
            return trio.ClosedResourceError("this wire has been closed")
        return trio.BrokenResourceError(f"the connection is broken: {error}")
