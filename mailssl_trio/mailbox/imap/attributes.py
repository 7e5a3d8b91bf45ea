"""What FETCH asks for (RFC 3501 sections 6.4.5 and 9)."""

import re
from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.mailbox.imap.arguments import Arguments
from mailssl_trio.mailbox.imap.strings import parenthesised, string

SECTION_PART = re.compile(rb"[1-9][0-9]{0,5}(?:\.[1-9][0-9]{0,5}){0,50}")
FIELD_NAME = re.compile(rb"[!#-'+-9;-\[^-z|}~]+")


@frozen
class Plain:
    """An attribute that is only its name."""

    name: bytes


@frozen
class Section:
    """A stretch of the message, and the name under which it is answered."""

    label: bytes
    text: bytes = b""
    """HEADER, TEXT, MIME, HEADER.FIELDS, HEADER.FIELDS.NOT, or nothing for all."""
    numbers: tuple[int, ...] = ()
    fields: frozenset[bytes] = frozenset()
    """Field names in lower case."""
    partial: tuple[int, int] | None = None
    """The first octet, and how many."""
    sets_seen: bool = False


Attribute: TypeAlias = Plain | Section

FLAGS, UID = Plain(b"FLAGS"), Plain(b"UID")
FAST = (FLAGS, Plain(b"INTERNALDATE"), Plain(b"RFC822.SIZE"))
ALL = (*FAST, Plain(b"ENVELOPE"))

MACROS: Mapping[bytes, tuple[Attribute, ...]] = {
    b"FAST": FAST,
    b"ALL": ALL,
    b"FULL": (*ALL, Plain(b"BODY")),
}
PLAIN = {*ALL, UID, Plain(b"BODY"), Plain(b"BODYSTRUCTURE")}
OLD_SECTIONS: Mapping[bytes, Section] = {
    b"RFC822": Section(b"RFC822", sets_seen=True),
    b"RFC822.HEADER": Section(b"RFC822.HEADER", b"HEADER"),
    b"RFC822.TEXT": Section(b"RFC822.TEXT", b"TEXT", sets_seen=True),
}


def parse_attributes(arguments: Arguments) -> tuple[Attribute, ...]:
    """Read a macro, one attribute, or several in parentheses."""
    if not arguments.skip(b"("):
        word = arguments.word()
        return MACROS.get(word) or (_attribute(word, arguments),)
    attributes = [_attribute(arguments.word(), arguments)]
    while not arguments.skip(b")"):
        arguments.space()
        attributes.append(_attribute(arguments.word(), arguments))
    return tuple(dict.fromkeys(attributes))


def _attribute(word: bytes, arguments: Arguments) -> Attribute:
    if word in {b"BODY", b"BODY.PEEK"} and arguments.skip(b"["):
        return _section(arguments, sets_seen=word == b"BODY")
    if word in OLD_SECTIONS:
        return OLD_SECTIONS[word]
    if Plain(word) in PLAIN:
        return Plain(word)
    raise arguments.fault("unknown FETCH attribute")


def _section(arguments: Arguments, *, sets_seen: bool) -> Section:
    numbers: tuple[int, ...] = ()
    if SECTION_PART.match(arguments.text, arguments.at):
        text = arguments.take(SECTION_PART, "part")
        numbers = tuple(int(number) for number in text.split(b"."))
    kind = b""
    if not arguments.peek(b"]") and (not numbers or arguments.skip(b".")):
        kind = arguments.word()
    names = _field_names(kind, arguments)
    if kind == b"MIME" and not numbers:
        raise arguments.fault("MIME of a part only")
    arguments.expect(b"]")
    prefix = b".".join(b"%d" % number for number in numbers)
    spec = b".".join(filter(None, (prefix, kind)))
    label = b"BODY[%b%b]" % (spec, _field_list(names))
    partial = _partial(arguments)
    if partial:
        label += b"<%d>" % partial[0]
    fields = frozenset(name.lower() for name in names)
    return Section(label, kind, numbers, fields, partial, sets_seen)


def _field_names(kind: bytes, arguments: Arguments) -> list[bytes]:
    match kind:
        case b"" | b"HEADER" | b"TEXT" | b"MIME":
            return []
        case b"HEADER.FIELDS" | b"HEADER.FIELDS.NOT":
            arguments.space()
            return arguments.strings()
        case _:
            raise arguments.fault("unknown section")


def _field_list(names: list[bytes]) -> bytes:
    if not names:
        return b""
    return b" " + parenthesised(
        [name if FIELD_NAME.fullmatch(name) else string(name) for name in names]
    )


def _partial(arguments: Arguments) -> tuple[int, int] | None:
    if not arguments.skip(b"<"):
        return None
    start = arguments.number()
    arguments.expect(b".")
    count = arguments.number()
    arguments.expect(b">")
    return start, count
