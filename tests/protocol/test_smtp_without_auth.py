"""SMTP judged by its envelope (``smtp_auth none``), and before it is greeted."""

from collections.abc import Callable

import pytest

from mailssl_trio.protocol.events import Closed, Goodbye, Pause
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.transcript import play


def server(
    starttls: StartTlsMode = StartTlsMode.OFF,
    *,
    mechanisms: tuple[str, ...] = (),
    max_errors: int = 50,
    delay: float = 0.0,
    implicit_tls: bool = False,
) -> Callable[[], SmtpServer]:
    policy = Policy(
        "mx",
        starttls,
        mechanisms,
        (),
        max_errors,
        unauthenticated=True,
        greeting_delay=delay,
    )
    return lambda: SmtpServer(policy, implicit_tls=implicit_tls)


ENVELOPE = (
    'Envelope(b"MAIL FROM:<a@b> SIZE=3", b"rcpt to:<c@d>  NOTIFY=NEVER"),'
    ' Helo(b"x", esmtp=True)'
)


def test_the_first_recipient_is_judged_and_the_backend_answers_it() -> None:
    """Whatever the backend says of it, the rest of the dialogue is the backend's."""
    play(
        server(),
        f"""
        S: 220 mx ESMTP ready
        C: EHLO x
        S: 250-mx
        S: 250-PIPELINING
        S: 250 ENHANCEDSTATUSCODES
        C: MAIL FROM:<a@b> SIZE=3
        S: 250 2.0.0 OK
        C: rcpt to:<c@d>  NOTIFY=NEVER
        ? Authenticate({ENVELOPE})
        ! Accepted(b"550-5.1.1 no\\r\\n550 5.1.1 such\\r\\n")
        S: 550-5.1.1 no
        S: 550 5.1.1 such
        ? LoggedIn(b"550-5.1.1 no\\r\\n550 5.1.1 such\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_a_refused_recipient_leaves_the_sender_standing() -> None:
    play(
        server(),
        """
        S: 220 mx ESMTP ready
        C: MAIL FROM:<a@b>
        S: 250 2.0.0 OK
        C: RCPT TO:<c@d>
        ? Authenticate(Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>"))
        ! Rejected(Reason.AUTHENTICATIONFAILED, "no relay", "550 5.7.1")
        S: 550 5.7.1 no relay
        C: MAIL FROM:<e@f>
        S: 503 5.5.1 Bad sequence of commands
        C: RCPT TO:<g@h>
        ? Authenticate(Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<g@h>"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: 535 5.7.8 authentication failed
        """,
    )


@pytest.mark.parametrize(
    ("command", "replies"),
    [
        ("RSET", ["250 2.0.0 OK"]),
        ("HELO x", ["250 mx"]),
        ("EHLO x", ["250-mx", "250-PIPELINING", "250 ENHANCEDSTATUSCODES"]),
    ],
)
def test_a_new_beginning_forgets_the_sender(command: str, replies: list[str]) -> None:
    """RFC 5321 sections 4.1.1.5 and 4.1.4."""
    lines = "\n".join(f"S: {reply}" for reply in replies)
    play(
        server(),
        f"""
        S: 220 mx ESMTP ready
        C: MAIL FROM:<a@b>
        S: 250 2.0.0 OK
        C: {command}
        {lines}
        C: RCPT TO:<c@d>
        S: 503 5.5.1 Bad sequence of commands
        C: MAIL FROM:<e@f>
        S: 250 2.0.0 OK
        """,
    )


def test_starttls_forgets_the_sender_and_the_name() -> None:
    """RFC 3207 section 4.2."""
    play(
        server(StartTlsMode.ON),
        """
        S: 220 mx ESMTP ready
        C: HELO x
        C: MAIL FROM:<a@b>
        S: 250 mx
        S: 250 2.0.0 OK
        C: STARTTLS
        S: 220 2.0.0 Ready to start TLS
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: RCPT TO:<c@d>
        S: 503 5.5.1 Bad sequence of commands
        C: MAIL FROM:<a@b>
        S: 250 2.0.0 OK
        C: RCPT TO:<c@d>
        ? Authenticate(Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>"))
        """,
    )


@pytest.mark.parametrize("command", ["MAIL FROM:<a@b>", "RCPT TO:<a@b>", "MAIL"])
def test_only_refuses_mail_before_tls(command: str) -> None:
    play(
        server(StartTlsMode.ONLY),
        f"""
        S: 220 mx ESMTP ready
        C: {command}
        S: 530 5.7.0 Must issue a STARTTLS command first
        """,
    )


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        ("RCPT TO:<a@b>", "503 5.5.1 Bad sequence of commands"),
        ("RCPT", "503 5.5.1 Bad sequence of commands"),
        ("MAIL", "501 5.5.4 Invalid argument"),
        ("DATA", "503 5.5.1 Bad sequence of commands"),
        ("BDAT 5 LAST", "503 5.5.1 Bad sequence of commands"),
        ("MAIL FROM:<a\\0@b>", "500 5.5.2 NUL or CR in a command"),
        ("ETRN example.com", "530 5.7.0 Authentication required"),
    ],
)
def test_what_is_out_of_order_or_malformed_is_refused(said: str, reply: str) -> None:
    play(
        server(),
        f"""
        S: 220 mx ESMTP ready
        C~ {said}\\r\\n
        S: {reply}
        """,
    )


def test_a_recipient_must_be_named() -> None:
    play(
        server(),
        """
        S: 220 mx ESMTP ready
        C: MAIL FROM:<a@b>
        S: 250 2.0.0 OK
        C: RCPT
        S: 501 5.5.4 Invalid argument
        C: DATA
        S: 503 5.5.1 Bad sequence of commands
        """,
    )


def test_refused_recipients_count_as_errors() -> None:
    play(
        server(max_errors=2),
        """
        S: 220 mx ESMTP ready
        C: RCPT TO:<c@d>
        S: 503 5.5.1 Bad sequence of commands
        C: MAIL FROM:<a@b>
        S: 250 2.0.0 OK
        C: RCPT TO:<c@d>
        ? Authenticate(Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>"))
        ! Rejected(Reason.UNAVAILABLE)
        S: 454 4.7.0 temporary authentication failure
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


def test_who_may_do_without_auth_may_still_do_it_but_before_mail() -> None:
    """RFC 4954 section 4."""
    play(
        server(mechanisms=("PLAIN",)),
        """
        S: 220 mx ESMTP ready
        C: HELO x
        S: 250 mx
        C: MAIL FROM:<a@b>
        S: 250 2.0.0 OK
        C: AUTH PLAIN AGpvZQB4
        S: 503 5.5.1 Bad sequence of commands
        C: RSET
        S: 250 2.0.0 OK
        C: AUTH PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"), Helo(b"x"))
        """,
    )


def test_who_once_said_ehlo_speaks_esmtp_for_good() -> None:
    play(
        server(),
        """
        S: 220 mx ESMTP ready
        C: EHLO x
        S: 250-mx
        S: 250-PIPELINING
        S: 250 ENHANCEDSTATUSCODES
        C: HELO y
        S: 250 mx
        C: AUTH PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"), Helo(b"y", esmtp=True))
        """,
    )


def test_what_is_pipelined_behind_a_recipient_is_the_backends() -> None:
    """RFC 2920 section 3.1."""
    session = server()()
    session.receive_data(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n")
    session.next_event()
    assert session.trailing_data == b"RCPT TO:<e@f>\r\n"


# The greeting delay.


def test_whoever_waits_for_the_greeting_gets_it() -> None:
    play(
        server(delay=1.5),
        """
        ? Pause(1.5)
        S: 220 mx ESMTP ready
        C: QUIT
        S: 221 2.0.0 Bye
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_the_delay_begins_behind_tls() -> None:
    play(
        server(delay=1.5, implicit_tls=True),
        """
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        ? Pause(1.5)
        S: 220 mx ESMTP ready
        """,
    )


TOO_EARLY = b"503 5.5.0 Improper use of SMTP command pipelining\r\n"


@pytest.mark.parametrize("said", [b"HELO x\r\n", b"H"])
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_whoever_speaks_before_the_greeting_is_sent_away(
    said: bytes, when: str
) -> None:
    session = server(delay=1.5)()
    if when == "meanwhile":
        assert session.next_event() == Pause(1.5)
    session.receive_data(said)
    assert session.next_event() == Closed(Goodbye.EARLY_TALKER)
    assert session.data_to_send() == TOO_EARLY


def test_whoever_leaves_before_the_greeting_is_told_nothing() -> None:
    session = server(delay=1.5)()
    session.next_event()
    session.receive_data(b"")
    assert session.next_event() == Closed(Goodbye.PEER_GONE)
    assert session.data_to_send() == b""


def test_whoever_waits_at_a_stop_is_told_so_in_place_of_the_greeting() -> None:
    session = server(delay=1.5)()
    session.next_event()
    session.hang_up(Goodbye.SHUTTING_DOWN)
    assert session.next_event() == Closed(Goodbye.SHUTTING_DOWN)
    assert session.data_to_send() == b"421 4.3.2 mx shutting down\r\n"
