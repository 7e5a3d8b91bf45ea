"""The arguments of a command, read from left to right (RFC 3501 section 9)."""

import re

from attrs import define, field

ASTRING = re.compile(rb"[^\x00-\x20(){%*\"\\\x7f]+")
QUOTED = re.compile(rb'"((?:[^"\\\0\r\n]|\\["\\])*)"')
LITERAL = re.compile(rb"\{([0-9]{1,9})\+?\}\r\n")
NUMBER = re.compile(rb"[0-9]{1,10}")
ESCAPED = re.compile(rb"\\(.)")

FLAG = re.compile(rb"\\?[^\x00-\x20(){%*\"\\\]\x7f-\xff]+")
LIST_MAILBOX = re.compile(rb"[^\x00-\x20(){\"\\\x7f]+")
WORD = re.compile(rb"[A-Za-z0-9.]+")


class BadSyntaxError(Exception):
    """The client has left the grammar; the text says where."""


@define
class Arguments:
    """What stands behind a verb, literals in their places, and how far it is read."""

    text: bytes = field(repr=False)
    at: int = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def peek(self, octets: bytes) -> bool:
        """Whether these octets come next."""
        return self.text.startswith(octets, self.at)

    def skip(self, octets: bytes) -> bool:
        """Pass over these octets, if they come next."""
        found = self.peek(octets)
        self.at += len(octets) if found else 0
        return found

    def expect(self, octets: bytes) -> None:
        """Pass over these octets; nothing else may come next."""
        if not self.skip(octets):
            raise self.fault(f"{octets.decode()!r} expected")

    def space(self) -> None:
        """Pass over one space."""
        self.expect(b" ")

    def end(self) -> None:
        """Make sure that nothing is left."""
        if not self.at_end:
            raise self.fault("too many arguments")

    def take(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        """Return what a pattern matches here."""
        if (match := pattern.match(self.text, self.at)) is None:
            raise self.fault(f"{what} expected")
        self.at = match.end()
        return match[match.lastindex or 0]

    def word(self) -> bytes:
        """Return a keyword of the protocol, in upper case."""
        return self.take(WORD, "keyword").upper()

    def number(self) -> int:
        """Return a number of at most 32 bits."""
        number = int(self.take(NUMBER, "number"))
        if number >= 1 << 32:
            raise self.fault("number too large")
        return number

    def astring(self, bare: re.Pattern[bytes] = ASTRING) -> bytes:
        """Return an atom, a quoted string or a literal."""
        if self.peek(b'"') or self.peek(b"{"):
            return self.string()
        return self.take(bare, "string")

    def string(self) -> bytes:
        """Return a quoted string or a literal."""
        if self.peek(b'"'):
            return ESCAPED.sub(rb"\1", self.take(QUOTED, "quoted string"))
        size = int(self.take(LITERAL, "string"))
        literal = self.text[self.at : self.at + size]
        if len(literal) < size or b"\0" in literal:
            raise self.fault("literal expected")
        self.at += size
        return literal

    def items(self, pattern: re.Pattern[bytes], what: str) -> list[bytes]:
        """Return what stands in parentheses, each item matching the pattern."""
        self.expect(b"(")
        items: list[bytes] = []
        while not self.skip(b")"):
            if items:
                self.space()
            items.append(self.take(pattern, what))
        return items

    def strings(self) -> list[bytes]:
        """Return the strings that stand in parentheses, one at least."""
        self.expect(b"(")
        strings = [self.astring()]
        while not self.skip(b")"):
            self.space()
            strings.append(self.astring())
        return strings

    def id_parameters(self) -> None:
        """Pass over what a client says of itself (RFC 2971 section 3.1)."""
        if self.word_is(b"NIL"):
            return
        self.expect(b"(")
        while not self.skip(b")"):
            self.string()
            self.space()
            if not self.word_is(b"NIL"):
                self.string()
            self.skip(b" ")

    def word_is(self, word: bytes) -> bool:
        """Pass over a word, in any case, if it comes next."""
        found = self.text[self.at : self.at + len(word)].upper() == word
        self.at += len(word) if found else 0
        return found

    def rest(self) -> bytes:
        """Return all that is left."""
        rest, self.at = self.text[self.at :], len(self.text)
        return rest

    def fault(self, text: str) -> BadSyntaxError:
        """What to raise when the client leaves the grammar here."""
        return BadSyntaxError(text)
