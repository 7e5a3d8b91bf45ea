"""``imap_client_buffer`` and ``smtp_client_buffer``: for a command, not for a burst."""

from collections.abc import Callable

import pytest

from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.server_session import Policy, ServerSession
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.transcript import play

IMAP = "S: * OK [CAPABILITY AUTH=PLAIN SASL-IR LITERAL+ ID] IMAP4 ready"
SMTP = "S: 220 mx ESMTP ready"
WHOLE = (1 << 20,)


def server(kind: type[ServerSession], size: int) -> Callable[[], ServerSession]:
    policy = Policy("mx", client_buffer=size, max_errors=50)
    return lambda: kind(policy)


@pytest.mark.parametrize("size", [200, 600, 20_000])
def test_smtp_lines_may_be_so_long_and_no_longer(size: int) -> None:
    longest = "NOOP " + "x" * (size - len("NOOP \r\n"))
    play(
        server(SmtpServer, size),
        f"""
        {SMTP}
        C: {longest}
        S: 250 2.0.0 OK
        """,
        WHOLE,
    )
    if size < 12_288:
        end = "S: 500 5.5.2 Line too long"
    else:  # as for every line that is not to end
        end = "S: 421 4.5.0 mx line too long\n? Closed(Goodbye.LINE_TOO_LONG)"
    play(server(SmtpServer, size), f"{SMTP}\nC: {longest}x\n{end}", WHOLE)


@pytest.mark.parametrize("size", [200, 20_000])
def test_imap_lines_may_be_so_long_and_no_longer(size: int) -> None:
    password = "x" * (size - len("a LOGIN joe \r\n"))
    play(
        server(ImapServer, size),
        f"""
        {IMAP}
        C: a LOGIN joe {password}
        ? Authenticate(Password(b"joe", b"{password}"))
        """,
        WHOLE,
    )
    end = "S: a BAD invalid command" if size < 12_288 else (
        "S: * BYE command too long\n? Closed(Goodbye.LINE_TOO_LONG)"
    )  # fmt: skip
    play(server(ImapServer, size), f"{IMAP}\nC: a LOGIN joe {password}x\n{end}", WHOLE)


@pytest.mark.parametrize("size", [200, 20_000])
def test_imap_literals_may_hold_as_much_together(size: int) -> None:
    password = "x" * (size - 3)
    play(
        server(ImapServer, size),
        f"""
        {IMAP}
        C: a LOGIN {{3+}}
        C: joe {{{size - 2}}}
        S: a NO [TOOBIG] literal too large
        C: b LOGIN {{3+}}
        C: joe {{{size - 3}+}}
        C: {password}
        ? Authenticate(Password(b"joe", b"{password}"))
        """,
        WHOLE,
    )


@pytest.mark.parametrize(("kind", "greeting"), [(ImapServer, IMAP), (SmtpServer, SMTP)])
def test_sasl_takes_what_it_needs(kind: type[ServerSession], greeting: str) -> None:
    """RFC 4954 section 4: 12,288 octets."""
    verb = "a AUTHENTICATE" if kind is ImapServer else "AUTH"
    play(
        server(kind, 200),
        f"""
        {greeting}
        C: {verb} PLAIN AGpvZQB4{"eHh4" * 3000}
        ? Authenticate(Password(b"joe", b"x" + b"xxx" * 3000))
        """,
        WHOLE,
    )


def test_a_burst_of_short_commands_is_not_one_long_command() -> None:
    session = server(SmtpServer, 128)()
    session.receive_data(b"NOOP\r\n" * 500)
    session.next_event()
    assert session.data_to_send().count(b"250 2.0.0 OK\r\n") == 500
