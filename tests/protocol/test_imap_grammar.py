"""The grammar of RFC 9051 section 9, as far as every IMAP session needs it."""

import string
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Goodbye,
    LoggedIn,
    NeedData,
    Refused,
    StartTls,
)
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.imap.grammar import (
    Announcement,
    Atom,
    Command,
    Garbage,
    Literal,
    Parenthesis,
    Quoted,
    announced,
    parse_command,
    quoted,
    scan,
)
from mailssl_trio.protocol.imap.notation import AS_TYPED
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.server_session import Policy, StartTlsMode

ASTRING_CHARS = "".join(sorted(set(map(chr, range(0x21, 0x7F))) - set('(){%*"\\')))
OCTETS = some.binary(max_size=40)
ONE_LINE = OCTETS.map(lambda octets: octets.translate(None, b"\0\r\n"))
LINES = some.lists(
    some.sampled_from(
        [b"a", b" ", b"LOGIN", b"ID", b"NOOP", b"AUTHENTICATE PLAIN", b"STARTTLS",
         b"(", b")", b'"', b"\\", b"{3}", b"{3+}", b"{0+}", b"{99999+}", b"x", b"\0",
         b"\r\n", b"\n", b"\r", b"*", b"+", b"OK", b"NO", b"G1", b"* OK", b"[", b"]",
         b"CAPABILITY", b"* CAPABILITY AUTH=PLAIN", b"\xff", b"="]
    )
    | some.binary(max_size=5)
).map(b"".join)  # fmt: skip


@given(some.text(ASTRING_CHARS.replace("+", ""), min_size=1), some.binary())
@example("OK", b"")
def test_any_tag_is_found_whatever_follows(tag: str, rest: bytes) -> None:
    assert parse_command(tag.encode() + b" " + rest).tag == tag.encode()


@given(some.text(string.printable, min_size=1))
def test_tag_is_legal_or_missing(line: str) -> None:
    tag = parse_command(line.encode()).tag
    assert tag == b"*" or set(tag.decode()) <= set(ASTRING_CHARS) - {"+"}


@given(some.text(ASTRING_CHARS, min_size=1))
def test_any_atom_stands_for_itself(atom: str) -> None:
    assert scan(f" {atom}".encode()) == (Atom(atom.encode()),)


@given(ONE_LINE.map(lambda octets: octets.replace(b" ", b"")))
@example(b"se{cret")
@example(b"x{3}")
def test_word_of_a_login_stands_for_itself(word: bytes) -> None:
    if word and word[:1] not in b'"{' and not word.endswith(b"+}"):
        assert scan(b" " + word, AS_TYPED) == (Atom(word),)


@pytest.mark.parametrize("word", [b"x{3+}", b"{3+}x{3+}", b'"x{3+}', b"~{0+}"])
def test_no_word_ends_in_what_brings_octets_unasked(word: bytes) -> None:
    assert Garbage() in scan(b" " + word, AS_TYPED)


@given(ONE_LINE)
@example(b'"\\')
@example(b"")
@example(b"{3+}")
def test_quoted_string_is_read_back(value: bytes) -> None:
    printable = all(0x20 <= octet < 0x7F for octet in value)
    written = quoted(value)
    assert (written is not None) == printable
    if written is not None:
        assert scan(b" " + written) == (Quoted(value),)


@given(some.binary().filter(lambda octets: b"\0" not in octets))
def test_literal_is_taken_as_it_is(value: bytes) -> None:
    command = parse_command(b"a LOGIN {%d}" % len(value)).continued(value, b" x")
    assert command.arguments == (Literal(value), Atom(b"x"))
    assert command.announced is None


@given(some.binary())
@example(b" " * 100)
@example(b' ("\\\\" {3}')
def test_no_octets_break_the_grammar(text: bytes) -> None:
    scan(text)
    scan(text, AS_TYPED)
    announced(text)
    parse_command(text).continued(text, text)


@pytest.mark.parametrize(
    ("line", "literal"),
    [
        (b"a LOGIN {0}", Announcement(0)),
        (b"a LOGIN {007+}", Announcement(7, synchronising=False)),
        (b"rubbish{4}", Announcement(4)),
        (b"{" + b"0" * 5000 + b"5}", Announcement(5)),
        (b"a LOGIN {5} ", None),
        (b"a LOGIN {5-}", None),
        (b"a LOGIN {5++}", None),
        (b"a LOGIN {}", None),
        (b"a LOGIN {+}", None),
        (b"a LOGIN { 5}", None),
        ("a LOGIN {\N{ARABIC-INDIC DIGIT FIVE}}".encode(), None),
    ],
)
def test_literal_is_announced_at_the_end_of_a_line_only(
    line: bytes, literal: Announcement | None
) -> None:
    assert announced(line) == literal


