"""After login: octets go both ways as they are, until somebody ends it.

The ending is asymmetric. When the backend ends, its octets are delivered and the
session is over. When the client ends, that is passed on if the backend's stream can
carry it, and the backend has ``linger`` seconds of silence to finish its answer.
A stream that breaks is never made to look like one that ended.

A relay can be left at any moment and run again: what has been read and not sent is
kept. That is how a session in which nobody speaks does without tasks (``parked``).
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

LITTLE = 16_384
"""Octets that are passed on by whoever watches; for more there is a task."""

SILENCE = 2.0
"""Seconds without a word on either side that make a session a silent one."""

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


class Way:
    """One direction: what has been read and not been sent, and how much went."""

    __slots__ = ("carried", "is_broken", "sink", "source", "unsent")

    unsent: bytes | memoryview

    def __init__(self, source: Line, sink: Line, first: bytes) -> None:
        self.source = source
        self.sink = sink
        self.unsent = first
        self.carried = 0
        self.is_broken = False
        """The source has failed when nobody waited for it."""

    async def read(self) -> bool:
        """Wait for octets, and send what goes at once; False if the source has ended.

        Raises BrokenResourceError for the source alone; see ``send``.
        """
        if self.is_broken:
            raise trio.BrokenResourceError("it has failed before")
        size = await self.source.receive_into(ROOM)
        if size:
            self.unsent = ROOM[:size]
        return size > 0

    def send(self) -> None:
        """Send what goes at once, and keep the rest. Raises BrokenResourceError."""
        data, self.unsent = self.unsent, b""
        rest = self.sink.send_now(data)
        self.carried += len(data) - len(rest)
        self.unsent = bytes(rest)


class Relay:
    """Two lines that have become one session."""

    __slots__ = (
        "_client_reads", "_down", "_ended_by", "_outcome", "_patience", "_quiet",
        "_stirred", "_up", "timeouts",
    )  # fmt: skip

    def __init__(
        self,
        client: Line,
        upstream: Line,
        timeouts: Timeouts,
        to_upstream: bytes = b"",
        to_client: bytes = b"",
    ) -> None:
        """``to_upstream`` and ``to_client`` are here already, and go first."""
        self.timeouts = timeouts
        self._up = Way(client, upstream, to_upstream)
        self._down = Way(upstream, client, to_client)
        self._client_reads = True
        self._outcome = Outcome.IDLE
        self._ended_by: Side | None = None
        self._patience = timeouts.relay
        self._quiet = trio.CancelScope()
        self._stirred = trio.current_time()

    @property
    def lines(self) -> tuple[Line, Line]:
        """The client's and the backend's."""
        return self._up.source, self._up.sink

    def begin(self) -> bool:
        """Send at once what is here already; return whether that was all."""
        sent = self._sends_at_once(self._up) and self._sends_at_once(self._down)
        return sent and not any(line.holds_octets for line in self.lines)

    def pass_on(self, descriptor: int) -> bool:
        """Carry what has come without waiting; return whether that was all.

        Most of what is said in a session is a line and an answer, and needs no task.
        For what it cannot do it returns False, and ``run`` finds it where it was.
        """
        way = self._up if descriptor == self._up.source.socket.fileno() else self._down
        try:
            size = way.source.receive_now(ROOM)
        except trio.WouldBlock:
            return False
        except trio.BrokenResourceError:
            way.is_broken = True
            return False
        if size is None:
            return True
        if not size:
            if way is self._down:
                self._note(Side.UPSTREAM)
                self._outcome = Outcome.FINISHED
            return False
        way.unsent = ROOM[:size]
        self._stirred = trio.current_time()
        return self._sends_at_once(way) and size <= LITTLE

    def _sends_at_once(self, way: Way) -> bool:
        data = bytes(way.unsent)
        try:
            way.send()
        except trio.BrokenResourceError:
            way.unsent = data  # so that the task meets it again
        return not way.unsent

    async def run(self) -> Ending | None:
        """Relay until the end, or None: until nobody has spoken for a while.

        Closes neither line.
        """
        if self._outcome is Outcome.FINISHED and self.is_silent:
            return self.ending(Outcome.FINISHED)
        if self.patience_ends <= trio.current_time():
            return self.ending(Outcome.IDLE)
        self._quiet = trio.CancelScope()
        self._set_deadline()
        with self._quiet:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._upload)
                nursery.start_soon(self._download)
        if self._outcome is Outcome.IDLE and self._goes_on:
            return None
        return self.ending(Outcome.TRUNCATED if self._down.unsent else self._outcome)

    @property
    def _goes_on(self) -> bool:
        """Whether the time that is over is not the one that a session may be silent."""
        if trio.current_time() < self._quiet.deadline:
            return True  # somebody has spoken in the last moment
        return self.is_silent and self._patience > SILENCE

    @property
    def is_silent(self) -> bool:
        """Whether nothing is left to be sent."""
        return not (self._up.unsent or self._down.unsent)

    def ending(self, outcome: Outcome) -> Ending:
        """Return what an end at this moment amounts to."""
        carried = self._up.carried, self._down.carried
        return Ending(outcome, *carried, self._ended_by or Side.US)

    async def _upload(self) -> None:
        """Carry the client's octets; after its last the backend may still answer."""
        while True:
            try:
                await self._send(self._up)
            except trio.BrokenResourceError:
                self._note(Side.UPSTREAM)
                break  # it has closed; its last words may still be on their way
            try:
                goes_on = await self._up.read()
            except trio.BrokenResourceError:
                self._note(Side.CLIENT)
                return self._end(Outcome.TRUNCATED)
            if not goes_on:
                self._note(Side.CLIENT)
                self._outcome = Outcome.FINISHED
                await self._pass_on_the_end()
                break
        self._patience = self.timeouts.linger
        return self._stir()

    async def _download(self) -> None:
        """Carry the backend's octets; after its last the session is over.

        A client that no longer reads may still have sent what the backend must get,
        so the backend's octets are then read, lest it stand still, and dropped.
        """
        while True:
            try:
                await self._send(self._down)
            except trio.BrokenResourceError:
                self._note(Side.CLIENT)
                self._client_reads = False
            try:
                goes_on = await self._down.read()
            except trio.BrokenResourceError:
                self._note(Side.UPSTREAM)
                return self._end(Outcome.TRUNCATED)
            if not goes_on:
                self._note(Side.UPSTREAM)
                return self._end(Outcome.FINISHED)

    async def _send(self, way: Way) -> None:
        """Send all that has been read, waiting only if the sink is slow."""
        if way is self._down and not self._client_reads:
            way.unsent = b""
        if way.unsent:
            way.send()
        self._stir()
        while way.unsent:
            await way.sink.wait_send_all_might_not_block()
            way.send()
            self._stir()

    async def _pass_on_the_end(self) -> None:
        upstream = self._up.sink
        if isinstance(upstream, Wire):  # TLS cannot end on one side alone
            with suppress(trio.BrokenResourceError):  # then it has ended by itself
                await upstream.send_eof()

    @property
    def descriptors(self) -> tuple[int, int]:
        """The client's socket and the backend's."""
        return self._up.source.socket.fileno(), self._up.sink.socket.fileno()

    @property
    def patience_ends(self) -> float:
        """When nobody will have spoken for too long, on Trio's clock."""
        return self._stirred + self.timeouts.relay

    def _stir(self) -> None:
        """Octets have moved: silence begins anew."""
        self._stirred = trio.current_time()
        self._set_deadline()

    def _set_deadline(self) -> None:
        """Set when it is over; a peer that reads slowly is none that is silent."""
        patience = self._patience
        if self._down.unsent:
            patience = self.timeouts.relay
        elif not self._up.unsent and patience == self.timeouts.relay:
            patience = min(patience, SILENCE)
        end = self._stirred + patience
        if not end <= self._quiet.deadline <= end + GRAIN:
            self._quiet.deadline = end + GRAIN

    def _note(self, side: Side) -> None:
        """Remember who has ended, unless the other did before."""
        self._ended_by = self._ended_by or side

    def _end(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._quiet.cancel()
