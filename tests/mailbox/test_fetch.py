"""FETCH: what RFC 3501 sections 6.4.5 and 7.4.2 say of all kinds of messages."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.mailbox.fields import parse_fields
from mailssl_trio.mailbox.folder import Folder
from mailssl_trio.mailbox.imap.answer import Content, answer
from mailssl_trio.mailbox.imap.arguments import Arguments
from mailssl_trio.mailbox.imap.attributes import parse_attributes
from mailssl_trio.mailbox.imap.bodystructure import body_structure
from mailssl_trio.mailbox.imap.envelope import envelope
from mailssl_trio.mailbox.mime import Part
from mailssl_trio.mailbox.octets import WINDOW, Extent
from tests.mailbox.conversation import crlf, inbox_at

PLAIN = crlf("Subject: plain\nFrom: a@b\n\nfirst\nsecond\n")

# The message of RFC 3501 section 6.4.5, as its numbers of parts require it.
NESTED = crlf("""\
Subject: nested
Content-Type: multipart/mixed; boundary="M"

preamble
--M
Content-Type: text/plain; charset=utf-8

one
--M
Content-Type: application/octet-stream; name="x.bin"
Content-Disposition: attachment; filename="x.bin"
Content-Transfer-Encoding: base64

AAEC
--M
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/alternative; boundary=I

--I

3.1
--I
Content-Type: text/html

<p>3.2</p>
--I--
--M
Content-Type: image/gif
Content-ID: <i@d>

