"""Lines and octets over a stream; what was written goes out before we wait."""

import trio

from mailssl_trio.protocol.engine import HangUp, LineTooLongError
from mailssl_trio.protocol.events import Goodbye

CHUNK = 65_536
"""Octets that are read, or written, at once."""


class Wire:
    """One side of a conversation in the clear.

    No deadline is kept here: the peer is the gateway, which keeps them all, and
    whose end of the stream closes when one has passed.
    """

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._received = bytearray()
        self._searched = 0
        self._outgoing = bytearray()

    async def read_line(self, limit: int) -> bytes:
        """Return the next line without its line end; LineTooLongError beyond limit.

        A line ends at LF; one CR before it goes too. HangUp when none can come.
        """
        while (end := self._received.find(b"\n", self._searched, limit)) < 0:
            self._searched = len(self._received)
            if self._searched >= limit:
                raise LineTooLongError
            await self._receive()
        line = bytes(self._received[:end]).removesuffix(b"\r")
        self._consume(end + 1)
        return line

    async def read_some(self, most: int = CHUNK) -> bytes:
        """Return what has come, at least one octet; HangUp when none can come."""
        if not self._received:
            await self._receive()
        octets = bytes(self._received[:most])
        self._consume(len(octets))
        return octets

    async def read_octets(self, count: int) -> bytes:
        """Return exactly so many octets; HangUp when they cannot come."""
        while len(self._received) < count:
            await self._receive()
        return await self.read_some(count) if count else b""

    def push_back(self, octets: bytes) -> None:
        """Take back what was read too far."""
        self._received[:0] = octets
        self._searched = 0

    async def write(self, data: bytes) -> None:
        """Say something; it may wait until there is more, or until we must wait."""
        self._outgoing += data
        if len(self._outgoing) >= CHUNK:
            await self.flush()

    async def flush(self) -> None:
        """Put what was written on the wire."""
        if not self._outgoing:
            return
        data = bytes(self._outgoing)
        self._outgoing.clear()
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise HangUp(Goodbye.PEER_GONE) from None

    async def _receive(self) -> None:
        await self.flush()
        try:
            data = await self._stream.receive_some(CHUNK)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise HangUp(Goodbye.PEER_GONE) from None
        if not data:
            raise HangUp(Goodbye.PEER_GONE)
        self._received += data

    def _consume(self, count: int) -> None:
        del self._received[:count]
        self._searched = 0