@pytest.mark.parametrize("digits", [20, 4300, 4301, 8000])
def test_number_of_any_length_is_beyond_every_limit(digits: int) -> None:
    literal = announced(b"a LOGIN {" + b"9" * digits + b"+}")
    assert literal is not None
    assert literal.size > 2**60


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (b"", ()),
        (b"   ", ()),
        (b" a  b ", (Atom(b"a"), Atom(b"b"))),
        (b' ("a" NIL)', (Parenthesis.OPEN, Quoted(b"a"), Atom(b"NIL"),
                         Parenthesis.CLOSE)),
        (b" (a {3}", (Parenthesis.OPEN, Atom(b"a"), Announcement(3))),
        (b") x", (Parenthesis.CLOSE, Atom(b"x"))),
        (b"x", (Garbage(),)),
        (b"{3}", (Garbage(),)),
        (b" a(", (Atom(b"a"), Garbage())),
        (b' "a {3}', (Garbage(),)),
        (b" a{3}", (Atom(b"a"), Garbage())),
        (b' "a\\x"', (Garbage(),)),
    ],
)  # fmt: skip
def test_arguments_are_what_single_spaces_and_parentheses_part(
    text: bytes, tokens: tuple[object, ...]
) -> None:
    assert scan(text) == tokens


@pytest.mark.parametrize(
    "text",
    [b" " + b"(" * 12_000, b' "' + b"\\" * 12_000, b' "' + b"\\\\" * 6_000,
     b" " * 12_000 + b"\0", b" {1" * 4_000, b" {" + b"1" * 12_000,
     b" x" + b"{1" * 6_000, b" x" * 6_000],
)  # fmt: skip
def test_longest_lines_take_no_time(text: bytes) -> None:
    started = time.process_time()
    parse_command(b"a LOGIN" + text)
    assert time.process_time() - started < 0.05


def test_no_credential_shows_in_a_repr() -> None:
    command = parse_command(b'a LOGIN joe "secret" {6}').continued(b"secret", b"")
    assert command.arguments[1:] == (Quoted(b"secret"), Literal(b"secret"))
    assert "secret" not in repr(command)


def test_verb_is_told_in_upper_case() -> None:
    assert parse_command(b"a uid fetch").verb == b"UID"
    assert Command(b"a").verb == b""


# Whatever is received, a session ends in one of its documented ways.


@given(LINES, some.sampled_from(StartTlsMode), some.booleans())
def test_no_octets_break_the_server(
    data: bytes, mode: StartTlsMode, leaves: bool
) -> None:
    session = ImapServer(Policy("mx", mode, ("PLAIN",), ("IMAP4rev1",)))
    session.receive_data(data)
    if leaves:
        session.receive_data(b"")
    event = session.next_event()
    assert isinstance(event, NeedData | StartTls | Authenticate | Closed)
    if isinstance(event, StartTls):
        assert session.trailing_data == b""
    if isinstance(event, Authenticate):
        assert mode is not StartTlsMode.ONLY
    assert leaves is False or not isinstance(event, NeedData)
    for line in session.data_to_send().split(b"\r\n")[:-1]:
        assert b"\n" not in line
        assert b"\0" not in line


@given(LINES, some.booleans(), some.booleans())
@example(b"* OK x\r\nG1 OK x\r\n", True, False)
def test_no_octets_break_the_client(data: bytes, starttls: bool, leaves: bool) -> None:
    session = ImapClient(Password(b"joe", b"canary"), starttls=starttls)
    session.receive_data(data)
    if leaves:
        session.receive_data(b"")
    event = session.next_event()
    assert isinstance(event, NeedData | StartTls | LoggedIn | Refused | Closed)
    assert leaves is False or not isinstance(event, NeedData)
    if starttls:
        assert session.data_to_send() in {b"", b"G1 STARTTLS\r\n"}
        assert not isinstance(event, LoggedIn)
    if isinstance(event, Closed):
        assert event.reason in {Goodbye.PEER_GONE, Goodbye.PIPELINED_STARTTLS}
