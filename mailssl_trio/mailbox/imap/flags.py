"""Flags in a command and in a response (RFC 3501 section 2.3.2)."""

from collections.abc import Iterable

from mailssl_trio.mailbox.imap.arguments import FLAG, Arguments
from mailssl_trio.mailbox.maildir import Flag, Flags

FLAG_NAMED = {b"\\" + flag.name.encode(): flag for flag in Flag}

ALL_FLAGS = rb"\Answered \Flagged \Deleted \Seen \Draft"
"""What FLAGS and PERMANENTFLAGS say: keywords are not kept here."""


class KeywordError(Exception):
    """A flag that no message can have here."""


def parse_flags(arguments: Arguments) -> Flags:
    """Read flags in parentheses, or some without (STORE allows both)."""
    if arguments.peek(b"("):
        return flags_named(arguments.items(FLAG, "flag"))
    names = [arguments.take(FLAG, "flag")]
    while arguments.skip(b" "):
        names.append(arguments.take(FLAG, "flag"))
    return flags_named(names)


def flags_named(names: Iterable[bytes]) -> Flags:
    """Return the flags of these names; KeywordError for one that is not kept here."""
    try:
        return frozenset(FLAG_NAMED[name.upper()] for name in names)
    except KeyError:
        raise KeywordError from None


def write_flags(flags: Iterable[Flag], *, recent: bool = False) -> bytes:
    """Write flags as FETCH says them."""
    names = sorted(b"\\" + flag.name.capitalize().encode() for flag in flags)
    return b"(" + b" ".join([*names, *([rb"\Recent"] if recent else [])]) + b")"
