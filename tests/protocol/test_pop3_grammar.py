"""POP3 on the wire: RFC 1939 section 3, RFC 2449 sections 4 and 8, RFC 3206."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.protocol.credentials import Reason
from mailssl_trio.protocol.pop3.grammar import (
    RESPONSE_CODE,
    Command,
    Reply,
    is_text,
    parse_command,
    parse_reply,
)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"", Command(b"")),
        (b"noop", Command(b"NOOP")),
        (b"USER mrose", Command(b"USER", b"mrose")),
        (b"pass  two  spaces ", Command(b"PASS", b" two  spaces ")),
        (b" NOOP", Command(b"", b"NOOP")),
    ],
)
def test_a_line_is_a_keyword_and_the_rest(line: bytes, command: Command) -> None:
    assert parse_command(line) == command


@given(st.binary().filter(lambda verb: b" " not in verb), st.binary())
def test_every_argument_comes_back_whole(verb: bytes, argument: bytes) -> None:
    assert parse_command(verb + b" " + argument) == Command(verb.upper(), argument)


def test_arguments_are_not_shown() -> None:
    assert repr(parse_command(b"PASS tanstaaf")) == "Command(verb=b'PASS')"


@given(st.binary())
def test_text_has_neither_nul_nor_carriage_return(line: bytes) -> None:
    assert is_text(line) == (not {0, 13} & set(line))


@pytest.mark.parametrize(
    ("line", "ok"),
    [(b"+OK", True), (b"+ok ready", True), (b"-ERR", False), (b"-Err [AUTH] x", False)],
)
def test_a_status_line_is_positive_or_negative(line: bytes, ok: bool) -> None:
    assert parse_reply(line) == Reply(ok, line)


@pytest.mark.parametrize("line", [b"", b"+", b"+ ", b"+OKAY", b" +OK", b"OK", b"* OK"])
def test_anything_else_is_no_status_line(line: bytes) -> None:
    assert parse_reply(line) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"-ERR", Reason.AUTHENTICATIONFAILED),
        (b"-ERR no such mailbox", Reason.AUTHENTICATIONFAILED),
        (b"-ERR [AUTH] wrong", Reason.AUTHENTICATIONFAILED),
        (b"-ERR [SYS/TEMP] later", Reason.UNAVAILABLE),
        (b"-ERR [sys/temp]", Reason.UNAVAILABLE),
        (b"-ERR [SYS/PERM] never", Reason.CONTACTADMIN),
        (b"-ERR [IN-USE] by another session", Reason.LIMIT),
        (b"-ERR [LOGIN-DELAY] not so often", Reason.UNAVAILABLE),
        (b"-ERR said [SYS/PERM]", Reason.AUTHENTICATIONFAILED),
    ],
)
def test_the_response_code_tells_why_a_login_failed(
    line: bytes, reason: Reason
) -> None:
    assert Reply(False, line).reason is reason


def test_every_reason_has_its_words() -> None:
    assert set(RESPONSE_CODE) == set(Reason)
