"""What FETCH answers: one message's attributes, its octets left in their file."""

from functools import cached_property
from typing import BinaryIO, TypeAlias

from attrs import frozen

from mailssl_trio.mailbox.fields import Fields
from mailssl_trio.mailbox.folder import Folder, Message
from mailssl_trio.mailbox.imap.attributes import FLAGS, UID, Attribute, Plain, Section
from mailssl_trio.mailbox.imap.bodystructure import body_structure
from mailssl_trio.mailbox.imap.envelope import envelope
from mailssl_trio.mailbox.imap.flags import write_flags
from mailssl_trio.mailbox.imap.strings import NIL, date_time
from mailssl_trio.mailbox.mime import Part, fields_of, find_part, header_of, scan
from mailssl_trio.mailbox.octets import Extent, Octets

Piece: TypeAlias = bytes | Extent


class Content:
    """A message's file, looked at only as far as somebody asks."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.octets = Octets(file)

    @cached_property
    def header(self) -> Extent:
        """Where its header is."""
        return header_of(self.octets, Extent(0, self.octets.size))

    @property
    def body(self) -> Extent:
        """Where its body is."""
        return Extent(self.header.end, self.octets.size)

    @cached_property
    def fields(self) -> Fields:
        """The fields of its header."""
        return fields_of(self.octets, self.header)

    @cached_property
    def root(self) -> Part:
        """The message with all its parts."""
        return scan(self.octets)


@frozen
class Answer:
    """The items of one FETCH response, and the file their extents are in."""

    pieces: tuple[Piece, ...]
    content: Content | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self.content:
            self.content.file.close()


def needs_file(attributes: tuple[Attribute, ...]) -> bool:
    """Whether the message itself must be opened to answer."""
    return not {FLAGS, UID}.issuperset(attributes)


def answer(
    folder: Folder, message: Message, attributes: tuple[Attribute, ...], *, recent: bool
) -> Answer | None:
    """Find out what is asked of a message; None if it is gone. Blocks."""
    pieces: list[Piece] = []
    content = None
    if needs_file(attributes):
        if (file := folder.open(message)) is None:
            return None
        content = Content(file)
    for attribute in attributes:
        pieces.append(b" " if pieces else b"")
        match attribute:
            case Plain(b"FLAGS"):
                pieces.append(b"FLAGS " + write_flags(message.flags, recent=recent))
            case Plain(b"UID"):
                pieces.append(b"UID %d" % message.uid)
            case Plain(name) if content:
                pieces.append(name + b" " + _plain(name, content))
            case Section() if content:
                pieces += _literal(attribute, _section(attribute, content))
    return Answer(tuple(pieces), content)


def _plain(name: bytes, content: Content) -> bytes:
    match name:
        case b"INTERNALDATE":
            return date_time(content.octets.modified)
        case b"RFC822.SIZE":
            return b"%d" % content.octets.size
        case b"ENVELOPE":
            return envelope(content.fields)
        case _:
            extended = name == b"BODYSTRUCTURE"
            return body_structure(content.octets, content.root, extended=extended)


def _section(section: Section, content: Content) -> Piece | None:
    """Find the octets of a section; None if the message has no such part."""
    if not section.numbers:
        whole = Extent(0, content.octets.size)
        return _text(section, content) if section.text else whole
    if (part := find_part(content.root, section.numbers)) is None:
        return None
    match section.text:
        case b"":
            return part.body
        case b"MIME":
            return part.header
        case _:
            return _text(section, part.message) if part.message else None


def _text(section: Section, message: Content | Part) -> Piece:
    match section.text:
        case b"HEADER":
            return message.header
        case b"TEXT":
            return message.body
        case _:
            others = section.text.endswith(b".NOT")
            return message.fields.subset(section.fields, others=others)


def _literal(section: Section, value: Piece | None) -> list[Piece]:
    if value is None:
        return [section.label + b" " + NIL]
    if section.partial:
        value = _cut(value, *section.partial)
    return [section.label + b" {%d}\r\n" % len(value), value]


def _cut(value: Piece, start: int, count: int) -> Piece:
    if isinstance(value, bytes):
        return value[start : start + count]
    first = min(value.start + start, value.end)
    return Extent(first, min(first + count, value.end))
