"""POP3 facing the backend: RFC 1939, 2449, 2595 and 5034 as transcripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol.client_session import MAX_REPLY_LINES
from mailssl_trio.protocol.credentials import Accepted, Password, Reason, Rejected
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Goodbye,
    LoggedIn,
    NeedData,
    Refused,
    StartTls,
)
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from tests.conversation import converse
from tests.transcript import play

MROSE = Password(b"mrose", b"tanstaaf")
TEST = Password(b"test", b"test", b"test")
LONG = Password(b"tim", b"x" * 178)


def client(
    credentials: Password = MROSE, *, implicit_tls: bool = False, starttls: bool = False
) -> Pop3Client:
    return Pop3Client(credentials, implicit_tls=implicit_tls, starttls=starttls)


def in_the_clear() -> Pop3Client:
    return client()


def by_stls() -> Pop3Client:
    return client(starttls=True)


def given_up(detail: str) -> str:
    """Say in a script that the backend is given up."""
    return f"? Refused(Rejected(Reason.UNAVAILABLE), {detail!r})"


def invalid(line: str) -> str:
    """Say in a script that the backend is given up for this line."""
    return given_up(f'upstream sent invalid response: "{line}"')


def refused(line: str, reason: str = "AUTHENTICATIONFAILED") -> str:
    """Say in a script that the backend refused the credentials."""
    detail = f'upstream refused the login: "{line}"'
    return f"? Refused(Rejected(Reason.{reason}), {detail!r})"


def test_user_and_pass_at_a_server_that_knows_nothing_else() -> None:
    """RFC 1939 section 7, with the CAPA of later days."""
    play(
        in_the_clear,
        """
        S: +OK POP3 server ready
        C: CAPA
        S: -ERR unknown command
        C: USER mrose
        S: +OK mrose is a real hoopy frood
        C: PASS tanstaaf
        S: +OK mrose's maildrop has 2 messages (320 octets)
        ? LoggedIn(b"+OK mrose's maildrop has 2 messages (320 octets)\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_user_and_pass_go_together_where_pipelining_is_offered() -> None:
    """RFC 2449 section 6.6."""
    play(
        in_the_clear,
        """
        S: +OK POP3 server ready
        C: CAPA
        S: +OK Capability list follows
        S: TOP
        S: pipelining
        S: SASL CRAM-MD5
        S: .
        C: USER mrose
        C: PASS tanstaaf
        S: +OK send PASS
        S: +OK ready
        ? LoggedIn(b"+OK ready\\r\\n")
        """,
    )


def test_both_replies_are_read_where_pipelining_was_used() -> None:
    play(
        in_the_clear,
        f"""
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S: PIPELINING
        S: .
        C: USER mrose
        C: PASS tanstaaf
        S: -ERR never heard of mrose
        S: -ERR USER first
        C: QUIT
        {refused("-ERR USER first")}
        """,
    )


def test_a_refused_user_sends_no_password() -> None:
    play(
        in_the_clear,
        f"""
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S: .
        C: USER mrose
        S: -ERR sorry, no mailbox for mrose here
        C: QUIT
        {refused("-ERR sorry, no mailbox for mrose here")}
        ? Closed(Goodbye.REFUSED)
        """,
    )


def test_auth_plain_in_one_round_trip() -> None:
    """RFC 5034 section 6."""
    play(
        lambda: client(TEST),
        """
        S: +OK pop.example.com BlurdyBlurp POP3 server ready
        C: CAPA
        S: +OK List of capabilities follows
        S: SASL DIGEST-MD5 GSSAPI PLAIN
        S: STLS
        S: IMPLEMENTATION BlurdyBlurp POP3 server
        S: .
        C: AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=
        S: +OK Maildrop locked and ready
        ? LoggedIn(b"+OK Maildrop locked and ready\\r\\n")
        """,
    )


def test_stls_comes_first_where_it_was_asked_for() -> None:
    """RFC 2595 section 4; what was true before is asked again."""
    play(
        lambda: client(TEST, starttls=True),
        """
        S: +OK POP3 server ready
        C: STLS
        S: +OK Begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: CAPA
        S: +OK
        S: SASL PLAIN
        S: .
        C: AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=
        S: +OK
        ? LoggedIn(b"+OK\\r\\n")
        """,
    )


def test_implicit_tls_comes_before_the_greeting() -> None:
    play(
        lambda: client(implicit_tls=True),
        """
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: +OK POP3 server ready
        C: CAPA
        """,
    )


LONG_PLAIN = "AHRpbQB4" + "eHh4" * 59


def test_a_response_too_long_for_a_command_goes_on_its_own_line() -> None:
    """RFC 5034 section 4, whose limit is RFC 2449's 255 octets."""
    play(
        lambda: client(LONG),
        f"""
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S: SASL PLAIN
        S: .
        C: AUTH PLAIN
        S~ + \\r\\n
        C: {LONG_PLAIN}
        S: +OK
        ? LoggedIn(b"+OK\\r\\n")
        """,
    )


def test_a_refusal_in_place_of_the_invitation_is_the_backends_answer() -> None:
    play(
        lambda: client(LONG),
        """
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S: SASL PLAIN
        S: .
        C: AUTH PLAIN
        S: -ERR [SYS/PERM] mechanism too weak
        C: QUIT
        ? Refused(Rejected(Reason.CONTACTADMIN), 'upstream refused the login: "-ERR [SYS/PERM] mechanism too weak"')
        """,  # noqa: E501 - as the log has it
    )


def test_base64_brings_the_longest_command_to_253_octets() -> None:
    for length, said in ((177, 253), (178, 12)):
        session = client(Password(b"u", b"x" * length))
        session.receive_data(b"+OK\r\n+OK\r\nSASL PLAIN\r\n.\r\n")
        assert session.next_event() == NeedData()
        assert len(session.data_to_send().removeprefix(b"CAPA\r\n")) == said


def test_an_invitation_that_is_none_gets_no_credentials() -> None:
    play(
        lambda: client(LONG),
        f"""
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S: SASL PLAIN
        S: .
        C: AUTH PLAIN
        S: +OK go on
        {invalid("+OK go on")}
        """,
    )


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("-ERR [AUTH] wrong", "AUTHENTICATIONFAILED"),
        ("-ERR [SYS/TEMP] later", "UNAVAILABLE"),
        ("-ERR [SYS/PERM] never", "CONTACTADMIN"),
    ],
)
def test_a_refusal_is_followed_by_a_polite_quit(reply: str, reason: str) -> None:
    """RFC 3206 section 4."""
    play(
        lambda: client(TEST),
        f"""
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S: SASL PLAIN
        S: .
        C: AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=
        S: {reply}
        C: QUIT
        {refused(reply, reason)}
        ? Closed(Goodbye.REFUSED)
        """,
    )


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (b"-ERR busy\r\n", 'upstream sent invalid response: "-ERR busy"'),
        (b"220 smtp\r\n", 'upstream sent invalid response: "220 smtp"'),
        (b"+OK " + b"x" * 4092, "upstream sent too long response line"),
        (b"+OK\r\n+OK\r\n" + b"x" * 4096, "upstream sent too long response line"),
        (
            b"+OK\r\n+OK\r\n" + b"X\r\n" * MAX_REPLY_LINES,
            "upstream sent too many lines",
        ),
        (b"+OK\r\n\xff\r\n", 'upstream sent invalid response: "\ufffd"'),
        (b"+OK\r\n-ERR\r\n* OK\r\n", 'upstream sent invalid response: "* OK"'),
    ],
)
def test_a_backend_that_is_no_pop3_server_is_given_up(said: bytes, detail: str) -> None:
    session = in_the_clear()
    session.receive_data(said)
    assert session.next_event() == Refused(Rejected(Reason.UNAVAILABLE), detail)


