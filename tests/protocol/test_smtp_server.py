"""SMTP facing the mail client: RFC 5321, 6409, 4954, 3207 and 2034 as transcripts."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol.credentials import Reason, Rejected
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Goodbye,
    Question,
    StartTls,
    TlsInfo,
)
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.transcript import play

MECHANISMS = ("PLAIN", "LOGIN")
HELO = 'Helo(b"client.example.com", esmtp=True)'


def server(
    starttls: StartTlsMode = StartTlsMode.OFF,
    *,
    implicit_tls: bool = False,
    max_errors: int = 5,
    mechanisms: tuple[str, ...] = MECHANISMS,
    capabilities: tuple[str, ...] = ("SIZE 10240000", "8BITMIME"),
) -> SmtpServer:
    policy = Policy("mx", starttls, mechanisms, capabilities, max_errors)
    return SmtpServer(policy, implicit_tls=implicit_tls)


def off() -> SmtpServer:
    return server()


def on() -> SmtpServer:
    return server(StartTlsMode.ON)


def only() -> SmtpServer:
    return server(StartTlsMode.ONLY)


def test_auth_plain_under_tls_with_an_initial_response() -> None:
    """RFC 4954 section 4.1, its first example."""
    play(
        only,
        f"""
        S: 220 mx ESMTP ready
        C: EHLO client.example.com
        S: 250-mx
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-PIPELINING
        S: 250-ENHANCEDSTATUSCODES
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: EHLO client.example.com
        S: 250-mx
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-PIPELINING
        S: 250-ENHANCEDSTATUSCODES
        S: 250 AUTH PLAIN LOGIN
        C: AUTH PLAIN dGVzdAB0ZXN0ADEyMzQ=
        ? Authenticate(Password(b"test", b"1234", b"test"), {HELO})
        ! Accepted(b"235 2.7.0 Authentication successful\\r\\n")
        S: 235 2.7.0 Authentication successful
        ? LoggedIn(b"235 2.7.0 Authentication successful\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_auth_plain_without_an_initial_response() -> None:
    """RFC 4954 section 4.1, its second example, and no EHLO before it."""
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C: auth plain
        S~ 334 \\r\\n
        C: dGVzdAB0ZXN0ADEyMzQ=
        ? Authenticate(Password(b"test", b"1234", b"test"))
        ! Accepted(b"235-2.7.0 Welcome\\r\\n235 2.7.0 back\\r\\n")
        S: 235-2.7.0 Welcome
        S: 235 2.7.0 back
        ? LoggedIn(b"235-2.7.0 Welcome\\r\\n235 2.7.0 back\\r\\n")
        """,
    )


def test_auth_login_in_its_two_forms() -> None:
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dGlt
        S: 334 UGFzc3dvcmQ6
        C: dGFuc3RhYWY=
        ? Authenticate(Password(b"tim", b"tanstaaf"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: 535 5.7.8 authentication failed
        C: AUTH LOGIN dGlt
        S: 334 UGFzc3dvcmQ6
        C: dGFuc3RhYWY=
        ? Authenticate(Password(b"tim", b"tanstaaf"))
        ! Accepted(b"235 2.7.0 OK\\r\\n")
        S: 235 2.7.0 OK
        """,
    )


def test_ehlo_is_true_for_its_moment() -> None:
    play(
        on,
        """
        S: 220 mx ESMTP ready
        C: EHLO [127.0.0.1]
        S: 250-mx
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-PIPELINING
        S: 250-ENHANCEDSTATUSCODES
        S: 250-AUTH PLAIN LOGIN
        S: 250 STARTTLS
        C: HELO client.example.com
        S: 250 mx
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: EHLO x
        S: 250-mx
        S: 250-SIZE 10240000
        S: 250-8BITMIME
        S: 250-PIPELINING
        S: 250-ENHANCEDSTATUSCODES
        S: 250 AUTH PLAIN LOGIN
        """,
    )


def test_configured_words_never_stand_in_for_our_own() -> None:
    words = ("auth gssapi", "STARTTLS", "PIPELINING", "Auth=LOGIN", "DSN")
    play(
        lambda: server(mechanisms=(), capabilities=words),
        """
        S: 220 mx ESMTP ready
        C: EHLO x
        S: 250-mx
        S: 250-DSN
        S: 250-PIPELINING
        S: 250 ENHANCEDSTATUSCODES
        """,
    )


