"""SMTP submission: RFC 5321, 6409 and 4954 as dialogues."""

from pathlib import Path

import pytest
import trio
from trio.testing import memory_stream_pair

from mailssl_trio.mailbox.smtp_data import MAX_MESSAGE
from mailssl_trio.mailbox.smtp_path import parse_path
from tests.mailbox.conversation import (
    ALICE,
    BOB,
    LOGIN,
    Client,
    converse,
    inbox_at,
    mailbox_at,
    messages_in,
    play,
)

TO_BOB = """
    C: MAIL FROM:<alice@example.org>
    S: 250 2.1.0 Ok
    C: RCPT TO:<Bob@Example.org>
    S: 250 2.1.5 Ok
    C: DATA
    S: 354 End data with <CR><LF>.<CR><LF>
    """


async def test_mail_from_alice_is_in_bobs_inbox_when_250_is_said(
    tmp_path: Path,
) -> None:
    inbox = inbox_at(tmp_path, user=BOB)
    script = (
        LOGIN["smtp"]
        + TO_BOB
        + """
        C: Subject: hello
        C:
        C: ..a dot
        C: .
        S: 250 2.0.0 Delivered
        """
    )
    await converse(mailbox_at(tmp_path), "smtp", script)
    (message,) = messages_in(inbox)
    trace, _, text = message.partition(b"Subject")
    assert text == b": hello\r\n\r\n.a dot\r\n"
    assert trace.startswith(
        b"Return-Path: <alice@example.org>\r\nReceived: from client"
    )
    assert trace.endswith(b" +0000\r\n")


async def test_capabilities_are_announced_after_ehlo(tmp_path: Path) -> None:
    await play(
        tmp_path,
        "smtp",
        f"""
        S: 220 mx.example.org ESMTP mailbox ready
        C: EHLO client
        S: 250-mx.example.org
        S: 250-8BITMIME
        S: 250-SIZE {MAX_MESSAGE}
        S: 250-PIPELINING
        S: 250-ENHANCEDSTATUSCODES
        S: 250 AUTH PLAIN LOGIN
        C: NOOP
        S: 250 2.0.0 Ok
        C: HELP
        S: 214 2.0.0 RFC 5321 tells all
        C: VRFY alice
        S: 252 2.5.0 Send some mail, I will try my best
        C: QUIT
        S: 221 2.0.0 Bye
        """,
        login=False,
    )


@pytest.mark.parametrize(
    "exchange",
    [
        "C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAHg=",
        """
        C: auth plain
        S~ 334[ ]
        C: AGFsaWNlQGV4YW1wbGUub3JnAHg=
        """,
        """
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: YWxpY2VAZXhhbXBsZS5vcmc=
        S: 334 UGFzc3dvcmQ6
        C: eA==
        """,
    ],
)
async def test_whoever_the_gateway_lets_in_may_send(
    tmp_path: Path, exchange: str
) -> None:
    await play(
        tmp_path,
        "smtp",
        f"""
        S: 220 mx.example.org ESMTP mailbox ready
        C: HELO client
        S: 250 mx.example.org
        C: MAIL FROM:<alice@example.org>
        S: 530 5.7.0 Authentication required
        {exchange}
        S: 235 2.7.0 Authentication successful
        C: MAIL FROM:<alice@example.org>
        S: 250 2.1.0 Ok
        """,
        login=False,
    )


@pytest.mark.parametrize(
    "command",
    [
        "AUTH PLAIN *",
        "AUTH PLAIN AGFsaWNl",
        "AUTH PLAIN Ym9iAGFsaWNlAHg=",  # as bob, by alice's password
        "AUTH CRAM-MD5",
        "AUTH",
    ],
)
async def test_login_that_is_none_is_refused(tmp_path: Path, command: str) -> None:
    await play(
        tmp_path,
        "smtp",
        f"""
        S: 220 mx.example.org ESMTP mailbox ready
        C: HELO client
        S: 250 mx.example.org
        C: {command}
        S: 535 5.7.8 Authentication failed
        """,
        login=False,
    )


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL FROM:<bob@example.org>", "550 5.7.1 Not your address"),
        ("MAIL FROM:<>", "550 5.7.1 Not your address"),
        ("MAIL FROM:alice@example.org", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("MAIL FROM:<alice@example.org> SMTPUTF8", "555 5.5.4 Unknown parameter"),
        (
            "MAIL FROM:<alice@example.org> BODY=BINARYMIME",
            "555 5.5.4 Unknown parameter",
        ),
        (
            f"MAIL FROM:<alice@example.org> SIZE={MAX_MESSAGE + 1}",
            "552 5.3.4 Message too large",
        ),
        ("MAIL FROM:<Alice@Example.ORG> BODY=8BITMIME SIZE=5", "250 2.1.0 Ok"),
        ("MAIL FROM: <alice@example.org> AUTH=<>", "250 2.1.0 Ok"),
        ("RCPT TO:<bob@example.org>", "503 5.5.1 MAIL first"),
        ("DATA", "503 5.5.1 MAIL and RCPT first"),
        ("AUTH PLAIN =", "503 5.5.1 AUTH once, and after EHLO"),
        ("HELO", "501 5.5.4 Say who you are"),
        ("HELO a)b", "501 5.5.4 Say who you are"),
        ("BDAT 5", "500 5.5.2 Command not recognized"),
    ],
)
async def test_command_has_its_reply(tmp_path: Path, command: str, reply: str) -> None:
    await play(tmp_path, "smtp", f"C: {command}\nS: {reply}")


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("RCPT TO:<bob@example.org>", "250 2.1.5 Ok"),
        ("RCPT TO:<joe@elsewhere>", "550 5.1.1 No such user here"),
        ("RCPT TO:<bob@example.org@elsewhere>", "501 5.5.4 Syntax: RCPT TO:<address>"),
        ("RCPT TO:<bob%elsewhere@example.org>", "550 5.1.1 No such user here"),
        ("RCPT TO:<bob@example.org> NOTIFY=NEVER", "555 5.5.4 Unknown parameter"),
        ("MAIL FROM:<alice@example.org>", "503 5.5.1 Not now"),
        ("DATA", "503 5.5.1 MAIL and RCPT first"),
    ],
)
async def test_mail_is_for_local_users_only(
    tmp_path: Path, command: str, reply: str
) -> None:
    script = "C: MAIL FROM:<alice@example.org>\nS: 250 2.1.0 Ok\n"
    await play(tmp_path, "smtp", script + f"C: {command}\nS: {reply}")


