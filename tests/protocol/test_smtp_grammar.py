"""SMTP on the wire: RFC 5321 sections 4.1.1, 4.2 and RFC 4954 section 6."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol.credentials import Reason
from mailssl_trio.protocol.smtp.grammar import (
    REFUSAL,
    Command,
    Reply,
    ReplyLine,
    is_text,
    parse_command,
    parse_reply_line,
)

words = st.binary(min_size=1, max_size=20).filter(lambda word: word.split() == [word])


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"", Command(b"")),
        (b"noop", Command(b"NOOP")),
        (b"EHLO client.example.com", Command(b"EHLO", (b"client.example.com",))),
        (b"ehlo  a\tb ", Command(b"EHLO", (b"a", b"b"))),
        (b"QUIT \t", Command(b"QUIT")),
        (b"QUIT\t", Command(b"QUIT")),
        (b" NOOP", Command(b"", (b"NOOP",))),
        (b"NOOP\tx", Command(b"NOOP\tX")),
    ],
)
def test_a_line_is_a_verb_and_words(line: bytes, command: Command) -> None:
    assert parse_command(line) == command


@given(words, st.lists(words))
def test_every_verb_and_all_words_come_back(verb: bytes, rest: list[bytes]) -> None:
    expected = Command(verb.upper(), tuple(rest))
    assert parse_command(b" ".join((verb, *rest))) == expected


def test_arguments_are_not_shown() -> None:
    assert (
        repr(parse_command(b"AUTH PLAIN AGpvZQBzZWNyZXQ=")) == "Command(verb=b'AUTH')"
    )


@given(st.binary())
def test_text_has_neither_nul_nor_carriage_return(line: bytes) -> None:
    assert is_text(line) == (not {0, 13} & set(line))


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"250 OK", ReplyLine(b"250 OK", b"250", True)),
        (b"250-OK", ReplyLine(b"250-OK", b"250", False)),
        (b"250", ReplyLine(b"250", b"250", True)),
        (b"334 ", ReplyLine(b"334 ", b"334", True)),
        (b"535 \xc3\xa9\tx", ReplyLine(b"535 \xc3\xa9\tx", b"535", True)),
    ],
)
def test_a_reply_line_has_a_code_and_says_whether_more_follow(
    octets: bytes, line: ReplyLine
) -> None:
    assert parse_reply_line(octets) == line


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"25",
        b"2500 OK",
        b"150 OK",
        b"650 OK",
        b"260 OK",
        b"250+OK",
        b"250\tOK",
        b" 250 OK",
        b"+OK",
        b"250 a\0b",
        b"250 a\rb",
        b"250 a\nb",
        b"250 OK\n",
        b"250 \x1b[2J",
        b"250 \x7f",
    ],
)
def test_anything_else_is_no_reply_line(octets: bytes) -> None:
    assert parse_reply_line(octets) is None


@given(st.binary())
def test_a_reply_line_keeps_its_octets(octets: bytes) -> None:
    line = parse_reply_line(octets)
    assert line is None or line.octets == octets


@given(st.from_regex(rb"[2-5][0-5][0-9][ -][\x20-\x7e]*", fullmatch=True))
def test_every_code_and_text_make_a_reply_line(octets: bytes) -> None:
    line = parse_reply_line(octets)
    assert line == ReplyLine(octets, octets[:3], octets[3:4] == b" ")


def test_extensions_are_the_lines_behind_the_first() -> None:
    reply = Reply(
        b"250",
        (
            b"250-STARTTLS is only my name",
            b"250-8BITMIME",
            b"250-size 35882577",
            b"250-",
            b"250-AUTH=LOGIN",
            b"250 auth Plain  LOGIN",
        ),
    )
    assert reply.extensions == {
        "8BITMIME": (),
        "SIZE": ("35882577",),
        "AUTH=LOGIN": (),
        "AUTH": ("PLAIN", "LOGIN"),
    }


def test_a_reply_goes_on_as_it_came() -> None:
    assert Reply(b"235", (b"235-a", b"235 b")).octets == b"235-a\r\n235 b\r\n"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (b"421", Reason.UNAVAILABLE),
        (b"432", Reason.UNAVAILABLE),
        (b"454", Reason.UNAVAILABLE),
        (b"501", Reason.AUTHENTICATIONFAILED),
        (b"504", Reason.UNAVAILABLE),
        (b"525", Reason.CONTACTADMIN),
        (b"530", Reason.UNAVAILABLE),
        (b"534", Reason.UNAVAILABLE),
        (b"535", Reason.AUTHENTICATIONFAILED),
        (b"538", Reason.UNAVAILABLE),
        (b"554", Reason.AUTHENTICATIONFAILED),
    ],
)
def test_the_code_tells_why_a_login_failed(code: bytes, reason: Reason) -> None:
    assert Reply(code, (code,)).reason is reason


def test_every_reason_has_a_refusal_of_the_same_class() -> None:
    assert set(REFUSAL) == set(Reason)
    assert all(code[0] == code[4] for code in REFUSAL.values())


def test_spaces_at_the_end_are_no_part_of_a_command() -> None:
    assert parse_command(b"MAIL FROM:<a@b> SIZE=3 \t").line == b"MAIL FROM:<a@b> SIZE=3"
