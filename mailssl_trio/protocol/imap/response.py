"""What an IMAP server says, as far as a login needs it (RFC 9051 section 7)."""

import re

from attrs import evolve, frozen

from mailssl_trio.protocol.credentials import Reason
from mailssl_trio.protocol.imap.grammar import UNTAGGED

MAX_REPLY = 65_536
"""Octets that a server may send in answer to one command of ours."""

CONTINUATION = b"+"
"""What stands in place of a tag where the server waits for more."""

STATUS = frozenset({b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"})
CODE = re.compile(rb"\[([^ \]]+)(?: ([^\]]*))?\]")  # linear, whatever is missing


@frozen
class Response:
    """What a server says: a line, with the literals and lines that belong to it."""

    octets: bytes
    """As it came, with its CRLF."""
    tag: bytes
    """Ours, ``*`` or ``+``."""
    word: bytes
    """What stands behind the tag, in upper case."""
    text: bytes
    """What stands behind the word on the first line."""

    @property
    def line(self) -> bytes:
        """The first line, for whoever must read why we gave up."""
        return self.octets.partition(b"\r\n")[0]

    @property
    def reply(self) -> bytes:
        """What stands behind the tag, with its CRLF."""
        return self.octets[len(self.tag) + 1 :]

    @property
    def ends_with_its_line(self) -> bool:
        """Whether ``{n}`` at its end is text for humans and announces nothing."""
        return self.tag != UNTAGGED or self.word in STATUS

    def completes(self, *, whole: bool) -> bool:
        """Whether it may end a command; one that is not whole can only be refused."""
        return self.word in {b"NO", b"BAD"} or (whole and self.word == b"OK")

    @property
    def code(self) -> tuple[bytes, bytes]:
        """The response code in upper case, and its arguments."""
        found = CODE.match(self.text)
        return (found[1].upper(), found[2] or b"") if found else (b"", b"")

    @property
    def capabilities(self) -> bytes:
        """The words of a CAPABILITY response or response code; nothing in others."""
        match self.word, self.code:
            case b"CAPABILITY", _:
                return self.text
            case b"OK", (b"CAPABILITY", words):
                return words
            case _:
                return b""

    @property
    def reason(self) -> Reason:
        """Why a login failed, by RFC 5530 section 3; a BAD is not the user's fault."""
        if self.word != b"NO":
            return Reason.UNAVAILABLE
        name = self.code[0].decode("ascii", "replace")
        return Reason.__members__.get(name, Reason.AUTHENTICATIONFAILED)

    def continued(self, octets: bytes) -> "Response":
        """Put behind the first line what its literals brought."""
        return evolve(self, octets=self.octets + octets)


def parse_response(line: bytes) -> Response:
    """Read the first line of a response."""
    tag, _, rest = line.partition(b" ")
    word, _, text = rest.partition(b" ")
    return Response(line + b"\r\n", tag, word.upper(), text)
