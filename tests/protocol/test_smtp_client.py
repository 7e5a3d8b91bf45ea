"""SMTP facing the backend: RFC 5321, 3207 and 4954 as transcripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol.client_session import MAX_REPLY_LINES
from mailssl_trio.protocol.credentials import (
    Accepted,
    Password,
    Reason,
    Rejected,
)
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Goodbye,
    Helo,
    LoggedIn,
    NeedData,
    Refused,
    StartTls,
)
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.protocol.smtp.client import SmtpClient
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.conversation import converse
from tests.transcript import play

TEST = Password(b"test", b"1234", b"test")
LONG = Password(b"tim", b"x" * 400)


def client(
    credentials: Password = TEST, *, implicit_tls: bool = False, starttls: bool = False
) -> SmtpClient:
    return SmtpClient(
        credentials,
        implicit_tls=implicit_tls,
        starttls=starttls,
        client_name="client.example.com",
    )


def in_the_clear() -> SmtpClient:
    return client()


def by_starttls() -> SmtpClient:
    return client(starttls=True)


def given_up(detail: str) -> str:
    """Say in a script that the backend is given up."""
    return f"? Refused(Rejected(Reason.UNAVAILABLE), {detail!r})"


def invalid(line: str) -> str:
    """Say in a script that the backend is given up for this line."""
    return given_up(f'upstream sent invalid response: "{line}"')


def refused(line: str, reason: str) -> str:
    """Say in a script that the backend refused the credentials."""
    detail = f'upstream refused the login: "{line}"'
    return f"? Refused(Rejected(Reason.{reason}), {detail!r})"


def test_auth_plain_under_tls_with_an_initial_response() -> None:
    """RFC 4954 section 4.1, its first example; the greeting's lines completed."""
    play(
        by_starttls,
        """
        S: 220-smtp.example.com ESMTP Server
        S: 220 at your service
        C: EHLO client.example.com
        S: 250-smtp.example.com Hello client.example.com
        S: 250-AUTH GSSAPI DIGEST-MD5
        S: 250-ENHANCEDSTATUSCODES
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: EHLO client.example.com
        S: 250-smtp.example.com Hello client.example.com
        S: 250 AUTH GSSAPI DIGEST-MD5 PLAIN
        C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
        S: 235 2.7.0 Authentication successful
        ? LoggedIn(b"235 2.7.0 Authentication successful\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_what_was_offered_before_tls_is_forgotten() -> None:
    """RFC 3207 section 4.2."""
    play(
        by_starttls,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250-AUTH PLAIN LOGIN
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 PIPELINING
        C: QUIT
        {given_up("upstream offers no login that we know")}
        ? Closed(Goodbye.REFUSED)
        """,
    )


def test_implicit_tls_comes_before_the_greeting() -> None:
    play(
        lambda: client(implicit_tls=True),
        """
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH PLAIN
        C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
        S: 235-2.7.0 Welcome
        S: 235 2.7.0 back
        ? LoggedIn(b"235-2.7.0 Welcome\\r\\n235 2.7.0 back\\r\\n")
        """,
    )


def test_auth_login_where_plain_is_not_offered() -> None:
    play(
        in_the_clear,
        """
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH LOGIN CRAM-MD5
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dGVzdA==
        S: 334 UGFzc3dvcmQ6
        C: MTIzNA==
        S: 235 2.7.0 OK
        ? LoggedIn(b"235 2.7.0 OK\\r\\n")
        """,
    )


def test_auth_login_may_be_refused_at_the_user_name() -> None:
    play(
        in_the_clear,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH LOGIN
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dGVzdA==
        S: 535 5.7.8 No such user
        C: QUIT
        {refused("535 5.7.8 No such user", "AUTHENTICATIONFAILED")}
        """,
    )


def test_a_yes_before_all_of_the_credentials_is_not_believed() -> None:
    play(
        in_the_clear,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH LOGIN
        C: AUTH LOGIN
        S: 235 2.7.0 whoever you are
        {invalid("235 2.7.0 whoever you are")}
        """,
    )


LONG_PLAIN = "AHRpbQB4" + "eHh4" * 133