def test_commands_that_need_no_login_tell_nothing() -> None:
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C: NOOP
        C: noop whatever
        C: RSET
        C: HELP
        C: HELP AUTH
        C: VRFY postmaster
        S: 250 2.0.0 OK
        S: 250 2.0.0 OK
        S: 250 2.0.0 OK
        S: 214 2.0.0 See RFC 5321 and RFC 6409
        S: 214 2.0.0 See RFC 5321 and RFC 6409
        S: 252 2.5.0 Send some mail and see
        C: QUIT
        S: 221 2.0.0 Bye
        ? Closed(Goodbye.QUIT)
        """,
    )


@pytest.mark.parametrize(
    "command",
    ["MAIL FROM:<a@b> SIZE=1", "rcpt TO:<a@b>", "DATA", "BDAT 5 LAST", "EXPN staff",
     "BURL imap://x LAST", "ETRN example.com", "MAIL FROM:<" + "x" * 600 + ">"],
)  # fmt: skip
def test_mail_needs_authentication(command: str) -> None:
    play(
        on,
        f"""
        S: 220 mx ESMTP ready
        C: {command}
        S: 530 5.7.0 Authentication required
        C: NOOP
        S: 250 2.0.0 OK
        """,
    )


def test_pipelined_commands_are_each_answered() -> None:
    """RFC 2920 section 3.2."""
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C: MAIL FROM:<a@b>
        C: RCPT TO:<c@d>
        C: DATA
        C: QUIT
        S: 530 5.7.0 Authentication required
        S: 530 5.7.0 Authentication required
        S: 530 5.7.0 Authentication required
        S: 221 2.0.0 Bye
        """,
    )


@pytest.mark.parametrize(
    "command",
    ["AUTH", "AUTH PLAIN", "AUTH PLAIN AGpvZQB4", "AUTH LOGIN", "MAIL FROM:<a@b>",
     "RCPT TO:<a@b>", "DATA", "BURL imap://x LAST", "XCLIENT ADDR=::1", "VRFY x",
     "EXPN x", "HELP", "XYZZY"],
)  # fmt: skip
def test_only_refuses_everything_that_logs_in_or_sends_mail(command: str) -> None:
    play(
        only,
        f"""
        S: 220 mx ESMTP ready
        C: {command}
        S: 530 5.7.0 Must issue a STARTTLS command first
        C: NOOP
        C: RSET
        C: HELO x
        S: 250 2.0.0 OK
        S: 250 2.0.0 OK
        S: 250 mx
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: QUIT
        S: 221 2.0.0 Bye
        """,
    )


def test_starttls_out_of_place() -> None:
    """RFC 3207 section 4."""
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C: STARTTLS
        S: 502 5.5.1 TLS is not available
        C: STARTTLS now
        S: 501 5.5.4 Invalid argument
        """,
    )
    play(
        on,
        """
        S: 220 mx ESMTP ready
        C: STARTTLS now
        S: 501 5.5.4 Invalid argument
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: STARTTLS
        S: 503 5.5.1 TLS is active already
        """,
    )


def test_plaintext_behind_starttls_ends_it_without_the_go_ahead() -> None:
    play(
        on,
        """
        S: 220 mx ESMTP ready
        C: STARTTLS
        C: EHLO y
        S: 421 4.7.0 mx nothing may follow STARTTLS in the clear
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,
        cuts=(1 << 20,),
    )


CERTIFICATE_REFUSALS = pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("BAD_CERTIFICATE", "421 4.7.1 SSL certificate error"),
        ("CERTIFICATE_REQUIRED", "421 4.7.1 No required SSL certificate"),
    ],
)


@CERTIFICATE_REFUSALS
def test_refused_certificate_is_told_in_place_of_the_greeting(
    reason: str, words: str
) -> None:
    play(
        lambda: server(implicit_tls=True),
        f"""
        ? StartTls()
        ! TlsInfo("TLSv1.3", refused=Goodbye.{reason})
        S: {words}
        ? Closed(Goodbye.{reason})
        """,
    )


@CERTIFICATE_REFUSALS
def test_refused_certificate_ends_it_right_behind_starttls(
    reason: str, words: str
) -> None:
    play(
        on,
        f"""
        S: 220 mx ESMTP ready
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3", refused=Goodbye.{reason})
        S: {words}
        ? Closed(Goodbye.{reason})
        """,
    )