GIF
--M--
epilogue
""")


def fetched(tmp_path: Path, message: bytes, attributes: str) -> bytes:
    """Return what FETCH answers for one message."""
    inbox = inbox_at(tmp_path, message)
    folder = Folder(inbox, inbox)
    parsed = parse_attributes(Arguments(attributes.encode()))
    found = answer(folder, folder.look().messages[0], parsed, recent=False)
    assert found is not None
    octets = b""
    for piece in found.pieces:
        if isinstance(piece, bytes):
            octets += piece
        else:
            assert found.content is not None
            octets += found.content.octets.read(piece.start, piece.end)
    found.close()
    return octets


@pytest.mark.parametrize(
    ("section", "octets"),
    [
        ("", PLAIN),
        ("HEADER", b"Subject: plain\r\nFrom: a@b\r\n\r\n"),
        ("TEXT", b"first\r\nsecond\r\n"),
        ("1", b"first\r\nsecond\r\n"),
        ("1.MIME", b"Subject: plain\r\nFrom: a@b\r\n\r\n"),
        ("HEADER.FIELDS (FROM X)", b"From: a@b\r\n\r\n"),
        ('HEADER.FIELDS.NOT ("from")', b"Subject: plain\r\n\r\n"),
    ],
)
def test_sections_of_a_plain_message(
    tmp_path: Path, section: str, octets: bytes
) -> None:
    label = section.replace('"', "").encode()
    expected = b"BODY[%b] {%d}\r\n%b" % (label, len(octets), octets)
    assert fetched(tmp_path, PLAIN, f"BODY[{section}]") == expected


@pytest.mark.parametrize(
    ("section", "octets"),
    [
        ("1", b"one"),
        ("1.MIME", b"Content-Type: text/plain; charset=utf-8\r\n\r\n"),
        ("2", b"AAEC"),
        (
            "3.HEADER",
            crlf("Subject: inner\nContent-Type: multipart/alternative; boundary=I\n\n"),
        ),
        (
            "3.TEXT",
            crlf("--I\n\n3.1\n--I\nContent-Type: text/html\n\n<p>3.2</p>\n--I--"),
        ),
        ("3.HEADER.FIELDS (Subject)", b"Subject: inner\r\n\r\n"),
        ("3.1", b"3.1"),
        ("3.1.MIME", b"\r\n"),
        ("3.2", b"<p>3.2</p>"),
        ("3.2.MIME", b"Content-Type: text/html\r\n\r\n"),
        ("4", b"GIF"),
    ],
)
def test_parts_have_numbers(tmp_path: Path, section: str, octets: bytes) -> None:
    found = fetched(tmp_path, NESTED, f"BODY.PEEK[{section}]")
    assert found == b"BODY[%b] {%d}\r\n%b" % (section.encode(), len(octets), octets)


@pytest.mark.parametrize("section", ["5", "1.1", "3.3", "3.1.1", "1.HEADER", "4.TEXT"])
def test_part_that_is_not_there_is_nil(tmp_path: Path, section: str) -> None:
    found = fetched(tmp_path, NESTED, f"BODY[{section}]")
    assert found == b"BODY[%b] NIL" % section.encode()


@pytest.mark.parametrize(
    ("partial", "octets"),
    [
        ("0.5", b"first"),
        ("5.4", b"\r\nse"),
        ("15.9", b""),
        ("99.1", b""),
        ("7.99", b"second\r\n"),
    ],
)
def test_partial_is_a_stretch_of_what_is_there(
    tmp_path: Path, partial: str, octets: bytes
) -> None:
    start = partial.partition(".")[0].encode()
    found = fetched(tmp_path, PLAIN, f"BODY[TEXT]<{partial}>")
    assert found == b"BODY[TEXT]<%b> {%d}\r\n%b" % (start, len(octets), octets)


def test_old_names_mean_sections(tmp_path: Path) -> None:
    found = fetched(tmp_path, b"a: b\r\n\r\nc", "(RFC822.TEXT RFC822.HEADER RFC822)")
    assert found == (
        b"RFC822.TEXT {1}\r\nc RFC822.HEADER {8}\r\na: b\r\n\r\n "
        b"RFC822 {9}\r\na: b\r\n\r\nc"
    )


def test_macro_stands_for_attributes(tmp_path: Path) -> None:
    assert fetched(tmp_path, PLAIN, "FAST") == (
        b'FLAGS () INTERNALDATE " 1-Jan-1970 00:00:00 +0000" RFC822.SIZE 44'
    )


ASCII = '"text" "plain" ("charset" "us-ascii") NIL NIL "7bit"'


@pytest.mark.parametrize(
    ("message", "structure"),
    [
        ("\nhi\n", f"({ASCII} 4 1)"),
        ("a: b\n\n", f"({ASCII} 0 0)"),
        ("a: b\n", f"({ASCII} 0 0)"),
        ("", f"({ASCII} 0 0)"),
        ("Content-Type: rubbish\n\nx", f"({ASCII} 1 0)"),
        (
            'Content-Type: TEXT/HTML; Charset="utf-8"\n'
            "Content-Transfer-Encoding: 8BIT\nContent-ID: <a@b>\n"
            "Content-Description: d\n\nx",
            '("text" "html" ("charset" "utf-8") "<a@b>" "d" "8bit" 1 0)',
        ),
        (
            "Content-Type: image/gif\n\nGIF",
            '("image" "gif" NIL NIL NIL "7bit" 3)',
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b\n\n2\n--b--",
            f'(({ASCII} 1 0)({ASCII} 1 0) "mixed")',
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nno end",
            f'(({ASCII} 6 0) "mixed")',
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\nno part",
            f'(({ASCII} 0 0) "mixed")',
        ),
        ("Content-Type: multipart/mixed\n\n--\n", f'(({ASCII} 0 0) "mixed")'),
        (
            "Content-Type: multipart/mixed; boundary=b\n\n"
            "--bb\n--b\n\n--bb\n--b \n--b--x\n\n--b--",
            f'(({ASCII} 4 0)({ASCII} 0 0) "mixed")',
        ),
        (
            "Content-Type: message/rfc822\n\nSubject: i\n\nx\n",
            '("message" "rfc822" NIL NIL NIL "7bit" 17 (NIL "i" NIL NIL NIL NIL NIL '
            f"NIL NIL NIL) ({ASCII} 3 1) 3)",
        ),
        (
            "Content-Type: multipart/digest; boundary=b\n\n--b\n\na: b\n\n--b--",
            '(("message" "rfc822" NIL NIL NIL "7bit" 6 (NIL NIL NIL NIL NIL NIL NIL '
            f'NIL NIL NIL) ({ASCII} 0 0) 1) "digest")',
        ),
    ],
)
def test_body_tells_what_parts_there_are(
    tmp_path: Path, message: str, structure: str
) -> None:
    found = fetched(tmp_path, crlf(message), "BODY")
    assert found.decode() == "BODY " + structure


def test_bodystructure_tells_the_rest_too(tmp_path: Path) -> None:
    message = crlf("""\
Content-Type: multipart/mixed; boundary=b
Content-Language: en

--b
Content-Type: text/plain; name="a \\"b\\""
Content-Disposition: attachment; filename=x
Content-MD5: Q2hlY2s=
Content-Location: here