def test_a_response_too_long_for_a_command_goes_on_its_own_line() -> None:
    """RFC 4954 section 4: such a client MUST NOT use the initial response."""
    play(
        lambda: client(LONG),
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH PLAIN
        C: AUTH PLAIN
        S~ 334 \\r\\n
        C: {LONG_PLAIN}
        S: 235 2.7.0 OK
        ? LoggedIn(b"235 2.7.0 OK\\r\\n")
        """,
    )


def test_base64_brings_the_longest_command_to_509_octets() -> None:
    fits = Password(b"u", b"x" * 369)
    for credentials, first in ((fits, 509), (Password(b"u", b"x" * 370), 12)):
        session = client(credentials)
        session.receive_data(b"220 x\r\n250-x\r\n250 AUTH PLAIN\r\n")
        assert session.next_event() == NeedData()
        said = session.data_to_send().removeprefix(b"EHLO client.example.com\r\n")
        assert len(said) == first


def test_a_response_that_no_server_must_read_is_not_sent() -> None:
    play(
        lambda: client(Password(b"tim", b"x" * 9_300)),
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH PLAIN
        C: QUIT
        {given_up("the credentials are too long for upstream")}
        """,
    )


def test_a_challenge_that_is_not_base64_cancels_the_exchange() -> None:
    """RFC 4954 section 4."""
    play(
        in_the_clear,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH LOGIN
        C: AUTH LOGIN
        S: 334 ok, go on
        C: *
        {invalid("334 ok, go on")}
        """,
    )


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("535 5.7.8 Authentication credentials invalid", "AUTHENTICATIONFAILED"),
        ("554 5.7.8 no", "AUTHENTICATIONFAILED"),
        ("454 4.7.0 Temporary authentication failure", "UNAVAILABLE"),
        ("421 4.3.2 shutting down", "UNAVAILABLE"),
        ("538 5.7.11 Encryption required", "UNAVAILABLE"),
        ("525 5.7.13 User Account Disabled", "CONTACTADMIN"),
    ],
)
def test_a_refusal_is_followed_by_a_polite_quit(reply: str, reason: str) -> None:
    """RFC 4954 section 6."""
    play(
        in_the_clear,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH PLAIN LOGIN
        C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
        S: {reply}
        C: QUIT
        {refused(reply, reason)}
        ? Closed(Goodbye.REFUSED)
        """,
    )


def test_the_first_line_of_a_refusal_is_the_operators() -> None:
    play(
        in_the_clear,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH PLAIN
        C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
        S: 535-5.7.8 Not accepted, see
        S: 535 5.7.8 https://support.example.com/
        C: QUIT
        {refused("535-5.7.8 Not accepted, see", "AUTHENTICATIONFAILED")}
        """,
    )


@pytest.mark.parametrize(
    "reply", ["334 ", "250 OK", "+OK", "", "235x", "235 a\0b", "235-a\r\n234 b"]
)
def test_an_answer_to_auth_that_is_none_is_given_up(reply: str) -> None:
    session = in_the_clear()
    session.receive_data(b"220 x\r\n250-x\r\n250 AUTH PLAIN\r\n")
    session.receive_data(reply.encode() + b"\r\n")
    last = reply.rpartition("\n")[2]
    assert session.next_event() == Refused(
        Rejected(Reason.UNAVAILABLE), f'upstream sent invalid response: "{last}"'
    )


@pytest.mark.parametrize(
    ("greeting", "detail"),
    [
        (b"554 5.3.2 no\r\n", 'upstream sent invalid response: "554 5.3.2 no"'),
        (b"+OK POP3 ready\r\n", 'upstream sent invalid response: "+OK POP3 ready"'),
        (b"\xff\r\n", 'upstream sent invalid response: "\ufffd"'),
        (b"554-a\r\n554 b\r\n", 'upstream sent invalid response: "554-a"'),
        (b"220-a\r\n221 b\r\n", 'upstream sent invalid response: "221 b"'),
        (b"220-x\r\n" * MAX_REPLY_LINES, "upstream sent too many lines"),
        (b"220 " + b"x" * 4092, "upstream sent too long response line"),
    ],
)
def test_a_greeting_that_is_none_is_given_up(greeting: bytes, detail: str) -> None:
    session = in_the_clear()
    session.receive_data(greeting)
    assert session.next_event() == Refused(Rejected(Reason.UNAVAILABLE), detail)
    assert session.data_to_send() == b""


def test_a_refused_ehlo_is_given_up() -> None:
    play(
        in_the_clear,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 502 5.5.1 what?
        {invalid("502 5.5.1 what?")}
        """,
    )


