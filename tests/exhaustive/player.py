"""One turn of a conversation: the peer says something, the session has its say.

The player is the driver and the gateway in twenty lines. It keeps its own account of
whether TLS is up, so that no law has to believe the session about it.
"""

import re
from collections.abc import Iterable

from attrs import evolve, field, frozen

from mailssl_trio.protocol.credentials import (
    Accepted,
    Bearer,
    Credentials,
    Reason,
    Rejected,
    Verdict,
)
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import (
    NEED_DATA,
    Authenticate,
    Closed,
    Event,
    Goodbye,
    LoggedIn,
    NeedData,
    Pause,
    Refused,
    StartTls,
    TlsInfo,
)
from tests.exhaustive.alphabets import NEXT_TAG, TAG

TAGS = re.compile(rb"^G([0-9]+)(?= )", re.MULTILINE)
"""How our sessions tag commands to IMAP backends."""

HANDSHAKE = TlsInfo("TLSv1.3")
BAD_CERTIFICATE = evolve(HANDSHAKE, refused=Goodbye.BAD_CERTIFICATE)
REJECTED = Rejected(Reason.AUTHENTICATIONFAILED)
REJECTED_TOKEN = evolve(REJECTED, challenge=b"{}")


@frozen
class Otherwise:
    """Answer the ``nth`` question of a turn in another way than usual."""

    nth: int
    answer: Verdict | TlsInfo | Goodbye
    """An answer; or why we hang up where one was awaited."""


@frozen
class Turn:
    """All that a session did between two utterances of its peer."""

    in_clear: bytes
    in_tls: bytes
    questions: tuple[tuple[Event, bool], ...]
    """What was asked, each with whether TLS was up."""
    outcome: Event | None
    """LoggedIn or Refused, if it came to that."""
    ending: Goodbye | None
    unread: bytes
    """What the session was given and has not consumed."""
    heard: bytes | None = field(default=None, eq=False, repr=False)
    """What the session was given before, with the tag that was echoed."""

    @property
    def said(self) -> bytes:
        """All that was said, on either side of a handshake."""
        return self.in_clear + self.in_tls

    @property
    def logins(self) -> tuple[tuple[Credentials, bool], ...]:
        """The credentials that left the session, each with whether TLS was up."""
        return tuple(
            (asked.credentials, tls)
            for asked, tls in self.questions
            if isinstance(asked, Authenticate)
        )

    @property
    def secured(self) -> bool:
        """Whether TLS came up in this turn."""
        return any(isinstance(asked, StartTls) for asked, _ in self.questions)


class Player:
    """Drive one session, turn by turn."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.tls = False
        self.said = b""

    def begin(self) -> Turn:
        """Let the session say what it says unasked."""
        return self._turn(None, None)

    def hear(self, octets: bytes, otherwise: Otherwise | None = None) -> Turn:
        """Give the session octets, or, with none, the end of them."""
        if TAG in octets or NEXT_TAG in octets:
            tag = max(map(int, TAGS.findall(self.said)), default=0)
            octets = octets.replace(TAG, b"G%d" % tag)
            octets = octets.replace(NEXT_TAG, b"G%d" % (tag + 1))
        self.session.receive_data(octets)
        return self._turn(octets, otherwise)

    def replay(self, turns: Iterable[Turn]) -> None:
        """Come to where another session was, which had these turns."""
        session = self.session
        for turn in turns:
            if turn.heard is not None:
                session.receive_data(turn.heard)
            while (event := self._next_event()) is not NEED_DATA:
                self._answer(event, None)
        self.said = session.data_to_send()

    def _turn(self, heard: bytes | None, otherwise: Otherwise | None) -> Turn:
        session = self.session
        in_clear = in_tls = b""
        questions: list[tuple[Event, bool]] = []
        outcome: Event | None = None
        while True:
            event = self._next_event()
            if self.tls:
                in_tls += session.data_to_send()
            else:
                in_clear += session.data_to_send()
            if isinstance(event, NeedData):
                ending = None
                break
            if isinstance(event, Closed):
                ending = event.reason
                break
            if isinstance(event, LoggedIn | Refused):
                if outcome is not None:
                    raise RuntimeError(f"{event} after {outcome}")
                outcome = event
                continue
            questions.append((event, self.tls))
            if otherwise is not None and otherwise.nth == len(questions) - 1:
                self._answer(event, otherwise.answer)
            else:
                self._answer(event, None)
        self.said += in_clear + in_tls
        return Turn(
            in_clear,
            in_tls,
            tuple(questions),
            outcome,
            ending,
            session.trailing_data,
            heard,
        )

    def _next_event(self) -> Event:
        """Return what does not pass by itself, as a pause does."""
        while isinstance(event := self.session.next_event(), Pause):
            pass
        return event

    def _answer(
        self, asked: Event, unusual: Verdict | TlsInfo | Goodbye | None
    ) -> None:
        match asked, unusual:
            case _, Goodbye():
                self.session.hang_up(unusual)
            case StartTls(), None | TlsInfo():
                self.tls = True
                self.session.answer(asked, unusual or HANDSHAKE)
            case Authenticate(Bearer()), None:
                self.session.answer(asked, REJECTED_TOKEN)
            case Authenticate(), None:
                self.session.answer(asked, REJECTED)
            case Authenticate(), Accepted() | Rejected():
                self.session.answer(asked, unusual)
            case _:
                raise RuntimeError(f"no driver knows {asked}")


def play(session: Session, utterances: Iterable[bytes]) -> tuple[Turn, ...]:
    """Play a conversation from its first word, up to where it closes."""
    player = Player(session)
    turns = [player.begin()]
    for octets in utterances:
        if turns[-1].ending is not None:
            break
        turns.append(player.hear(octets))
    return tuple(turns)