@pytest.mark.parametrize(
    "false_end",
    [r"\n.\n", r"\n.\r\n", r"\r\n.\n", r"\r.\r", r"\r.\r\n", r"\r\n\0.\r\n"],
)
async def test_smuggled_mail_is_no_mail(tmp_path: Path, false_end: str) -> None:
    for cut in (1, 7, 1000):
        place = tmp_path / str(cut)
        bob, alice = inbox_at(place, user=BOB), inbox_at(place, user=ALICE)
        script = (
            LOGIN["smtp"]
            + TO_BOB
            + f"""
            C~ Subject: a\\r\\n\\r\\na{false_end}
            C: MAIL FROM:<alice@example.org>
            C: RCPT TO:<alice@example.org>
            C: DATA
            C: smuggled
            C: .
            S: 550 5.6.0 Bare CR, bare LF or NUL in the message
            C: NOOP
            S: 250 2.0.0 Ok
            """
        )
        await converse(mailbox_at(place), "smtp", script, cut)
        assert messages_in(bob) == messages_in(alice) == []
        assert not list((bob / "tmp").iterdir())


async def test_pipelined_mails_are_two_mails(tmp_path: Path) -> None:
    inbox = inbox_at(tmp_path, user=BOB)
    mail = """
        C: MAIL FROM:<alice@example.org>
        C: RCPT TO:<bob@example.org>
        C: RCPT TO:<bob@example.org>
        C: DATA
        """
    replies = """
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        """
    script = LOGIN["smtp"] + mail + replies
    script += "C: one\nC: .\n" + mail + "S: 250 2.0.0 Delivered\n" + replies
    script += "C: two\nC: .\nC: QUIT\nS: 250 2.0.0 Delivered\nS: 221 2.0.0 Bye"
    await converse(mailbox_at(tmp_path), "smtp", script)
    assert [message.splitlines()[-1] for message in messages_in(inbox)] == [
        b"one",
        b"two",
    ]


async def test_mail_to_two_is_one_file(tmp_path: Path) -> None:
    inboxes = [inbox_at(tmp_path, user=user) for user in (ALICE, BOB)]
    script = LOGIN["smtp"] + TO_BOB.replace(
        "C: DATA", "C: RCPT TO:<alice@example.org>\nS: 250 2.1.5 Ok\nC: DATA"
    )
    script += "C: x\nC: .\nS: 250 2.0.0 Delivered"
    await converse(mailbox_at(tmp_path), "smtp", script)
    assert messages_in(inboxes[0]) == messages_in(inboxes[1]) != []


async def test_mail_that_is_too_large_is_refused_after_its_end(tmp_path: Path) -> None:
    inbox = inbox_at(tmp_path, user=BOB)
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailbox_at(tmp_path).serve, theirs, "smtp")
        client = Client(ours)
        await client.play(LOGIN["smtp"] + TO_BOB)
        block = b"0123456789abcd\r\n" * 65536
        for _ in range(MAX_MESSAGE // len(block) + 1):
            await ours.send_all(block)
        await client.play("C: .\nS: 552 5.3.4 Message too large\nC: QUIT")
        await client.play("S: 221 2.0.0 Bye")
    assert messages_in(inbox) == []


async def test_mail_without_its_end_is_no_mail(tmp_path: Path) -> None:
    inbox = inbox_at(tmp_path, user=BOB)
    await converse(mailbox_at(tmp_path), "smtp", LOGIN["smtp"] + TO_BOB + "C: half")
    assert messages_in(inbox) == []
    assert not list((inbox / "tmp").iterdir())


async def test_line_without_end_is_the_last(tmp_path: Path) -> None:
    long = "x" * 12_288
    await play(tmp_path, "smtp", f"C~ {long}\nS: 500 5.5.2 Line too long")


@pytest.mark.parametrize(
    ("argument", "address"),
    [
        (b"TO:<a@b>", b"a@b"),
        (b"to: <A@b> X=1 Y", b"a@b"),
        (b"TO:<>", b""),
        (b'TO:<"a b"@c>', b'"a b"@c'),
        (b"TO:<a@[127.0.0.1]>", b"a@[127.0.0.1]"),
        (b"FROM:<a@b>", None),
        (b"TO:<a@b", None),
        (b"TO:<a b@c>", None),
        (b"TO:<a\r@c>", None),
        (b"TO:<a\xe4@c>", None),
        (b"TO:<@x:a@b>", None),
        (b"TO:<" + b"a" * 257 + b">", None),
    ],
)
def test_path_is_an_address_in_angles(argument: bytes, address: bytes | None) -> None:
    path = parse_path(argument, b"TO")
    assert (path and path.address) == address