--b--
""")
    assert fetched(tmp_path, message, "BODYSTRUCTURE").decode() == (
        'BODYSTRUCTURE (("text" "plain" ("name" "a \\"b\\"" "charset" "us-ascii") '
        'NIL NIL "7bit" 0 0 "Q2hlY2s=" ("attachment" ("filename" "x")) NIL "here") '
        '"mixed" ("boundary" "b") NIL "en" NIL)'
    )


def test_boundary_is_found_across_the_edge_of_a_window(tmp_path: Path) -> None:
    for shift in (*range(-20, 3), 1000):
        head = b"Content-Type: multipart/mixed; boundary=bbbb\r\n\r\n--bbbb\r\n\r\n"
        filler = b"x" * (WINDOW + shift)
        message = head + filler + b"\r\n--bbbb\r\n\r\nsecond\r\n--bbbb--\r\n"
        place = tmp_path / str(shift)
        assert fetched(place, message, "BODY[2]") == b"BODY[2] {6}\r\nsecond"
        message = head + filler + b"\r\n--bbbb--\r\nepilogue\r\n--bbbb\r\n"
        assert fetched(place / "closed", message, "BODY[2]") == b"BODY[2] NIL"


def test_parts_within_parts_have_an_end(tmp_path: Path) -> None:
    message = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n)
        for n in range(500)
    )
    assert fetched(tmp_path / "1", message, "BODYSTRUCTURE").count(b"mixed") == 20
    message = b"Content-Type: message/rfc822\r\n\r\n" * 500
    assert fetched(tmp_path / "2", message, "BODY").count(b"rfc822") == 20
    message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 5000
    assert fetched(tmp_path / "3", message, "BODY").count(b"plain") < 1001


@pytest.mark.parametrize(
    ("header", "written"),
    [
        ("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
        (
            "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n"
            "From: Terry Gray <gray@cac.washington.edu>\n"
            "Subject: IMAP4rev1 WG mtg summary\n and minutes\n"
            "To: imap@cac.washington.edu\n"
            "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\n"
            "Message-Id: <B27397-0100000@cac.washington.edu>\n",
            '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" '
            '"IMAP4rev1 WG mtg summary and minutes" '
            '(("Terry Gray" NIL "gray" "cac.washington.edu")) '
            '(("Terry Gray" NIL "gray" "cac.washington.edu")) '
            '(("Terry Gray" NIL "gray" "cac.washington.edu")) '
            '((NIL NIL "imap" "cac.washington.edu")) '
            '((NIL NIL "minutes" "CNRI.Reston.VA.US")'
            '("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL '
            '"<B27397-0100000@cac.washington.edu>")',
        ),
        (
            "From: =?utf-8?q?J=C3=BCrgen?= <j@d>\nSender: s@d\nReply-To: r@d\n"
            "To: undisclosed-recipients:;\nIn-Reply-To: <x@y>\nSubject:\n",
            '(NIL "" (("=?utf-8?q?J=C3=BCrgen?=" NIL "j" "d")) ((NIL NIL "s" "d")) '
            '((NIL NIL "r" "d")) NIL NIL NIL "<x@y>" NIL)',
        ),
        (f"To: {'(' * 5000}\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"),
    ],
)
def test_envelope_is_the_header_in_strings(header: str, written: str) -> None:
    assert envelope(parse_fields(crlf(header))).decode() == written


def test_8_bit_header_travels_as_a_literal() -> None:
    written = envelope(parse_fields(b"Subject: \xc3\xa4\r\n"))
    assert written.startswith(b"(NIL {2}\r\n\xc3\xa4 NIL ")


@given(st.lists(st.sampled_from(list('From: \r\n\t,;<>()@"\\=?a\0\xe4'))).map("".join))
def test_no_header_breaks_an_envelope(text: str) -> None:
    header = b"From: " + text.encode("latin-1")
    assert b"\0" not in envelope(parse_fields(header))


@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: multipart/mixed; boundary=b\r\n",
                b"Content-Type: message/rfc822\r\n",
                b'Content-Type: text/plain; a="\r\n',
                b"\r\n",
                b"--b\r\n",
                b"--b--\r\n",
                b"\n",
                b"x",
            ]
        ),
        max_size=12,
    ).map(b"".join)
)
def test_parts_of_any_message_lie_within_it(
    tmp_path_factory: pytest.TempPathFactory, message: bytes
) -> None:
    path = tmp_path_factory.mktemp("parts") / "message"
    path.write_bytes(message)
    with path.open("rb") as file:
        content = Content(file)
        assert_within(content.root, Extent(0, len(message)))
        assert content.root.header == content.header
        assert body_structure(content.octets, content.root, extended=True)


def assert_within(part: Part, whole: Extent) -> None:
    """Check that a part and all it holds lie where they may."""
    assert whole.start <= part.header.start <= part.header.end == part.body.start
    assert part.body.end <= whole.end
    end = part.body.start
    for child in part.children:
        assert end <= child.header.start
        assert_within(child, part.body)
        end = child.body.end
    if part.message:
        assert_within(part.message, part.body)
