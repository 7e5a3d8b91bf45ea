"""BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2): what parts a message has."""

from mailssl_trio.mailbox.fields import Parameters
from mailssl_trio.mailbox.imap.envelope import envelope
from mailssl_trio.mailbox.imap.strings import NIL, nstring, parenthesised, string
from mailssl_trio.mailbox.mime import Part
from mailssl_trio.mailbox.octets import Octets


def body_structure(octets: Octets, part: Part, *, extended: bool) -> bytes:
    """Write the structure of a part; BODY leaves out the extension data."""
    items = (
        _multipart(octets, part, extended=extended)
        if part.children
        else _single(octets, part, extended=extended)
    )
    if extended:
        fields = part.fields
        items += [
            _disposition(part),
            nstring(fields.get(b"content-language")),
            nstring(fields.get(b"content-location")),
        ]
    return parenthesised(items)


def _multipart(octets: Octets, part: Part, *, extended: bool) -> list[bytes]:
    children = b"".join(
        body_structure(octets, child, extended=extended) for child in part.children
    )
    kind = part.content_type
    items = [children, string(kind.subtype)]
    return [*items, _parameters(kind.parameters)] if extended else items


def _single(octets: Octets, part: Part, *, extended: bool) -> list[bytes]:
    kind, fields = part.content_type, part.fields
    items = [
        string(kind.type),
        string(kind.subtype),
        _parameters(kind.parameters),
        nstring(fields.get(b"content-id")),
        nstring(fields.get(b"content-description")),
        string(fields.encoding),
        b"%d" % len(part.body),
    ]
    if part.message:
        items.append(envelope(part.message.fields))
        items.append(body_structure(octets, part.message, extended=extended))
    if part.message or kind.type == b"text":
        items.append(b"%d" % octets.count_lines(part.body))
    if extended:
        items.append(nstring(fields.get(b"content-md5")))
    return items


def _disposition(part: Part) -> bytes:
    if (disposition := part.fields.disposition()) is None:
        return NIL
    kind, parameters = disposition
    return parenthesised([string(kind), _parameters(parameters)])


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return NIL
    return parenthesised([string(text) for pair in parameters for text in pair])