def test_a_listing_of_as_many_lines_as_allowed_is_read() -> None:
    session = in_the_clear()
    session.receive_data(
        b"+OK\r\n+OK\r\n" + b"X\r\n" * (MAX_REPLY_LINES - 1) + b".\r\n"
    )
    assert session.next_event() == NeedData()
    assert session.data_to_send() == b"CAPA\r\nUSER mrose\r\n"


def test_a_backend_that_leaves_is_no_login() -> None:
    play(
        in_the_clear,
        """
        S: +OK POP3 server ready
        C: CAPA
        S: +OK
        S! EOF
        ? Closed(Goodbye.PEER_GONE)
        """,
    )


@pytest.mark.parametrize("reply", ["-ERR not now", "+OKAY", "+", ""])
def test_no_go_ahead_no_credentials(reply: str) -> None:
    play(
        by_stls,
        f"""
        S: +OK POP3 server ready
        C: STLS
        S: {reply}
        {invalid(reply)}
        """,
    )


def test_plaintext_behind_the_go_ahead_ends_it_before_the_handshake() -> None:
    play(
        by_stls,
        """
        S: +OK POP3 server ready
        C: STLS
        S: +OK go
        S: +OK
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,
        cuts=(1 << 20,),
    )


replies = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([b"+OK", b"-ERR", b".", b"SASL PLAIN", b"PIPELINING", b"+ "]),
)


@given(st.lists(replies, max_size=20))
def test_no_lie_gets_a_credential_before_tls(lies: list[bytes]) -> None:
    session = by_stls()
    session.receive_data(b"".join(lie + b"\r\n" for lie in lies))
    event = session.next_event()
    assert session.data_to_send() in {b"", b"STLS\r\n"}
    assert isinstance(event, NeedData | StartTls | Refused | Closed)


def pop3_server(
    starttls: StartTlsMode, mechanisms: tuple[str, ...], words: tuple[str, ...] = ()
) -> Pop3Server:
    return Pop3Server(Policy("mx", starttls, mechanisms, words))


WELCOME = b"+OK maildrop has 2 messages\r\n"


@pytest.mark.parametrize("words", [("USER",), ("USER", "PIPELINING")])
@pytest.mark.parametrize("mechanisms", [(), ("LOGIN",), ("PLAIN", "LOGIN")])
@pytest.mark.parametrize("mode", list(StartTlsMode))
@pytest.mark.parametrize("credentials", [MROSE, LONG, Password(b"a b", b" %s \xff")])
def test_client_and_server_understand_each_other(
    words: tuple[str, ...],
    mechanisms: tuple[str, ...],
    mode: StartTlsMode,
    credentials: Password,
) -> None:
    starttls = mode is not StartTlsMode.OFF
    ours, theirs = converse(
        client(credentials, starttls=starttls),
        pop3_server(mode, mechanisms, words),
        Accepted(WELCOME),
    )
    upgrade = [StartTls()] if starttls else []
    assert ours.events == [*upgrade, LoggedIn(WELCOME)]
    assert theirs.events == [*upgrade, Authenticate(credentials), LoggedIn(WELCOME)]


@pytest.mark.parametrize(
    ("reason", "heard"),
    [
        (Reason.AUTHENTICATIONFAILED, Reason.AUTHENTICATIONFAILED),
        (Reason.UNAVAILABLE, Reason.UNAVAILABLE),
        (Reason.PRIVACYREQUIRED, Reason.AUTHENTICATIONFAILED),
        (Reason.CONTACTADMIN, Reason.CONTACTADMIN),
    ],
)
def test_a_reason_is_understood_as_far_as_there_is_a_code(
    reason: Reason, heard: Reason
) -> None:
    ours, theirs = converse(
        in_the_clear(), pop3_server(StartTlsMode.OFF, ("PLAIN",)), Rejected(reason)
    )
    refused_, closed = ours.events
    assert isinstance(refused_, Refused)
    assert refused_.rejected == Rejected(heard)
    assert closed == Closed(Goodbye.REFUSED)
    assert theirs.events[-1] == Closed(Goodbye.QUIT)


def test_client_without_tls_gets_nowhere_where_tls_is_required() -> None:
    ours, theirs = converse(
        in_the_clear(), pop3_server(StartTlsMode.ONLY, ("PLAIN",)), Accepted(WELCOME)
    )
    assert isinstance(ours.events[0], Refused)
    assert theirs.events == [Closed(Goodbye.QUIT)]
