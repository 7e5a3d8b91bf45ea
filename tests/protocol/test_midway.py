"""Who has begun something, and who is merely silent: a reload waits for the former."""

import pytest

from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, ServerSession
from mailssl_trio.protocol.smtp.server import SmtpServer

SERVERS: dict[str, type[ServerSession]] = {
    "imap": ImapServer,
    "pop3": Pop3Server,
    "smtp": SmtpServer,
}


def after(protocol: str, *said: bytes) -> ServerSession:
    """Let a client say something, and answer it."""
    session = SERVERS[protocol](Policy())
    session.next_event()
    for data in said:
        session.receive_data(data)
        session.next_event()
    return session


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("imap", b""),
        ("imap", b"a NOOP\r\n"),
        ("imap", b"a LOGIN {3}\r\njoe {x\r\n"),
        ("imap", b"a LOGIN {99999}\r\n"),
        ("pop3", b"CAPA\r\n"),
        ("smtp", b"EHLO there\r\n"),
        ("smtp", b"AUTH PLAIN\r\n*\r\n"),
        ("imap", b"a AUTHENTICATE PLAIN =\r\n"),
        ("imap", b"a AUTHENTICATE NOVELTY\r\n"),
    ],
)
def test_client_whose_commands_are_answered_is_silent(
    protocol: str, said: bytes
) -> None:
    assert not after(protocol, said).is_midway


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("imap", b"a"),
        ("imap", b"a LOGIN {3}\r\n"),
        ("imap", b"a LOGIN {3+}\r\nj"),
        ("imap", b"a AUTHENTICATE PLAIN\r\n"),
        ("imap", b"a AUTHENTICATE LOGIN\r\nam9l\r\n"),
        ("pop3", b"USER joe\r\n"),
        ("pop3", b"USER joe\r\nCAPA\r\n"),
        ("pop3", b"AUTH PLAIN\r\n"),
        ("smtp", b"AUTH LOGIN\r\n"),
        ("smtp", b"EHLO there\r\nAU"),
    ],
)
def test_client_in_the_middle_of_a_line_or_of_a_login_is_midway(
    protocol: str, said: bytes
) -> None:
    assert after(protocol, said).is_midway


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("pop3", b"USER joe\r\n"),
        ("imap", b"a AUTHENTICATE PLAIN\r\n"),
        ("smtp", b"AUTH PLAIN\r\n"),
    ],
)
def test_login_that_came_to_nothing_is_over(protocol: str, said: bytes) -> None:
    session = after(protocol, said, b"*\r\n", b"PASS\0\r\n", b"PASS \r\n")
    assert session.is_midway is (protocol == "pop3")
