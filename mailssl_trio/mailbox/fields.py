"""Header fields (RFC 5322 section 2.2), as they stand and as they are meant."""

import re
from collections.abc import Collection

from attrs import field, frozen

TOKEN = rb"[^\s()<>@,;:\\\"/\[\]?=\x00-\x1f\x7f]+"
FIELD = re.compile(rb"^([^\s:]+)[ \t]*:(?:[^\n]*\n?)(?:[ \t][^\n]*\n?)*", re.MULTILINE)
TYPE = re.compile(rb"\s*(" + TOKEN + rb")\s*/\s*(" + TOKEN + rb")")
VALUE = re.compile(rb"\s*(" + TOKEN + rb")")
PARAMETER = re.compile(
    rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.DOTALL
)

Parameters = tuple[tuple[bytes, bytes], ...]


@frozen
class ContentType:
    """Type and subtype in lower case, and the parameters as they stand."""

    type: bytes = b"text"
    subtype: bytes = b"plain"
    parameters: Parameters = ((b"charset", b"us-ascii"),)  # RFC 2045 section 5.2

    @property
    def is_message(self) -> bool:
        """Whether the body is a message of its own."""
        return (self.type, self.subtype) == (b"message", b"rfc822")

    def parameter(self, name: bytes) -> bytes:
        """Return a parameter's value, or nothing."""
        return dict(reversed(self.parameters)).get(name, b"")


@frozen
class Field:
    """A field: its name in lower case, and all its octets with the line end."""

    name: bytes
    raw: bytes

    @property
    def value(self) -> bytes:
        """What stands behind the colon, unfolded (RFC 5322 section 2.2.3)."""
        text = self.raw.partition(b":")[2]
        return text.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"").strip()


@frozen
class Fields:
    """The fields of one header, in their order."""

    fields: tuple[Field, ...] = field()

    def get(self, name: bytes) -> bytes | None:
        """Return the value of the first field of a name, given in lower case."""
        return next((f.value for f in self.fields if f.name == name), None)

    def all(self, name: bytes) -> list[bytes]:
        """Return the values of all fields of a name."""
        return [f.value for f in self.fields if f.name == name]

    def subset(self, names: Collection[bytes], *, others: bool) -> bytes:
        """Return the fields of these names, or all others, and an empty line."""
        chosen = (f.raw for f in self.fields if (f.name in names) != others)
        return b"".join(chosen) + b"\r\n"

    def content_type(self, default: ContentType) -> ContentType:
        """Return what Content-Type says; the default where it says nothing sound."""
        value = self.get(b"content-type")
        if value is None or (match := TYPE.match(value)) is None:
            return default
        parameters = parse_parameters(value[match.end() :])
        kind = ContentType(match[1].lower(), match[2].lower(), parameters)
        if kind.type == b"text" and not kind.parameter(b"charset"):
            kind = ContentType(kind.type, kind.subtype, (*parameters, US_ASCII))
        return kind

    def disposition(self) -> tuple[bytes, Parameters] | None:
        """Return what Content-Disposition says (RFC 2183)."""
        value = self.get(b"content-disposition")
        if value is None or (match := VALUE.match(value)) is None:
            return None
        return match[1], parse_parameters(value[match.end() :])

    @property
    def encoding(self) -> bytes:
        """Return the Content-Transfer-Encoding, in lower case (RFC 2045 section 6)."""
        match = VALUE.match(self.get(b"content-transfer-encoding") or b"")
        return match[1].lower() if match else b"7bit"


US_ASCII = (b"charset", b"us-ascii")


def parse_fields(header: bytes) -> Fields:
    """Split a header into its fields; what is none is left out."""
    return Fields(
        tuple(Field(match[1].lower(), match[0]) for match in FIELD.finditer(header))
    )


def parse_parameters(text: bytes) -> Parameters:
    """Read ``; name=value`` as often as it comes (RFC 2045 section 5.1)."""
    return tuple(
        (name.lower(), re.sub(rb"\\(.)", rb"\1", quoted) if quoted else token)
        for name, quoted, token in PARAMETER.findall(text)
    )
