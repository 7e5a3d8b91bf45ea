"""What no backend gets: a credential before TLS, our trust, or our log."""

import pytest

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import ClientSession, GiveUpError
from mailssl_trio.protocol.credentials import Password, Reason
from mailssl_trio.protocol.events import (
    Closed,
    Dialogue,
    Goodbye,
    LoggedIn,
    Refused,
    StartTls,
    TlsInfo,
)
from mailssl_trio.protocol.secrets import WITHHELD
from tests.transcript import play

JOE = Password(b"joe", b'tan"sta\\af')
LIMIT = 40


class Toy(ClientSession):
    """A protocol that says all it has as soon as it is greeted."""

    def log_in(self) -> Dialogue[LoggedIn]:
        greeting = yield from self.read_reply_line(LIMIT)
        if greeting != b"hello":
            raise self.invalid(greeting)
        if self.starttls:
            yield from self.start_tls()
        response = sasl.decode(*self.responses("PLAIN"))
        self.send(self.credentials.authcid + b" " + response[-3:] + b"\r\n")
        reply = yield from self.read_reply_line(LIMIT)
        if reply != b"yes":
            raise self.refused(reply, Reason.AUTHENTICATIONFAILED)
        return LoggedIn(reply + b"\r\n")


class Hasty(ClientSession):
    """A protocol that forgets to wait for TLS."""

    def log_in(self) -> Dialogue[LoggedIn]:
        yield from self.read_reply_line(LIMIT)
        self.send(self.credentials.authcid)
        return LoggedIn()


class HastySasl(ClientSession):
    """The same, in an exchange."""

    def log_in(self) -> Dialogue[LoggedIn]:
        yield from self.read_reply_line(LIMIT)
        self.send(*self.responses("PLAIN"))
        return LoggedIn()


def test_a_login_is_the_last_event_but_one() -> None:
    play(
        lambda: Toy(JOE),
        r"""
        S: hello
        C: joe \af
        S: yes
        ? LoggedIn(b"yes\r\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_tls_that_was_asked_for_comes_before_the_credentials() -> None:
    play(
        lambda: Toy(JOE, starttls=True),
        r"""
        S: hello
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: joe \af
        S: yes
        ? LoggedIn(b"yes\r\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_implicit_tls_comes_before_the_greeting() -> None:
    told = 'upstream refused the login: "no"'
    play(
        lambda: Toy(JOE, implicit_tls=True),
        rf"""
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: hello
        C: joe \af
        S: no
        ? Refused(Rejected(Reason.AUTHENTICATIONFAILED), {told!r})
        ? Closed(Goodbye.REFUSED)
        """,
    )


@pytest.mark.parametrize("kind", [Hasty, HastySasl])
def test_no_credential_is_to_be_had_before_starttls(kind: type[ClientSession]) -> None:
    session = kind(JOE, starttls=True)
    session.receive_data(b"hello\r\n")
    with pytest.raises(RuntimeError, match="a credential towards a backend before TLS"):
        session.next_event()
    assert session.data_to_send() == b""


def test_no_credential_is_to_be_had_before_implicit_tls() -> None:
    session = Toy(JOE, implicit_tls=True)
    with pytest.raises(RuntimeError, match="a credential towards a backend before TLS"):
        _ = session.credentials
    question = session.next_event()
    assert isinstance(question, StartTls)
    session.answer(question, TlsInfo("TLSv1.3"))
    session.next_event()
    assert session.credentials is JOE


def test_credentials_are_free_where_nobody_asked_for_tls() -> None:
    assert Toy(JOE).credentials is JOE


def test_injected_octets_behind_the_go_ahead_end_it_without_credentials() -> None:
    play(
        lambda: Toy(JOE, starttls=True),
        """
        S: hello
        S: yes
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,
        cuts=(1 << 20,),
    )


def test_a_backend_that_leaves_has_refused_nobody() -> None:
    play(lambda: Toy(JOE), "S~ hell\nS! EOF\n? Closed(Goodbye.PEER_GONE)")


def test_an_endless_line_is_given_up() -> None:
    session = Toy(JOE)
    session.receive_data(b"x" * LIMIT)
    refused = session.next_event()
    assert isinstance(refused, Refused)
    assert refused.rejected.reason is Reason.UNAVAILABLE
    assert refused.detail == "upstream sent too long response line"
    assert session.next_event() == Closed(Goodbye.REFUSED)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"* what", "* what"),
        (b"\xff\xc3\xa9", "�é"),
        (b'-ERR unknown: PASS tan"sta\\af', WITHHELD),
        (b'a BAD LOGIN "tan\\"sta\\\\af"', WITHHELD),
        (b"500 AGpvZQB0YW4ic3RhXGFm?", WITHHELD),
        (b"501 dGFuInN0YVxhZg==", WITHHELD),
    ],
)
def test_the_operator_reads_what_a_backend_said_but_no_password(
    line: bytes, told: str
) -> None:
    session = Toy(JOE)
    session.receive_data(line + b"\r\n")
    refused = session.next_event()
    while not isinstance(refused, Refused):
        refused = session.next_event()
    assert refused.detail == f'upstream sent invalid response: "{told}"'


def test_an_empty_password_hides_nothing() -> None:
    session = Toy(Password(b"joe", b""))
    assert session.without_us(b"-ERR no") == "-ERR no"


def test_giving_up_is_a_temporary_failure_unless_stated() -> None:
    assert GiveUpError("silence").reason is Reason.UNAVAILABLE


def test_a_session_has_no_login_of_its_own() -> None:
    session = ClientSession(JOE)
    session.hang_up(Goodbye.TIMED_OUT)
    assert session.next_event() == Closed(Goodbye.TIMED_OUT)
    with pytest.raises(NotImplementedError):
        ClientSession(JOE).next_event()