def test_implicit_tls_says_nothing_in_the_clear() -> None:
    play(
        lambda: server(StartTlsMode.ONLY, implicit_tls=True),
        """
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: 220 mx ESMTP ready
        C: MAIL FROM:<a@b>
        S: 530 5.7.0 Authentication required
        """,
    )


@pytest.mark.parametrize(
    ("rejected", "reply"),
    [
        ("Reason.AUTHENTICATIONFAILED", "535 5.7.8 authentication failed"),
        ("Reason.UNAVAILABLE", "454 4.7.0 temporary authentication failure"),
        ("Reason.PRIVACYREQUIRED", "530 5.7.0 encryption required"),
        ("Reason.CONTACTADMIN, 'ask me'", "525 5.7.13 ask me"),
        ("Reason.LIMIT, usual='ten already'", "454 4.7.0 ten already"),
        ("Reason.AUTHENTICATIONFAILED, 'no', '550 5.7.1'", "550 5.7.1 no"),
    ],
)
def test_each_reason_has_its_code(rejected: str, reply: str) -> None:
    """RFC 4954 section 6."""
    play(
        off,
        f"""
        S: 220 mx ESMTP ready
        C: AUTH PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected({rejected})
        S: {reply}
        C: NOOP
        S: 250 2.0.0 OK
        """,
    )


def test_sasl_refusals() -> None:
    """RFC 4954 section 4; the first malformed one hides a line end in base64."""
    play(
        lambda: server(max_errors=50),
        """
        S: 220 mx ESMTP ready
        C: AUTH
        S: 501 5.5.4 Invalid argument
        C: AUTH PLAIN AGpvZQB4 x
        S: 501 5.5.4 Invalid argument
        C: AUTH CRAM-MD5
        S: 504 5.5.4 unsupported authentication mechanism
        C: AUTH PLAIN AGpvZQBhDQpi
        S: 501 5.5.2 malformed authentication response
        C: AUTH PLAIN AAA=BBB
        S: 501 5.5.2 malformed authentication response
        C: AUTH PLAIN =
        S: 501 5.5.2 malformed authentication response
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: *
        S: 501 5.0.0 authentication cancelled
        """,
    )


