"""IMAP on the wire: commands and their strings (RFC 9051 section 9, RFC 7888)."""

import re
from collections.abc import Sequence
from enum import Enum
from typing import TypeAlias

from attrs import evolve, field, frozen

from mailssl_trio.protocol.imap.notation import (
    ANNOUNCEMENT,
    COMMAND,
    STRICT,
    Notation,
    notation,
)

MAX_COMMAND = 8192  # RFC 7162 section 4: the lines of a command without its literals
MAX_TOKENS = 64  # RFC 2971 section 3.3: at most 30 pairs, and nothing needs more
MAX_LITERALS = 8192
"""Octets that the literals of one command may hold together."""

UNTAGGED = b"*"
"""What stands in place of a tag that is missing or illegal."""

ESCAPED = re.compile(rb"\\(.)")
QUOTED_SPECIALS = re.compile(rb'["\\]')


@frozen
class Astring:
    """A string in any of its three forms; what it says, not how it was written."""

    value: bytes = field(repr=False)


@frozen
class Atom(Astring):
    """Bare octets."""


@frozen
class Quoted(Astring):
    """Octets between double quotes."""


@frozen
class Literal(Astring):
    """Octets that were counted beforehand."""


@frozen
class Announcement:
    """The end of a line behind which a literal follows: ``{size}`` or ``{size+}``."""

    size: int
    synchronising: bool = True
    """Whether it waits for our invitation."""


class Parenthesis(Enum):
    """Where a list begins and ends."""

    OPEN = b"("
    CLOSE = b")"


@frozen
class Garbage:
    """The rest of a line, from where the grammar was left."""


Token: TypeAlias = Astring | Announcement | Parenthesis | Garbage


@frozen
class Command:
    """What a client asks for, as far as it has arrived.

    ``verb`` is in upper case, and empty where there is none; whatever is wrong with
    the arguments shows as a Garbage or an Announcement among them.
    """

    tag: bytes
    verb: bytes = b""
    arguments: tuple[Token, ...] = ()
    announced: Announcement | None = None
    """The literal that the last line announces, however wrong the command is."""
    length: int = 0
    """Octets of its lines so far."""

    def exceeds(self, longest: int) -> bool:
        """Whether its lines are too long; what SASL needs is another matter."""
        return self.length > longest and self.verb != b"AUTHENTICATE"

    @property
    def literals_length(self) -> int:
        """Octets of its literals so far."""
        literals = (token for token in self.arguments if isinstance(token, Literal))
        return sum(len(literal.value) for literal in literals)

    def continued(self, literal: bytes, line: bytes) -> "Command":
        """Put the announced literal in its place, and what follows it behind."""
        text = Garbage() if b"\0" in literal else Literal(literal)
        return evolve(
            self,
            arguments=(*self.arguments[:-1], text, *scan(line, notation(self.verb))),
            announced=announced(line),
            length=self.length + len(line) + 2,
        )


def parse_command(line: bytes) -> Command:
    """Read the first line of a command."""
    length = len(line) + 2
    if (found := COMMAND.match(line)) is None:
        return Command(UNTAGGED, announced=announced(line), length=length)
    tag, verb = found.group(1), (found[2] or b"").upper()
    arguments = scan(line[found.end() :], notation(verb))
    return Command(tag, verb, arguments, announced(line), length)


def announced(line: bytes) -> Announcement | None:
    """Return the literal that a line announces at its end."""
    found = ANNOUNCEMENT.search(line)
    return None if found is None else _announcement(found)


def scan(text: bytes, notation: Notation = STRICT) -> tuple[Token, ...]:
    """Read the arguments behind a verb or a literal; linear, and flat for any depth."""
    literal = notation.literal.search(text)
    end = literal.start() if literal else len(text)
    tokens: list[Token] = []
    position, end = 0, len(text[:end].rstrip(b" "))
    while position < end:
        found = notation.token.match(text, position, end)
        if found is None or len(tokens) == MAX_TOKENS:
            return (*tokens, Garbage())
        tokens.append(_token(found))
        position = found.end()
    return (*tokens, _announcement(literal)) if literal else tuple(tokens)


def _token(found: re.Match[bytes]) -> Token:
    match found.lastgroup:
        case "atom":
            return Atom(found["atom"])
        case "quoted":
            return Quoted(ESCAPED.sub(rb"\1", found["quoted"]))
        case "open":
            return Parenthesis.OPEN
        case _:
            return Parenthesis.CLOSE


def _announcement(found: re.Match[bytes]) -> Announcement:
    digits = found["size"].lstrip(b"0")[:19]  # enough to be beyond every limit
    return Announcement(int(digits or b"0"), not found["plus"])


def are_words(arguments: tuple[Token, ...]) -> bool:
    """Whether there is nothing but text, which may be passed over."""
    return all(isinstance(argument, Astring) for argument in arguments)


def is_id(arguments: tuple[Token, ...]) -> bool:
    """Whether these are the arguments of ID, RFC 2971 section 3.1."""
    match arguments:
        case (Parenthesis.OPEN, *strings, Parenthesis.CLOSE):
            return len(strings) % 2 == 0 and are_id_pairs(strings)
        case (argument,):
            return is_nil(argument)
        case _:
            return False


def are_id_pairs(tokens: Sequence[Token]) -> bool:
    """Whether these may stand between an ID's parentheses, RFC 2971 section 3.3."""
    fields, values = tokens[::2], tokens[1::2]
    return (
        len(fields) <= 30
        and all(isinstance(field, Quoted | Literal) for field in fields)
        and all(
            isinstance(value, Quoted | Literal) or is_nil(value) for value in values
        )
    )


def is_nil(token: Token) -> bool:
    """Whether a token says that there is no string."""
    return isinstance(token, Atom) and token.value.upper() == b"NIL"


def quoted(value: bytes) -> bytes | None:
    """Write a quoted string; None for what only a literal carries everywhere."""
    if not (value.isascii() and value.decode().isprintable()):
        return None
    return b'"' + QUOTED_SPECIALS.sub(rb"\\\g<0>", value) + b'"'
