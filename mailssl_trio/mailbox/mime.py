"""Where the parts of a message are (RFC 2045, 2046), as stretches of its file.

``email`` would give us parsed parts; IMAP wants the octets as they stand, and their
count. So parts are found from the outside in, by their delimiters only.
"""

import re
from collections.abc import Iterator

from attrs import frozen

from mailssl_trio.mailbox.fields import ContentType, Fields, parse_fields
from mailssl_trio.mailbox.octets import Extent, Octets

MAX_HEADER = 262_144  # octets of a header that are looked at
MAX_DEPTH = 20  # parts within parts; what is deeper stays one piece
MAX_PARTS = 1000
MAX_BOUNDARY = 200  # RFC 2046 section 5.1.1 says 70

EMPTY_LINE = re.compile(rb"\n\r?\n")


@frozen
class Part:
    """A message, or a part of one: its header with the empty line, and its body."""

    header: Extent
    body: Extent
    fields: Fields
    content_type: ContentType
    children: tuple["Part", ...] = ()
    """The parts of a multipart; at least one."""
    message: "Part | None" = None
    """What a message/rfc822 holds."""


def find_part(root: Part, numbers: tuple[int, ...]) -> Part | None:
    """Find a part by its numbers (RFC 3501 section 6.4.5); None if there is none."""
    container: Part | None = root
    part: Part | None = root
    for number in numbers:
        if container is None:
            return None
        if container.children:
            within = 1 <= number <= len(container.children)
            part = container.children[number - 1] if within else None
        else:
            part = container if number == 1 else None
        if part is None:
            return None
        container = part.message or (part if part.children else None)
    return part


def scan(octets: Octets) -> Part:
    """Find the parts of a whole message."""
    return _Scan(octets).part(Extent(0, octets.size), ContentType(), MAX_DEPTH)


def header_of(octets: Octets, extent: Extent) -> Extent:
    """Find a header, up to and including the empty line that ends it."""
    opening = octets.read(extent.start, min(extent.start + 2, extent.end))
    if opening.startswith((b"\n", b"\r\n")):
        return Extent(extent.start, extent.start + opening.index(b"\n") + 1)
    end = octets.search(EMPTY_LINE, extent)
    return Extent(extent.start, end.end if end else extent.end)


def fields_of(octets: Octets, header: Extent) -> Fields:
    """Read the fields of a header, as far as one looks at it."""
    end = min(header.end, header.start + MAX_HEADER)
    return parse_fields(octets.read(header.start, end))


class _Scan:
    def __init__(self, octets: Octets) -> None:
        self.octets = octets
        self.parts_left = MAX_PARTS

    def part(self, extent: Extent, default: ContentType, depth: int) -> Part:
        header = header_of(self.octets, extent)
        body = Extent(header.end, extent.end)
        fields = fields_of(self.octets, header)
        kind = fields.content_type(default)
        self.parts_left -= 1
        if kind.type == b"multipart":
            children = tuple(self.children(body, kind, depth - 1))
            return Part(header, body, fields, kind, children=children)
        if kind.is_message and depth > 0 and self.parts_left > 0:
            message = self.part(body, ContentType(), depth - 1)
            return Part(header, body, fields, kind, message=message)
        if kind.is_message:
            kind = ContentType(b"application", b"octet-stream", ())
        return Part(header, body, fields, kind)

    def children(self, body: Extent, kind: ContentType, depth: int) -> Iterator[Part]:
        """Return the parts of a multipart; one without any has an empty one."""
        default = ContentType()
        if kind.subtype == b"digest":  # RFC 2046 section 5.1.5
            default = ContentType(b"message", b"rfc822", ())
        found = False
        if depth > 0:
            for extent in self.between_delimiters(body, kind.parameter(b"boundary")):
                if self.parts_left <= 0:
                    break
                found = True
                yield self.part(extent, default, depth)
        if not found:
            end = Extent(body.end, body.end)
            yield Part(end, end, Fields(()), ContentType())

    def between_delimiters(self, body: Extent, boundary: bytes) -> Iterator[Extent]:
        """Cut a body at its delimiter lines; their line ends belong to them."""
        if not 0 < len(boundary) <= MAX_BOUNDARY:
            return
        delimiter = re.compile(
            rb"\n--" + re.escape(boundary) + rb"(--)?[ \t]{0,200}(?=\r?\n|\Z)"
        )
        line = re.compile(rb"\n|\Z")
        start: int | None = None
        at = max(body.start - 1, 0)  # the line end before the first line
        while match := self.octets.search(delimiter, Extent(at, body.end)):
            if start is not None:
                yield self.without_line_end(start, match.start)
            if match.groups[0]:
                return
            following = self.octets.search(line, Extent(match.end, body.end))
            start = following.end if following else body.end
            at = max(start - 1, match.end)
        if start is not None:
            yield Extent(start, body.end)

    def without_line_end(self, start: int, end: int) -> Extent:
        """Leave out the CR of the line end at ``end``."""
        if end > start and self.octets.read(end - 1, end) == b"\r":
            end -= 1
        return Extent(start, max(start, end))
