"""Sessions that are told anything, in the clear and in TLS, and what must be true then.

An input begins with an octet that says in which mode a session is; behind ``|TLS|``
stands what is said once TLS is up. It is heard whole, octet by octet, and in sevens.
"""

from collections.abc import Callable, Sequence

from attrs import evolve, field, frozen

from mailssl_trio.protocol.credentials import (
    Apop,
    Bearer,
    Credentials,
    Digest,
    Password,
    Reason,
    Rejected,
    Verdict,
)
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Event,
    Goodbye,
    LoggedIn,
    NeedData,
    Refused,
    StartTls,
    TlsInfo,
)

HANDSHAKE = TlsInfo("TLSv1.3")
BEHIND_TLS = b"|TLS|"
LONG = 1500
"""Octets of what is not heard one by one, for that takes its time."""
KEPT = 12_288 + 8_192 + 16
"""Octets that a client may make us keep: a SASL line, or a literal with its line."""
KEPT_OF_REPLIES = 65_536 + 16
"""Octets that a backend may."""


@frozen
class Mode:
    """The first octet of an input, bit by bit."""

    octet: int

    def __getitem__(self, bit: int) -> bool:
        return bool(self.octet >> bit & 1)


@frozen
class Heard:
    """All that a session did with what it heard."""

    in_clear: bytes
    in_tls: bytes
    presented: tuple[Credentials, ...]
    outcome: Event | None
    ending: Goodbye
    unread: int
    """Octets that were not consumed, or not even heard."""
    upgraded: bool
    go_ahead: bytes = field(eq=False)
    """What was said together with the request for a handshake."""
    most_kept: int = field(eq=False)
    """Octets of what a session waited with for more."""


class Listener:
    """A driver that has everything at hand, and keeps to the order of things."""

    def __init__(self, session: Session, verdicts: Sequence[Verdict]) -> None:
        self.session = session
        self.verdicts = list(verdicts)
        self.said = [bytearray(), bytearray()]
        self.go_ahead = b""
        self.presented: list[Credentials] = []
        self.outcome: Event | None = None
        self.ending: Goodbye | None = None
        self.tls = False
        self.most_kept = 0

    def hear(self, clear: Sequence[bytes], secured: Sequence[bytes]) -> Heard:
        """Give a session both, as far as it comes to that, and then the end."""
        rest = self._hear_segments([b"", *filter(None, clear)], until_tls=True)
        if self._asks_for_tls():
            if rest:  # OpenSSL gets what was meant for us
                self.session.hang_up(Goodbye.HANDSHAKE_FAILED)
            else:
                self._shake_hands()
            rest += self._hear_segments([b"", *secured], until_tls=False)
        else:
            rest += list(secured)
        if self.ending is None:
            self.session.receive_data(b"")
            self._advance()
        assert self.ending is not None, "a session that goes on without a peer"
        kept = len(self.session.trailing_data)
        return Heard(
            bytes(self.said[0]),
            bytes(self.said[1]),
            tuple(self.presented),
            self.outcome,
            self.ending,
            kept + sum(map(len, rest)),
            self.tls,
            self.go_ahead,
            self.most_kept,
        )

    def _asks_for_tls(self) -> bool:
        return isinstance(self.session._event, StartTls)

    def _hear_segments(self, segments: list[bytes], *, until_tls: bool) -> list[bytes]:
        while segments:
            if self.ending is not None or (until_tls and self._asks_for_tls()):
                return segments
            if data := segments.pop(0):
                self.session.receive_data(data)
            self._advance()
            if self.ending is None:
                kept = len(self.session.trailing_data)
                self.most_kept = max(self.most_kept, kept)
        return segments

    def _shake_hands(self) -> None:
        event = self.session.next_event()
        assert isinstance(event, StartTls)
        self.tls = True
        self.session.answer(event, HANDSHAKE)

    def _advance(self) -> None:
        """Run the session until it waits for us."""
        while True:
            event = self.session.next_event()
            said = self.session.data_to_send()
            self.said[self.tls] += said
            match event:
                case NeedData():
                    return
                case StartTls():
                    self.go_ahead = said
                    return
                case Closed(reason):
                    self.ending = reason
                    return
                case Authenticate(credentials):
                    self.presented.append(credentials)
                    verdict = self.verdicts.pop(0) if self.verdicts else REJECTED
                    self.session.answer(event, verdict)
                case LoggedIn() | Refused():
                    assert self.outcome is None, "two outcomes"
                    self.outcome = event
                case _:
                    raise AssertionError(f"nobody knows {event}")


REJECTED = Rejected(Reason.AUTHENTICATIONFAILED)

Make = Callable[[], Session]


def cut(octets: bytes, size: int) -> list[bytes]:
    """Cut into pieces."""
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def heard_in_every_manner(
    make: Make, octets: bytes, verdicts: Sequence[Verdict] = ()
) -> Heard:
    """Let sessions hear it whole and in pieces, which must come to the same."""
    clear, _, secured = octets.partition(BEHIND_TLS)
    whole = Listener(make(), verdicts).hear([clear], [secured])
    size = 1 if len(octets) <= LONG else 997
    fine = Listener(make(), verdicts).hear(cut(clear, size), cut(secured, size))
    sevens = Listener(make(), verdicts).hear(cut(clear, 7), cut(secured, 7))
    for coarse in (whole, sevens):
        if coarse.ending is Goodbye.PIPELINED_STARTTLS:
            assert_nothing_was_executed(make(), coarse, fine)
        elif fine.ending is Goodbye.PIPELINED_STARTTLS:
            assert_nothing_was_executed(make(), fine, coarse)
        else:
            assert coarse == fine, (coarse, fine)
    return fine


def assert_nothing_was_executed(session: Session, coarse: Heard, fine: Heard) -> None:
    """What stands behind STARTTLS ends it: no go-ahead, and no answer to the rest."""
    farewell = session.farewell(Goodbye.PIPELINED_STARTTLS)
    assert coarse.in_clear.endswith(farewell), coarse
    before = coarse.in_clear.removesuffix(farewell)
    assert fine.in_clear.startswith(before), (coarse, fine)
    if fine.ending is not Goodbye.PIPELINED_STARTTLS and len(fine.go_ahead) < LONG:
        assert fine.upgraded or fine.ending is Goodbye.HANDSHAKE_FAILED, fine
        rest = fine.in_clear.removeprefix(before)
        assert fine.go_ahead.endswith(rest), (coarse, fine)
    assert not coarse.in_tls
    assert coarse.outcome is None
    assert coarse.presented == fine.presented[: len(coarse.presented)]


def assert_secret_is_not_shown(credentials: Credentials) -> None:
    """What is shown of credentials does not depend on the secret in them."""
    other: Credentials
    match credentials:
        case Password():
            other = evolve(credentials, password=b"another")
        case Digest():
            other = evolve(credentials, response=b"another")
        case Apop():
            other = evolve(credentials, digest=b"another")
        case Bearer():
            other = evolve(credentials, token=b"another")
        case _:
            return
    assert repr(other) == repr(credentials)