def test_the_last_allowed_error_is_answered_and_ends_it() -> None:
    play(
        lambda: server(max_errors=3),
        """
        S: 220 mx ESMTP ready
        C: MAIL FROM:<a@b>
        S: 530 5.7.0 Authentication required
        C: AUTH XYZ
        S: 504 5.5.4 unsupported authentication mechanism
        C: AUTH PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: 535 5.7.8 authentication failed
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("EHLO", "501 5.5.4 Invalid argument"),
        ("EHLO a b", "501 5.5.4 Invalid argument"),
        ("HELO ", "501 5.5.4 Invalid argument"),
        ("VRFY", "501 5.5.4 Invalid argument"),
        ("XCLIENT ADDR=::1", "500 5.5.1 Invalid command"),
        ("", "500 5.5.1 Invalid command"),
        (" NOOP", "500 5.5.1 Invalid command"),
        ("EHLO a\\0b", "500 5.5.2 NUL or CR in a command"),
        ("NOOP\\rQUIT", "500 5.5.2 NUL or CR in a command"),
        ("MAIL FROM:<a\\r@b>", "500 5.5.2 NUL or CR in a command"),
        ("NOOP " + "x" * 506, "500 5.5.2 Line too long"),
        ("x" * 12_000, "500 5.5.2 Line too long"),
        ("NOOP " + "x" * 505, "250 2.0.0 OK"),
    ],
)
def test_bad_syntax_is_refused_and_the_dialogue_goes_on(line: str, reply: str) -> None:
    play(
        off,
        f"""
        S: 220 mx ESMTP ready
        C~ {line}\\r\\n
        S: {reply}
        C: NOOP
        S: 250 2.0.0 OK
        """,
    )


def test_a_malformed_line_is_called_so_even_before_tls() -> None:
    play(
        only,
        """
        S: 220 mx ESMTP ready
        C~ AUTH PLAIN \\0\\r\\n
        S: 500 5.5.2 NUL or CR in a command
        """,
    )


def test_refused_lines_count_as_errors() -> None:
    play(
        lambda: server(max_errors=2),
        f"""
        S: 220 mx ESMTP ready
        C~ \\0\\r\\n
        S: 500 5.5.2 NUL or CR in a command
        C: {"x" * 600}
        S: 500 5.5.2 Line too long
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


def test_a_long_password_fits_a_sasl_line() -> None:
    play(
        off,
        f"""
        S: 220 mx ESMTP ready
        C: AUTH PLAIN AGpvZQB4{"eHh4" * 3_000}
        ? Authenticate(Password(b"joe", b"x" + b"xxx" * 3_000))
        """,
        cuts=(1 << 20, 7),
    )


def test_endless_line_is_cut_off() -> None:
    play(
        off,
        f"""
        S: 220 mx ESMTP ready
        C~ AUTH PLAIN {"x" * 12_288}
        S: 421 4.5.0 mx line too long
        ? Closed(Goodbye.LINE_TOO_LONG)
        """,
        cuts=(1 << 20, 7),
    )


def test_http_request_ends_it_at_once() -> None:
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C: GET / HTTP/1.1
        S: 421 4.7.0 mx this is a mail server
        ? Closed(Goodbye.HTTP_REQUEST)
        """,
    )


def test_client_that_leaves_gets_no_last_word() -> None:
    play(
        off,
        """
        S: 220 mx ESMTP ready
        C~ NOO
        C! EOF
        ? Closed(Goodbye.PEER_GONE)
        """,
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Goodbye.BUSY, b"421 4.3.2 mx too many connections\r\n"),
        (
            Goodbye.ADDRESS_LIMIT,
            b"421 4.7.0 mx too many connections from your address\r\n",
        ),
        (Goodbye.CROWDED_OUT, b"421 4.3.2 mx too many connections\r\n"),
        (Goodbye.BANNED, b"421 4.7.0 mx your address is banned for a time\r\n"),
        (Goodbye.DENIED, b"554 5.7.1 mx access denied\r\n"),
        (Goodbye.KICKED, b"421 4.3.2 mx ended by an administrator\r\n"),
        (Goodbye.TIMED_OUT, b"421 4.4.2 mx timed out\r\n"),
        (Goodbye.SHUTTING_DOWN, b"421 4.3.2 mx shutting down\r\n"),
        (Goodbye.INTERNAL_ERROR, b"421 4.3.0 mx internal server error\r\n"),
        (Goodbye.HANDSHAKE_FAILED, b""),
    ],
)
def test_farewell_in_place_of_the_greeting(reason: Goodbye, words: bytes) -> None:
    session = off()
    session.hang_up(reason)
    assert session.next_event() == Closed(reason)
    assert session.data_to_send() == words


def test_commands_behind_the_login_belong_to_the_relay() -> None:
    session = off()
    session.receive_data(b"AUTH PLAIN AGpvZQB4\r\nMAIL FROM:<a@b>\r\n")
    question = session.next_event()
    assert isinstance(question, Authenticate)
    assert session.trailing_data == b"MAIL FROM:<a@b>\r\n"


REPLIES = re.compile(
    rb"220 mx ESMTP ready\r\n"
    rb"(?:250[- ][^\r\n]*\r\n|334 [A-Za-z0-9+/=]*\r\n"
    rb"|([245])[0-5][0-9] \1\.[0-9]\.[0-9]+ [^\r\n]+\r\n)*"
)

lines = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"EHLO x", b"NOOP", b"RSET", b"AUTH LOGIN", b"AUTH PLAIN", b"AUTH PLAIN =",
         b"AUTH PLAIN AGpvZQB4", b"am9l", b"*", b"MAIL FROM:<>", b"VRFY", b"STARTTLS x",
         b"x" * 600, b"EHLO \r", b"AUTH\0", b"STARTTLS", b"HELP", b"QUIT"]
    ),
)  # fmt: skip


@given(st.lists(lines, max_size=30), st.sampled_from([off, only]))
def test_whatever_is_sent_gets_well_formed_replies(
    said: list[bytes], make_session: Callable[[], SmtpServer]
) -> None:
    """RFC 2034 section 4: the class of the enhanced code is the reply code's."""
    session = make_session()
    session.receive_data(b"".join(line + b"\r\n" for line in said))
    while isinstance(event := session.next_event(), Question):
        match event:
            case Authenticate():
                session.answer(event, Rejected(Reason.AUTHENTICATIONFAILED))
            case StartTls():
                session.answer(event, TlsInfo("TLSv1.3"))
    assert REPLIES.fullmatch(session.data_to_send())
