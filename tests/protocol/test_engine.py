"""The engine: lines and octets in, the order of an upgrade, and every way to end."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol.engine import HangUp, LineTooLongError, Session
from mailssl_trio.protocol.events import (
    NEED_DATA,
    Closed,
    Dialogue,
    Event,
    Goodbye,
    StartTls,
    TlsInfo,
)

LIMIT = 8
TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", "mail.example")


class Parrot(Session):
    """Repeats what it hears, in brackets."""

    def dialogue(self) -> Dialogue[Goodbye]:
        self.send(b"hello\n")
        while True:
            match (yield from self.read_line(LIMIT)):
                case b"TLS":
                    yield from self.start_tls(b"go\n")
                case b"THREE":
                    self.send(b"<" + (yield from self.read_octets(3)) + b">\n")
                case b"BYE":
                    return Goodbye.QUIT
                case b"CRASH":
                    raise ZeroDivisionError
                case line:
                    self.send(b"[" + line + b"]\n")

    def farewell(self, reason: Goodbye) -> bytes:
        return f"bye: {reason.value}\n".encode()


class ParrotInTls(Parrot):
    implicit_tls = True


def said(session: Session, *heard: bytes) -> tuple[bytes, Event]:
    """Return what is said to this, and the event behind it."""
    event = session.next_event()
    for data in heard:
        session.receive_data(data)
        event = session.next_event()
    return session.data_to_send(), event


def greeted(session: Session) -> Session:
    assert said(session) == (b"hello\n", NEED_DATA)
    return session


def secured(session: Session) -> Session:
    event = session.next_event()
    assert isinstance(event, StartTls)
    session.answer(event, TLS)
    return session


def test_nothing_is_said_before_the_driver_asks() -> None:
    session = Parrot()
    assert session.data_to_send() == b""
    greeted(session)
    assert session.data_to_send() == b""


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        (b"a\r\n", b"[a]\n"),
        (b"a\n", b"[a]\n"),
        (b"\r\n", b"[]\n"),
        (b"a\r\r\n", b"[a\r]\n"),
        (b"a\rb\n", b"[a\rb]\n"),
        (b"a\nb\nc", b"[a]\n[b]\n"),
        (b"1234567\n", b"[1234567]\n"),
        (b"123456\r\n", b"[123456]\n"),
        (b"THREE\nx\ny\n", b"<x\ny>\n[]\n"),
    ],
)
def test_a_line_ends_at_its_line_feed_and_loses_one_carriage_return(
    heard: bytes, answer: bytes
) -> None:
    assert said(Parrot(), heard) == (b"hello\n" + answer, NEED_DATA)


@given(st.lists(st.binary(min_size=1, max_size=5), max_size=12))
def test_segments_mean_nothing(segments: list[bytes]) -> None:
    try:
        whole = said(Parrot(), b"".join(segments) or b"x")
    except LineTooLongError:
        with pytest.raises(LineTooLongError):
            said(Parrot(), *segments)
    else:
        assert said(Parrot(), *(segments or [b"x"])) == whole


@pytest.mark.parametrize("heard", [[b"12345678"], [b"1"] * 8, [b"1234567\r\n"]])
def test_a_line_is_too_long_at_its_limit_line_end_included(heard: list[bytes]) -> None:
    with pytest.raises(LineTooLongError):
        said(Parrot(), *heard)


def test_the_limit_of_one_line_is_not_another_s() -> None:
    words, event = said(Parrot(), b"1234", b"567\n123456", b"7\n")
    assert words == b"hello\n[1234567]\n[1234567]\n"
    assert event == NEED_DATA


@pytest.mark.parametrize("unfinished", [b"", b"half", b"THREE\nab"])
def test_a_peer_that_leaves_is_answered_what_it_asked_and_closed(
    unfinished: bytes,
) -> None:
    session = greeted(Parrot())
    session.receive_data(b"a\n" + unfinished)
    session.receive_data(b"")
    assert session.next_event() == Closed(Goodbye.PEER_GONE)
    assert session.data_to_send() == b"[a]\nbye: peer closed connection\n"


def test_what_was_not_consumed_is_kept_for_others() -> None:
    session = greeted(Parrot())
    session.receive_data(b"BYE\nand more")
    assert session.next_event() == Closed(Goodbye.QUIT)
    assert session.trailing_data == b"and more"
    assert session.data_to_send() == b""


def test_the_go_ahead_is_said_before_the_handshake_and_nothing_after_it() -> None:
    session = greeted(Parrot())
    session.receive_data(b"TLS\n")
    assert session.next_event() == StartTls()
    assert session.data_to_send() == b"go\n"
    assert session.tls is None
    assert said(secured(session)) == (b"", NEED_DATA)
    assert session.tls is TLS
    assert said(session, b"a\n") == (b"[a]\n", NEED_DATA)


@pytest.mark.parametrize("behind", [b"a\n", b"x", b"\x16\x03\x01"])
def test_plaintext_behind_the_request_ends_it_without_the_go_ahead(
    behind: bytes,
) -> None:
    session = greeted(Parrot())
    session.receive_data(b"TLS\n" + behind)
    assert session.next_event() == Closed(Goodbye.PIPELINED_STARTTLS)
    assert session.data_to_send() == b"bye: sent plaintext behind STARTTLS\n"
    assert session.tls is None


def test_a_driver_that_reads_during_the_upgrade_is_found_out() -> None:
    session = greeted(Parrot())
    session.receive_data(b"TLS\n")
    event = session.next_event()
    session.receive_data(b"plaintext\n")
    assert isinstance(event, StartTls)
    session.answer(event, TLS)
    with pytest.raises(RuntimeError, match="plaintext during the upgrade"):
        session.next_event()


@pytest.mark.parametrize(
    "reason", [Goodbye.BAD_CERTIFICATE, Goodbye.CERTIFICATE_REQUIRED]
)
def test_a_peer_whose_certificate_is_refused_is_not_listened_to(
    reason: Goodbye,
) -> None:
    session = ParrotInTls()
    event = session.next_event()
    assert isinstance(event, StartTls)
    session.answer(event, evolve(TLS, refused=reason))
    assert said(session) == (f"bye: {reason.value}\n".encode(), Closed(reason))
    assert said(session, b"a\n") == (b"", Closed(reason))
    assert session.trailing_data == b"a\n"


def test_implicit_tls_comes_before_the_first_word() -> None:
    session = ParrotInTls()
    assert said(session) == (b"", StartTls())
    greeted(secured(session))


def test_octets_before_implicit_tls_end_it_in_silence() -> None:
    session = ParrotInTls()
    session.receive_data(b"a\n")
    assert said(session) == (b"", Closed(Goodbye.PIPELINED_STARTTLS))


def test_a_question_stands_until_it_is_answered() -> None:
    session = greeted(Parrot())
    session.receive_data(b"TLS\n")
    assert session.next_event() is session.next_event()
    assert session.data_to_send() == b"go\n"


def test_an_answer_to_what_was_not_asked_is_a_bug_of_ours() -> None:
    session = greeted(Parrot())
    with pytest.raises(RuntimeError, match="was not asked"):
        session.answer(StartTls(), TLS)


def test_an_equal_question_is_not_the_one_that_was_asked() -> None:
    session = greeted(Parrot())
    session.receive_data(b"TLS\n")
    assert session.next_event() == StartTls()
    with pytest.raises(RuntimeError, match="was not asked"):
        session.answer(StartTls(), TLS)


def test_hanging_up_before_the_greeting_leaves_only_the_farewell() -> None:
    session = Parrot()
    session.hang_up(Goodbye.BUSY)
    assert said(session) == (
        b"bye: too many connections\n",
        Closed(Goodbye.BUSY),
    )


def test_hanging_up_twice_says_the_first_reason_once() -> None:
    session = greeted(Parrot())
    session.hang_up(Goodbye.TIMED_OUT)
    session.hang_up(Goodbye.SHUTTING_DOWN)
    assert said(session) == (b"bye: timed out\n", Closed(Goodbye.TIMED_OUT))
    assert said(session) == (b"", Closed(Goodbye.TIMED_OUT))


def test_hanging_up_on_one_who_waits_for_tls_says_nothing_in_the_clear() -> None:
    session = greeted(Parrot())
    session.receive_data(b"TLS\n")
    session.next_event()
    assert session.data_to_send() == b"go\n"
    session.hang_up(Goodbye.HANDSHAKE_FAILED)
    assert said(session) == (b"", Closed(Goodbye.HANDSHAKE_FAILED))


def test_hanging_up_before_implicit_tls_says_nothing_either() -> None:
    session = ParrotInTls()
    session.hang_up(Goodbye.BUSY)
    assert said(session) == (b"", Closed(Goodbye.BUSY))


def test_hanging_up_in_tls_says_farewell_in_tls() -> None:
    session = greeted(secured(ParrotInTls()))
    session.hang_up(Goodbye.SHUTTING_DOWN)
    assert said(session)[0] == b"bye: shutting down\n"


def test_a_dialogue_that_crashed_can_still_apologise() -> None:
    session = greeted(Parrot())
    session.receive_data(b"CRASH\n")
    with pytest.raises(ZeroDivisionError):
        session.next_event()
    session.hang_up(Goodbye.INTERNAL_ERROR)
    closed = Closed(Goodbye.INTERNAL_ERROR)
    assert said(session) == (b"bye: internal error\n", closed)
    assert said(session) == (b"", closed)


def test_hang_up_from_within_carries_its_reason() -> None:
    assert HangUp(Goodbye.BUSY).reason is Goodbye.BUSY
    assert str(HangUp(Goodbye.BUSY)) == "too many connections"


def test_a_session_has_no_words_and_no_farewell_of_its_own() -> None:
    session = Session()
    assert session.farewell(Goodbye.BUSY) == b""
    with pytest.raises(NotImplementedError):
        session.next_event()
