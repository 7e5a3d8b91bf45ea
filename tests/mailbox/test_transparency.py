"""RFC 5321 section 4.5.2 both ways; and where a message ends: nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.mailbox.transparency import DotStuffing, DotUnstuffing
from tests.transcript import sections

FRAGMENTS = st.lists(
    st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\r\n.", b"\0"]), max_size=12
).map(b"".join)


def unstuffed(data: bytes, cut: int) -> tuple[bytes, DotUnstuffing]:
    """Take a whole transmission in pieces, up to its end."""
    text = DotUnstuffing()
    message = b""
    for piece in sections(data, cut):
        if text.is_over:
            text.rest += piece
        else:
            message += text.receive(piece)
    return message, text


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b".\r\n", b""),
        (b"a\r\n.\r\n", b"a\r\n"),
        (b"..\r\n.\r\n", b".\r\n"),
        (b".a\r\n.\r\n", b"a\r\n"),
        (b"\r\n\r\n..a\r\n\r\n.\r\n", b"\r\n\r\n.a\r\n\r\n"),
        (b"a\r\n.b\r\n...\r\n.\r\n", b"a\r\nb\r\n..\r\n"),
    ],
)
def test_dots_are_taken_from_line_starts(data: bytes, message: bytes, cut: int) -> None:
    found, text = unstuffed(data + b"QUIT\r\n", cut)
    assert (found, text.rest) == (message, b"QUIT\r\n")
    assert text.is_over
    assert text.is_clean


@pytest.mark.parametrize("cut", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    "false_end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\n.\r",
        b"\r\n\0.\r\n",
        b"\r\r\n.\n",
        b"\r\n.\r\r\n",
    ],
)
def test_false_end_is_no_end_and_spoils_the_message(false_end: bytes, cut: int) -> None:
    smuggled = b"a" + false_end + b"MAIL FROM:<b@c>\r\n"
    _, text = unstuffed(smuggled, cut)
    assert not text.is_over
    _, text = unstuffed(smuggled + b"\r\n.\r\n", cut)
    assert text.is_over
    assert not text.is_clean
    assert text.rest == b""


@given(FRAGMENTS, st.integers(1, 9))
def test_message_does_not_depend_on_how_it_is_cut(data: bytes, cut: int) -> None:
    whole, at_once = unstuffed(data + b"\r\n.\r\nrest", 1000)
    found, in_pieces = unstuffed(data + b"\r\n.\r\nrest", cut)
    assert found == whole
    assert in_pieces.rest == at_once.rest
    assert in_pieces.is_clean == at_once.is_clean


@given(FRAGMENTS, st.integers(1, 9))
def test_what_is_stuffed_is_unstuffed_again(octets: bytes, cut: int) -> None:
    stuffing = DotStuffing()
    sent = b"".join(stuffing.send(piece) for piece in sections(octets, cut))
    found, text = unstuffed(sent + stuffing.end(), 1000)
    assert text.is_over
    assert text.rest == b""
    lines = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert found == lines + (b"" if lines.endswith(b"\r\n") or not lines else b"\r\n")
