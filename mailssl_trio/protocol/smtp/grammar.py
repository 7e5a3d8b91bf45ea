"""SMTP on the wire: commands, replies and their codes (RFC 5321, 2034, 4954)."""

import re
from collections.abc import Mapping

from attrs import field, frozen

from mailssl_trio.protocol.credentials import Reason

MAX_COMMAND = 512  # RFC 5321 section 4.5.3.1.4
MAX_REPLY = 4096  # RFC 5321 section 4.5.3.1.5 says 512; backends are not held to it

REFUSAL: Mapping[Reason, str] = {  # RFC 4954 section 6; 525 is RFC 5248's
    Reason.AUTHENTICATIONFAILED: "535 5.7.8",
    Reason.UNAVAILABLE: "454 4.7.0",
    Reason.PRIVACYREQUIRED: "530 5.7.0",
    Reason.CONTACTADMIN: "525 5.7.13",
    Reason.LIMIT: "454 4.7.0",
}

# RFC 5321 section 4.2, with the octets above ASCII that RFC 6531 section 3.3 allows.
REPLY_LINE = re.compile(
    rb"(?P<code>[2-5][0-5][0-9])(?:(?P<mark>[ -])[\t\x20-\x7e\x80-\xff]*)?"
)


@frozen
class Command:
    """A verb in upper case, and the words behind it."""

    verb: bytes
    arguments: tuple[bytes, ...] = field(default=(), repr=False)
    line: bytes = field(default=b"", repr=False, eq=False)
    """All of it, but for spaces at its end."""


def parse_command(line: bytes) -> Command:
    """Split a line into words; RFC 5321 section 4.1.1 forgives trailing spaces."""
    line = line.rstrip(b" \t")
    verb, _, rest = line.partition(b" ")
    return Command(verb.upper(), tuple(rest.split()), line)


def is_text(line: bytes) -> bool:
    """Whether a line is free of NUL and of carriage returns (RFC 5321 2.3.8)."""
    return b"\0" not in line and b"\r" not in line


@frozen
class ReplyLine:
    """One line of a reply, as it came but for its line end."""

    octets: bytes
    code: bytes
    is_last: bool


def parse_reply_line(octets: bytes) -> ReplyLine | None:
    """Read ``250-text``, ``250 text`` or a bare ``250``; None for anything else."""
    if (line := REPLY_LINE.fullmatch(octets)) is None:
        return None
    return ReplyLine(octets, line["code"], line["mark"] != b"-")


@frozen
class Reply:
    """All lines of a reply, as they came; each begins with the code."""

    code: bytes
    lines: tuple[bytes, ...]

    @property
    def octets(self) -> bytes:
        """The reply as it stood on the wire."""
        return b"".join(line + b"\r\n" for line in self.lines)

    @property
    def refusal(self) -> bytes:
        """The same, where it refuses; nothing else is for a client to hear."""
        return self.octets if self.code[:1] in {b"4", b"5"} else b""

    @property
    def extensions(self) -> Mapping[str, tuple[str, ...]]:
        """What a reply to EHLO offers behind its first line (RFC 5321 4.1.1.1)."""
        texts = (line[4:].decode("ascii", "replace") for line in self.lines[1:])
        words = (text.upper().split() for text in texts)
        return {keyword: tuple(rest) for keyword, *rest in filter(None, words)}

    @property
    def reason(self) -> Reason:
        """Why AUTH failed, as far as the code tells (RFC 4954 section 6).

        530, 534 and 538 ask for another connection or mechanism, and 504 takes back
        one that was offered: the operator can help there, the mail client cannot.
        """
        match self.code:
            case b"525":
                return Reason.CONTACTADMIN
            case b"504" | b"530" | b"534" | b"538":
                return Reason.UNAVAILABLE
            case code if code.startswith(b"4"):
                return Reason.UNAVAILABLE
            case _:
                return Reason.AUTHENTICATIONFAILED
