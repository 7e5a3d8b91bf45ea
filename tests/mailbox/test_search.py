"""SEARCH: every key of RFC 3501 section 6.4.4 against four messages."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.mailbox.disk import Disk
from mailssl_trio.mailbox.folder import Folder
from mailssl_trio.mailbox.imap.arguments import Arguments
from mailssl_trio.mailbox.imap.search import parse_search, search
from mailssl_trio.mailbox.imap.view import View
from mailssl_trio.mailbox.maildir import Draft, Flag, Flags
from mailssl_trio.mailbox.text import header_text, says
from tests.mailbox.conversation import crlf, inbox_at

DAY = 86400

MAIL: list[tuple[str, Flags, int]] = [
    (
        "Date: Wed, 17 Jul 1996 23:23:25 -0700\nFrom: Fred <fred@a>\nTo: x@y\n"
        "Subject: plain news\n\nHello World\n",
        frozenset({Flag.SEEN}),
        0,
    ),
    (
        "Date: Thu, 18 Jul 1996 01:00:00 +0900\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@a>\n"
        "Cc: c@d\nBcc: b@d\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe, hel=\nlo\n",
        frozenset({Flag.FLAGGED, Flag.ANSWERED}),
        DAY,
    ),
    (
        "Subject: parts\nX-Empty:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n"
        "\n//5oAGkAZABkAGUA\nbgA=\n--b\nContent-Type: message/rfc822\n\n"
        "Subject: inner\n\ntreasure\n--b\nContent-Type: image/gif\n\nhello\n--b--\n",
        frozenset({Flag.DRAFT, Flag.DELETED}),
        2 * DAY,
    ),
    (
        "Date: nonsense\nSubject: =?x?y?z\nContent-Type: text/plain; charset=hex\n\n"
        + "x" * 3000
        + "\n",
        frozenset(),
        3 * DAY,
    ),
]


@pytest.fixture
def view(tmp_path: Path) -> View:
    inbox = inbox_at(tmp_path)
    for text, flags, date in MAIL:
        draft = Draft(inbox)
        draft.write(crlf(text))
        draft.deliver([inbox], flags, date)
        draft.discard()
    view = View(Disk(), Folder(inbox, inbox), read_only=False)
    view.messages = list(view.folder.look().messages)
    view.recent = {4}
    return view


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("ALL", [1, 2, 3, 4]),
        ("SEEN", [1]),
        ("UNSEEN", [2, 3, 4]),
        ("FLAGGED ANSWERED", [2]),
        ("UNFLAGGED", [1, 3, 4]),
        ("UNANSWERED UNDRAFT UNDELETED", [1, 4]),
        ("OR DRAFT SEEN", [1, 3]),
        ("DELETED", [3]),
        ("RECENT", [4]),
        ("NEW", [4]),
        ("OLD", [1, 2, 3]),
        ("KEYWORD $Junk", []),
        ("UNKEYWORD $Junk", [1, 2, 3, 4]),
        ("2:3", [2, 3]),
        ("*", [4]),
        ("UID 3:99", [3, 4]),
        ("UID 99:*", [4]),
        ("NOT 1", [2, 3, 4]),
        ("NOT (1 SEEN)", [2, 3, 4]),
        ("(OR 1 2) (NOT SEEN)", [2]),
        ("BEFORE 2-Jan-1970", [1]),
        ("ON 2-Jan-1970", [2]),
        ('SINCE "2-Jan-1970"', [2, 3, 4]),
        ("SENTON 17-Jul-1996", [1]),
        ("SENTSINCE 18-Jul-1996", [2]),
        ("SENTBEFORE 1-Jan-2000", [1, 2]),
        ("LARGER 3000", [4]),
        ("SMALLER 130", [1]),
        ("FROM fred", [1]),
        ('FROM "JÜRGEN"', [2]),
        ("TO X@Y", [1]),
        ("CC c@ BCC b@", [2]),
        ("SUBJECT news", [1]),
        ('SUBJECT "=?x?y"', [4]),
        ('HEADER X-Empty ""', [3]),
        ('HEADER X-None ""', []),
        ("BODY hello", [1, 2]),
        ("BODY grüsse", [2]),
        ("BODY hidden", [3]),
        ("BODY treasure", [3]),
        ("BODY inner", [3]),
        ("BODY news", []),
        ("TEXT news", [1]),
        ("TEXT hello", [1, 2]),
        ("BODY xxx", [4]),
        ("CHARSET utf-8 BODY GRÜßE", [2]),
        ("charset US-ASCII ALL", [1, 2, 3, 4]),
        ("BODY {5+}\r\nhello SEEN", [1]),
    ],
)
def test_key_finds_its_messages(view: View, keys: str, found: list[int]) -> None:
    program = parse_search(Arguments(keys.encode()), view)
    assert program is not None
    assert search(program, view, list(enumerate(view.messages, 1))) == found


def test_unknown_charset_is_no_search(view: View) -> None:
    assert parse_search(Arguments(b"CHARSET KOI8-R ALL"), view) is None


def test_message_that_is_gone_is_not_found(view: View) -> None:
    program = parse_search(Arguments(b"SMALLER 9999"), view)
    assert program is not None
    view.folder.remove({2}, only_deleted=False)
    assert search(program, view, list(enumerate(view.messages, 1))) == [1, 3, 4]


@given(st.lists(st.text("abß", max_size=3), max_size=5), st.text("abß", max_size=4))
def test_words_are_found_across_pieces(pieces: list[str], needle: str) -> None:
    expected = needle.casefold() in "".join(pieces).casefold()
    assert says(["", *pieces], needle) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?b?w6Q=?= =?iso-8859-1?q?=E4?=", "ää"),
        (b"\xc3\xa4", "ä"),
        (b"=?hex?q?zz?=", "zz"),
        (b"=?idna?q?xn--=E4?=", "xn--\ufffd"),
        (b"=?utf-8?b?!?=", ""),
    ],
)
def test_header_says_what_its_encoded_words_say(value: bytes, text: str) -> None:
    assert header_text(value) == text


@given(st.lists(st.sampled_from(list("=?utf-8bqQBx!_ \xe4idna"))).map("".join))
def test_no_header_breaks_a_search(text: str) -> None:
    assert isinstance(header_text(text.encode("latin-1")), str)
