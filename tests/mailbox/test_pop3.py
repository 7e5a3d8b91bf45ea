"""POP3: RFC 1939, 2449 and 5034 as dialogues."""

from pathlib import Path

import pytest

from tests.mailbox.conversation import (
    LOGIN,
    converse,
    crlf,
    inbox_at,
    mailbox_at,
    messages_in,
    play,
)

ONE = crlf("Subject: one\n\n.dot\n\n..\nlast\n")
TWO = crlf("Subject: two\n\nb")


async def test_messages_are_counted_listed_and_named(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "pop3",
        """
        C: STAT
        S: +OK 2 51
        C: LIST
        S: +OK 2 messages
        S: 1 34
        S: 2 17
        S: .
        C: LIST 2
        S: +OK 2 17
        C: UIDL
        S: +OK 2 messages
        S~ 1 \\d+\\.1
        S~ 2 \\d+\\.2
        S: .
        C: UIDL 1
        S~ \\+OK 1 \\d+\\.1
        C: LIST 3
        S: -ERR no such message
        C: NOOP
        S: +OK
        """,
        ONE,
        TWO,
    )


async def test_lines_that_begin_with_a_dot_get_another(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "pop3",
        """
        C: RETR 1
        S: +OK 34 octets
        S: Subject: one
        S:
        S: ..dot
        S:
        S: ...
        S: last
        S: .
        C: RETR 2
        S: +OK 17 octets
        S: Subject: two
        S:
        S: b
        S: .
        """,
        ONE,
        TWO,
    )


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (0, ""),
        (1, "S: ..dot"),
        (2, "S: ..dot\nS: \n"),
        (99, "S: ..dot\nS: \nS: ...\nS: last"),
    ],
)
async def test_top_is_the_header_and_so_many_lines(
    tmp_path: Path, lines: int, body: str
) -> None:
    script = f"C: TOP 1 {lines}\nS: +OK 34 octets\nS: Subject: one\nS: \n{body}\nS: ."
    await play(tmp_path, "pop3", script, ONE)


async def test_bare_line_feeds_of_foreign_files_become_line_ends(
    tmp_path: Path,
) -> None:
    script = "C: RETR 1\nS: +OK 8 octets\nS: a: b\nS: \nS: ..c\nS: ."
    await play(tmp_path, "pop3", script, b"a: b\n\n.c")


async def test_deletion_comes_with_quit_and_not_before(tmp_path: Path) -> None:
    inbox = inbox_at(tmp_path, ONE, TWO)
    mailbox = mailbox_at(tmp_path)
    delete = """
        C: DELE 1
        S: +OK deleted
        C: DELE 1
        S: -ERR no such message
        C: RETR 1
        S: -ERR no such message
        C: STAT
        S: +OK 1 17
        """
    await converse(mailbox, "pop3", LOGIN["pop3"] + delete)
    assert messages_in(inbox) == [ONE, TWO]
    await converse(
        mailbox, "pop3", LOGIN["pop3"] + delete + "C: RSET\nS: +OK\nC: QUIT\nS: +OK bye"
    )
    assert messages_in(inbox) == [ONE, TWO]
    await converse(mailbox, "pop3", LOGIN["pop3"] + delete + "C: QUIT\nS: +OK bye")
    assert messages_in(inbox) == [TWO]


@pytest.mark.parametrize(
    "exchange",
    [
        "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHg=",
        "C: AUTH PLAIN\nS~ [+] \nC: AGFsaWNlQGV4YW1wbGUub3JnAHg=",
        "C: USER alice@example.org\nS: +OK send PASS\nC: PASS two words",
    ],
)
async def test_whoever_the_gateway_lets_in_has_his_maildrop(
    tmp_path: Path, exchange: str
) -> None:
    script = f"S: +OK mailbox ready\n{exchange}\nS: +OK 1 messages\nC: QUIT\nS: +OK bye"
    await play(tmp_path, "pop3", script, ONE, login=False)


async def test_everyone_finds_a_welcome(tmp_path: Path) -> None:
    await converse(
        mailbox_at(tmp_path), "pop3", LOGIN["pop3"] + "C: TOP 1 0\nS~ .*OK.*"
    )


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("PASS x", "-ERR [AUTH] no such user"),
        ("AUTH PLAIN AAB4", "-ERR [AUTH] no such user"),
        ("AUTH NTLM", "-ERR [AUTH] no such user"),
        ("STAT", "-ERR unknown command, or not before login"),
        ("USER", "-ERR unknown command, or not before login"),
    ],
)
async def test_before_login_there_is_only_login(
    tmp_path: Path, command: str, reply: str
) -> None:
    script = f"S: +OK mailbox ready\nC: {command}\nS: {reply}\nC: QUIT\nS: +OK bye"
    await play(tmp_path, "pop3", script, login=False)


@pytest.mark.parametrize(
    "command", ["XYZZY", "TOP 1", "RETR", "RETR -1", "RETR 1 1", "LIST x", "DELE 1e9"]
)
async def test_what_is_no_command_is_refused(tmp_path: Path, command: str) -> None:
    await play(tmp_path, "pop3", f"C: {command}\nS: -ERR unknown command", ONE)


async def test_capabilities_are_listed(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "pop3",
        """
        C: CAPA
        S: +OK capabilities
        S: TOP
        S: UIDL
        S: USER
        S: SASL PLAIN
        S: RESP-CODES
        S: PIPELINING
        S: IMPLEMENTATION mailssl_trio
        S: .
        """,
    )
