"""Tables: aligned, and harmless whatever a client has called himself."""

from mailssl_trio.cli.table import megabytes, moment, printable, table


def test_columns_are_as_wide_as_they_must_be_and_numbers_stand_at_the_right() -> None:
    rows = [("alice", 7, "a"), ("bob@example.org", 1234, "")]
    assert table(("user", "sessions", "from"), rows).splitlines() == [
        "user             sessions  from",
        "alice                   7  a",
        "bob@example.org      1234  -",
    ]


def test_what_is_not_known_is_a_dash() -> None:
    assert table(("a",), [(None,)]) == "a\n-"
    assert moment(None) == megabytes(None) == "-"
    assert megabytes(3 * 2**20 + 5) == "3 MB"


def test_name_that_would_clear_the_screen_is_a_name() -> None:
    rows = [("\x1b[2J\r\nroot  imap", "x"), ("a\u202eb", "zoë")]
    shown = table(("user", "x"), rows)
    assert "\x1b" not in shown
    assert shown.count("\n") == 2
    assert "\\x1b[2J\\r\\nroot" in shown
    assert "\\u202e" in shown
    assert "zoë" in shown
    assert printable("日本") == "日本"