def test_a_backend_that_leaves_is_no_login() -> None:
    play(
        in_the_clear,
        """
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S! EOF
        ? Closed(Goodbye.PEER_GONE)
        """,
    )


def test_no_starttls_no_credentials() -> None:
    play(
        by_starttls,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 AUTH PLAIN LOGIN
        C: QUIT
        {given_up("upstream does not offer STARTTLS")}
        """,
    )


@pytest.mark.parametrize("reply", ["454 TLS not available", "250 OK", "235 come in"])
def test_no_go_ahead_no_credentials(reply: str) -> None:
    play(
        by_starttls,
        f"""
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250-AUTH PLAIN
        S: 250 STARTTLS
        C: STARTTLS
        S: {reply}
        {invalid(reply)}
        """,
    )


def test_plaintext_behind_the_go_ahead_ends_it_before_the_handshake() -> None:
    play(
        by_starttls,
        """
        S: 220 smtp.example.com
        C: EHLO client.example.com
        S: 250-smtp.example.com
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        S: 250-x
        S: 250 AUTH PLAIN
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,
        cuts=(1 << 20,),
    )


replies = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"220 x", b"220-x", b"250-x", b"250 x", b"250-STARTTLS", b"250 AUTH PLAIN",
         b"250 AUTH LOGIN", b"334 ", b"334 VXNlcm5hbWU6", b"235 x", b"535 x", b"454"]
    ),
)  # fmt: skip


@given(st.lists(replies, max_size=20))
def test_no_lie_gets_a_credential_before_tls(lies: list[bytes]) -> None:
    session = by_starttls()
    session.receive_data(b"".join(lie + b"\r\n" for lie in lies))
    event = session.next_event()
    said = session.data_to_send()
    assert b"AUTH" not in said
    assert b"MTIzNA" not in said
    assert isinstance(event, NeedData | StartTls | Refused | Closed)


def smtp_server(starttls: StartTlsMode, *mechanisms: str) -> SmtpServer:
    return SmtpServer(Policy("mx", starttls, mechanisms, ("SIZE 1000", "8BITMIME")))


WELCOME = b"235-2.7.0 Welcome\r\n235 2.7.0 back\r\n"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("mode", list(StartTlsMode))
@pytest.mark.parametrize("credentials", [Password(b"tim", b"tanstaaf"), LONG])
def test_client_and_server_understand_each_other(
    mechanism: str, mode: StartTlsMode, credentials: Password
) -> None:
    starttls = mode is not StartTlsMode.OFF
    ours, theirs = converse(
        client(credentials, starttls=starttls),
        smtp_server(mode, mechanism),
        Accepted(WELCOME),
    )
    upgrade = [StartTls()] if starttls else []
    assert ours.events == [*upgrade, LoggedIn(WELCOME)]
    asked = Authenticate(credentials, Helo(b"client.example.com", esmtp=True))
    assert theirs.events == [*upgrade, asked, LoggedIn(WELCOME)]


@pytest.mark.parametrize(
    ("reason", "heard"),
    [
        (Reason.AUTHENTICATIONFAILED, Reason.AUTHENTICATIONFAILED),
        (Reason.UNAVAILABLE, Reason.UNAVAILABLE),
        (Reason.PRIVACYREQUIRED, Reason.UNAVAILABLE),
        (Reason.CONTACTADMIN, Reason.CONTACTADMIN),
    ],
)
def test_a_reason_is_understood(reason: Reason, heard: Reason) -> None:
    ours, theirs = converse(
        in_the_clear(), smtp_server(StartTlsMode.OFF, "PLAIN"), Rejected(reason)
    )
    refused, closed = ours.events
    assert isinstance(refused, Refused)
    assert refused.rejected == Rejected(heard)
    assert closed == Closed(Goodbye.REFUSED)
    assert theirs.events[-1] == Closed(Goodbye.QUIT)


def test_client_without_tls_gets_nowhere_where_tls_is_required() -> None:
    ours, theirs = converse(
        in_the_clear(), smtp_server(StartTlsMode.ONLY, "PLAIN"), Accepted(WELCOME)
    )
    assert isinstance(ours.events[0], Refused)
    assert theirs.events == [Closed(Goodbye.QUIT)]
