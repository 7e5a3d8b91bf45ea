"""What every session runs on: a dialogue inside, the sans-I/O contract outside.

A protocol is a generator that yields an event whenever somebody else must act
(``Dialogue``). Around it stands the contract that h11 and websockets made usual:
``receive_data``, ``next_event``, ``data_to_send``. Nothing here reads, writes,
waits or logs, so every conversation there is can be played in a test.
"""

from typing import TypeVar, cast

from mailssl_trio.protocol.events import (
    NEED_DATA,
    Closed,
    Dialogue,
    Event,
    Goodbye,
    Pause,
    Question,
    StartTls,
    TlsInfo,
)

T = TypeVar("T")


class HangUp(Exception):  # noqa: N818 - a decision of ours, not an error
    """End the conversation from any depth of a dialogue, for a stated reason."""

    def __init__(self, reason: Goodbye) -> None:
        super().__init__(reason.value)
        self.reason = reason


class LineTooLongError(Exception):
    """More than ``limit`` octets and still no line end."""


class Session:
    """One conversation, seen from our side of it.

    Subclasses write ``dialogue()``. Whoever drives the session calls
    ``next_event()``, puts ``data_to_send()`` on the wire *before* acting on the
    event, acts, and asks again.
    """

    implicit_tls = False
    """TLS from the first octet: nothing is ever said in the clear."""

    action = ""
    """What the session is about, where the log is to say so."""

    def __init__(self) -> None:
        self.tls: TlsInfo | None = None
        self._received = bytearray()
        self._searched = 0
        self._eof = False
        self._outgoing = bytearray()
        self._upgrading = False
        self._conversation = self._until_closed()
        self._event = next(self._conversation)
        self._answer: object = None

    # The contract with the driver.

    def receive_data(self, data: bytes) -> None:
        """Take octets from the peer; ``b""`` says that it will send no more."""
        self._received += data
        self._eof = self._eof or not data

    def next_event(self) -> Event:
        """Advance to the next thing the driver must do."""
        if isinstance(self._event, Question) and self._answer is None:
            return self._event
        answer, self._answer = self._answer, None
        self._event = self._conversation.send(answer)
        return self._event

    def data_to_send(self) -> bytes:
        """Take what must be on the wire before the last event is acted upon."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def answer(self, question: Question[T], value: T) -> None:
        """Give the answer to the question that ``next_event()`` returned."""
        if question is not self._event:
            raise RuntimeError(f"{question} was not asked")
        self._answer = value

    def hang_up(self, reason: Goodbye) -> None:
        """End politely, from any point of the dialogue, even before the greeting."""
        if isinstance(self._event, Closed):
            return
        try:
            self._event = self._conversation.throw(HangUp(reason))
        except HangUp:  # the dialogue has crashed, and we are asked to apologise
            self._say_farewell(reason)
            self._conversation = _closed(reason)
            self._event = next(self._conversation)

    @property
    def is_midway(self) -> bool:
        """Whether the peer has begun something that it has not finished."""
        return bool(self._received)

    @property
    def trailing_data(self) -> bytes:
        """Received and not consumed; after LoggedIn it belongs to the relay."""
        return bytes(self._received)

    # What a dialogue is written with.

    def dialogue(self) -> Dialogue[Goodbye]:
        """Speak from the greeting on; return why the conversation is over."""
        raise NotImplementedError

    def farewell(self, reason: Goodbye) -> bytes:
        """Return the protocol's last words for a reason; nothing unless overridden."""
        return b""

    def send(self, data: bytes) -> None:
        """Queue octets for the peer."""
        self._outgoing += data

    def ask(self, question: Question[T]) -> Dialogue[T]:
        """Put a question to whoever drives us, and return the answer."""
        answer = yield question
        return cast("T", answer)

    def start_tls(self, go_ahead: bytes = b"") -> Dialogue[None]:
        """Upgrade in-line, proving that no plaintext crosses the boundary.

        The only place that yields StartTls. The receive buffer is the only place in
        the process that holds plaintext; it is empty here, and nothing is received
        until the handshake is done. What arrives in between is still in the kernel
        and meets OpenSSL, to whom it is garbage (docs/starttls.md has the proof).
        """
        if self._received:
            raise HangUp(Goodbye.PIPELINED_STARTTLS)
        self.send(go_ahead)
        self._upgrading = True
        self.tls = yield from self.ask(StartTls())
        self._upgrading = False
        if self._received:
            raise RuntimeError("the driver read plaintext during the upgrade")
        if self.tls.refused is not None:  # before anything is read, or said
            raise HangUp(self.tls.refused)

    def read_line(self, limit: int) -> Dialogue[bytes]:
        """Return the next line without its line end, of at most ``limit`` octets.

        A line ends at LF; one CR before it goes too. ``limit`` counts both. Raises
        LineTooLongError, and HangUp(PEER_GONE) when no more can come.
        """
        while (end := self._received.find(b"\n", self._searched, limit)) < 0:
            self._searched = len(self._received)  # or a trickled line costs O(n²)
            if self._searched >= limit:
                raise LineTooLongError
            yield from self._receive()
        line = bytes(self._received[:end]).removesuffix(b"\r")
        self._consume(end + 1)
        return line

    def read_octets(self, count: int) -> Dialogue[bytes]:
        """Return exactly ``count`` octets; HangUp(PEER_GONE) if they never come."""
        while len(self._received) < count:
            yield from self._receive()
        octets = bytes(self._received[:count])
        self._consume(count)
        return octets

    def hears_more(self, seconds: float) -> Dialogue[bool]:
        """Return whether the peer has said more, or does so within so many seconds."""
        if not self._received and not self._eof:
            yield Pause(seconds)
        return bool(self._received)

    def stay_silent(self, seconds: float) -> Dialogue[None]:
        """Say nothing for a while, and hang up on a peer that does not wait either."""
        if not self._received:
            yield Pause(seconds)
        if self._received:
            raise HangUp(Goodbye.EARLY_TALKER)
        if self._eof:
            raise HangUp(Goodbye.PEER_GONE)

    def _consume(self, count: int) -> None:
        del self._received[:count]
        self._searched = 0

    def _receive(self) -> Dialogue[None]:
        if self._eof:
            raise HangUp(Goodbye.PEER_GONE)
        yield NEED_DATA

    def _until_closed(self) -> Dialogue[None]:
        try:
            yield NEED_DATA  # primed, so that hang_up() may come before the greeting
            if self.implicit_tls:
                yield from self.start_tls()
            reason = yield from self.dialogue()
        except HangUp as end:
            reason = end.reason
            self._say_farewell(reason)
        yield from _closed(reason)

    def _say_farewell(self, reason: Goodbye) -> None:
        """Queue the last words, but none in the clear for a peer that awaits TLS."""
        in_clear_by_right = self.tls is not None or not self.implicit_tls
        if in_clear_by_right and not self._upgrading:
            self.send(self.farewell(reason))


def _closed(reason: Goodbye) -> Dialogue[None]:
    while True:
        yield Closed(reason)
