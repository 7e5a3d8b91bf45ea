"""Let a client session and a server session speak to each other, without a wire."""

from attrs import define, field

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Verdict
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Event,
    LoggedIn,
    NeedData,
    StartTls,
    TlsInfo,
)
from mailssl_trio.protocol.server_session import ServerSession

TURNS = 100


@define
class Speaker:
    """One side of the conversation: what it said, and the events it came to."""

    session: Session
    said: bytes = b""
    events: list[Event] = field(factory=list)

    def turn(self, verdict: Verdict) -> bytes:
        """Advance by one event, and return what was said on the way there."""
        event = self.session.next_event()
        said = self.session.data_to_send()
        self.said += said
        if not isinstance(event, NeedData):
            self.events.append(event)
        match event:
            case StartTls():
                self.session.answer(event, TlsInfo("TLSv1.3"))
            case Authenticate():
                self.session.answer(event, verdict)
        return said

    @property
    def is_done(self) -> bool:
        return bool(self.events) and isinstance(self.events[-1], LoggedIn | Closed)


def converse(
    client: ClientSession, server: ServerSession, verdict: Verdict
) -> tuple[Speaker, Speaker]:
    """Return both sides when each has logged in or hung up."""
    ours, theirs = Speaker(client), Speaker(server)
    for _ in range(TURNS):
        if not theirs.is_done and (said := theirs.turn(verdict)):
            client.receive_data(said)
        if not ours.is_done and (said := ours.turn(verdict)):
            server.receive_data(said)
        if ours.is_done and theirs.is_done:
            return ours, theirs
    raise AssertionError(f"no end after {TURNS} turns: {ours.said!r} {theirs.said!r}")
