"""What a message says, for those who look for words in it (RFC 2045, 2047)."""

import binascii
import codecs
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from quopri import decodestring

from mailssl_trio.mailbox.mime import Part
from mailssl_trio.mailbox.octets import WINDOW, Octets

NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def header_text(value: bytes) -> str:
    """Decode a header field's value, encoded words and all."""
    text = value.decode("utf-8", "replace")
    try:
        words = decode_header(text)
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        word if isinstance(word, str) else _Decoder(charset).decode(word, final=True)
        for word, charset in words
    )


def says(texts: Iterable[str], needle: str) -> bool:
    """Whether pieces of a text contain what is looked for, edges included."""
    needle = needle.casefold()
    rest = ""
    for text in texts:
        window = rest + text.casefold()
        if needle in window:
            return True
        rest = window[-len(needle) :]
    return False


def texts_of(octets: Octets, part: Part) -> Iterator[str]:
    """Return all text in the body of a part, in pieces."""
    for child in part.children:
        yield from texts_of(octets, child)
    if part.message:
        yield from header_texts(part.message)
        yield from texts_of(octets, part.message)
    elif part.content_type.type == b"text":
        charset = part.content_type.parameter(b"charset").decode("latin-1")
        decoder = _Decoder(charset)
        for piece in _decoded(octets.windows(part.body), part.fields.encoding):
            yield decoder.decode(piece)
        yield "\n"


def header_texts(part: Part) -> Iterator[str]:
    """Return what the fields of a part say, one at a time."""
    for field in part.fields.fields:
        name = field.name.decode("latin-1")
        yield f"{name}: {header_text(field.value)}\n"


def _decoded(pieces: Iterable[bytes], encoding: bytes) -> Iterable[bytes]:
    match encoding:
        case b"base64":
            return _from_base64(pieces)
        case b"quoted-printable":
            return _from_quoted_printable(pieces)
        case _:
            return pieces


def _from_base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        rest += NOT_BASE64.sub(b"", piece)
        whole = len(rest) // 4 * 4
        yield b64decode(rest[:whole])
        rest = rest[whole:]
    try:
        yield b64decode(rest + b"=" * (-len(rest) % 4))
    except binascii.Error:  # one digit says nothing
        return


def _from_quoted_printable(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        text = rest + piece
        whole = text.rfind(b"\n") + 1 or (len(text) > WINDOW and len(text))
        yield decodestring(text[:whole])
        rest = text[whole:]
    yield decodestring(rest)


class _Decoder:
    """Decodes what claims to be in a charset; what is not reads as UTF-8."""

    def __init__(self, charset: str | None) -> None:
        ascii_or_none = not charset or charset.lower() == "us-ascii"
        name = "utf-8" if ascii_or_none or not _is_charset(str(charset)) else charset
        self._decoder = codecs.getincrementaldecoder(str(name))("replace")

    def decode(self, octets: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(octets, final)
        except ValueError:  # some codecs of Python's cannot replace
            return octets.decode("utf-8", "replace")


def _is_charset(name: str) -> bool:
    """Whether Python decodes text by this name: not hex, zip, or nonsense."""
    try:
        b"?".decode(name, "replace")
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError):
        return False
    return True
