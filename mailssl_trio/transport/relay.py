"""After login: octets go both ways as they are, until somebody ends it.

The ending is asymmetric. When the backend ends, its octets are delivered and the
session is over. When the client ends, that is passed on if the backend's stream can
carry it, and the backend has ``linger`` seconds of silence to finish its answer.
A stream that breaks is never made to look like one that ended.
"""

from contextlib import suppress
from enum import Enum
from typing import TypeAlias

import trio
from attrs import field, frozen

from mailssl_trio.transport.secure import SecureStream
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire

ROOM = memoryview(bytearray(131_072))
"""Where all relays of a process put what they read. Nothing is in it while anybody
waits: what cannot be sent at once is copied. So a session keeps no buffer, however much
it has moved, and the processor's cache keeps this one."""

Line: TypeAlias = Wire | SecureStream


GRAIN = 0.1
"""Seconds by which silence may last too long: to move a deadline is work."""


class Outcome(Enum):
    """How a relay ended. The value is what the log says."""

    FINISHED = "finished"
    IDLE = "timed out"
    TRUNCATED = "connection lost"
    CUT = "ended by us"


class Side(Enum):
    """Who ended it, by being the first to end."""

    CLIENT = "client"
    UPSTREAM = "upstream"
    US = "us"


@frozen
class Ending:
    """The outcome, and how many octets went each way."""

    outcome: Outcome
    from_client: int
    from_upstream: int
    ended_by: Side = field(default=Side.US, eq=False)


class Relay:
    """Two streams that have become one session."""

    def __init__(self, client: Line, upstream: Line, timeouts: Timeouts) -> None:
        self.client = client
        self.upstream = upstream
        self.timeouts = timeouts
        self.from_client = 0
        self.from_upstream = 0
        self._outcome = Outcome.IDLE
        self._ended_by: Side | None = None
        self._patience = timeouts.relay
        self._delivering = False
        self._quiet = trio.CancelScope()

    async def run(self, to_upstream: bytes, to_client: bytes) -> Ending:
        """Relay until the end, what is already here first; close neither stream."""
        self._stir()
        with self._quiet:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._upload, to_upstream)
                nursery.start_soon(self._download, to_client)
        return self.ending(Outcome.TRUNCATED if self._delivering else self._outcome)

    def ending(self, outcome: Outcome) -> Ending:
        """Return what an end at this moment amounts to."""
        side = self._ended_by or Side.US
        return Ending(outcome, self.from_client, self.from_upstream, side)

    async def _upload(self, first: bytes) -> None:
        """Carry the client's octets; after its last the backend may still answer."""
        chunk: bytes | memoryview = first
        while True:
            self._stir()
            try:
                self.from_client += await self._send(self.upstream, chunk)
            except trio.BrokenResourceError:
                self._note(Side.UPSTREAM)
                break  # it has closed; its last words may still be on their way
            try:
                chunk = await self._receive(self.client)
            except trio.BrokenResourceError:
                self._note(Side.CLIENT)
                return self._end(Outcome.TRUNCATED)
            if not chunk:
                self._note(Side.CLIENT)
                self._outcome = Outcome.FINISHED
                await self._pass_on_the_end()
                break
        self._patience = self.timeouts.linger
        return self._stir()

    async def _download(self, first: bytes) -> None:
        """Carry the backend's octets; after its last the session is over.

        A client that no longer reads may still have sent what the backend must get,
        so the backend's octets are then read, lest it stand still, and dropped.
        """
        chunk: bytes | memoryview = first
        client_reads = True
        while True:
            self._stir()
            if client_reads:
                try:
                    self.from_upstream += await self._send(self.client, chunk)
                except trio.BrokenResourceError:
                    self._note(Side.CLIENT)
                    client_reads = self._delivering = False
            try:
                chunk = await self._receive(self.upstream)
            except trio.BrokenResourceError:
                self._note(Side.UPSTREAM)
                return self._end(Outcome.TRUNCATED)
            if not chunk:
                self._note(Side.UPSTREAM)
                return self._end(Outcome.FINISHED)

    @staticmethod
    async def _receive(line: Line) -> memoryview:
        """Return what has come; it stands in ``ROOM``, so until the next wait only."""
        return ROOM[: await line.receive_into(ROOM)]

    async def _send(self, line: Line, chunk: bytes | memoryview) -> int:
        """Send all of it, and return how much that is."""
        size = len(chunk)
        if rest := line.send_now(chunk):
            kept = bytes(rest)
            self._delivering = line is self.client
            self._stir()
            await line.send_all(kept)
            self._delivering = False
            self._stir()
        return size

    async def _pass_on_the_end(self) -> None:
        if isinstance(self.upstream, trio.abc.HalfCloseableStream):
            with suppress(trio.BrokenResourceError):  # then it has ended by itself
                await self.upstream.send_eof()

    def _stir(self) -> None:
        """Octets have moved: silence begins anew.

        A client that reads slowly is no backend that is silent.
        """
        patience = self.timeouts.relay if self._delivering else self._patience
        end = trio.current_time() + patience
        if not end <= self._quiet.deadline <= end + GRAIN:
            self._quiet.deadline = end + GRAIN

    def _note(self, side: Side) -> None:
        """Remember who has ended, unless the other did before."""
        self._ended_by = self._ended_by or side

    def _end(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._quiet.cancel()
