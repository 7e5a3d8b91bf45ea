"""Sequence sets, flags and dates: the small grammars of RFC 3501 section 9."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.mailbox.imap.arguments import Arguments, BadSyntaxError
from mailssl_trio.mailbox.imap.dates import parse_date_time
from mailssl_trio.mailbox.imap.sequence import parse_sequence_set, write_set
from mailssl_trio.mailbox.imap.strings import date_time, string


@pytest.mark.parametrize(
    ("text", "last", "ranges"),
    [
        (b"2", 9, ((2, 2),)),
        (b"2,4:7,9,12:*", 15, ((2, 2), (4, 7), (9, 9), (12, 15))),
        (b"*:4,5:7", 10, ((4, 10),)),
        (b"3:1", 10, ((1, 3),)),
        (b"559:*", 10, ((10, 559),)),
        (b"*", 0, ((0, 0),)),
        (b"1,2,3", 3, ((1, 3),)),
    ],
)
def test_set_names_numbers(
    text: bytes, last: int, ranges: tuple[tuple[int, int], ...]
) -> None:
    assert parse_sequence_set(Arguments(text)).numbers(last).ranges == ranges


@pytest.mark.parametrize("text", [b"", b"0", b"a", b",1", b"$", b":5"])
def test_what_is_no_set_is_no_syntax(text: bytes) -> None:
    with pytest.raises(BadSyntaxError):
        parse_sequence_set(Arguments(text))


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1))
def test_membership_is_that_of_the_ranges(pairs: list[tuple[int, int]]) -> None:
    text = ",".join(f"{low}:{high}" for low, high in pairs).encode()
    numbers = parse_sequence_set(Arguments(text)).numbers(20)
    meant = {n for a, b in pairs for n in range(min(a, b), max(a, b) + 1)}
    assert {n for n in range(22) if n in numbers} == meant


@given(st.sets(st.integers(1, 60), min_size=1))
def test_set_that_is_written_reads_as_it_was(numbers: set[int]) -> None:
    text = write_set(sorted(numbers))
    found = parse_sequence_set(Arguments(text)).numbers(99)
    assert {n for n in range(99) if n in found} == numbers


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (b'"17-Jul-1996 02:44:25 -0700"', 837596665),
        (b'" 1-Jan-1970 00:00:00 +0000"', 0),
        (b'"01-jan-1970 01:30:00 +0130"', 0),
        (b'"31-Dec-2016 23:59:60 +0000"', 1483228799),
    ],
)
def test_date_time_is_a_moment(text: bytes, seconds: float) -> None:
    assert parse_date_time(Arguments(text)) == seconds


@pytest.mark.parametrize(
    "text",
    [
        b'"31-Feb-1996 02:44:25 -0700"',
        b'"17-Foo-1996 02:44:25 -0700"',
        b'"17-Jul-1996 25:44:25 -0700"',
        b'"17-Jul-1996 02:44:25 -9999"',
        b'"17-Jul-0000 02:44:25 +0000"',
        b"17-Jul-1996 02:44:25 -0700",
    ],
)
def test_moment_that_never_was_is_no_syntax(text: bytes) -> None:
    with pytest.raises(BadSyntaxError):
        parse_date_time(Arguments(text))


def test_date_time_is_written_in_utc() -> None:
    assert date_time(837596665) == b'"17-Jul-1996 09:44:25 +0000"'
    assert date_time(0) == b'" 1-Jan-1970 00:00:00 +0000"'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (b"", b'""'),
        (b'a "b" \\', b'"a \\"b\\" \\\\"'),
        (b"\xe4", b"{1}\r\n\xe4"),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"a\0\r", b"{2}\r\na\r"),
    ],
)
def test_string_is_a_literal_where_it_must(value: bytes, written: bytes) -> None:
    assert string(value) == written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"atom", b"atom"),
        (b'"a \\"b\\" \\\\"', b'a "b" \\'),
        (b"{3}\r\na b", b"a b"),
        (b"{3+}\r\n\r\n\r", b"\r\n\r"),
        (b"a]b", b"a]b"),
        (b"{0}\r\n", b""),
    ],
)
def test_astring_says_the_same_in_any_form(text: bytes, value: bytes) -> None:
    arguments = Arguments(text)
    assert arguments.astring() == value
    arguments.end()


@pytest.mark.parametrize(
    "text", [b"", b'"a', b'"\\a"', b"{3}\r\nab", b"{3}ab", b"(a)", b"{1}\r\n\0", b"a*b"]
)
def test_what_is_no_astring_is_no_syntax(text: bytes) -> None:
    arguments = Arguments(text)
    with pytest.raises(BadSyntaxError):
        arguments.end() if arguments.astring() else None
