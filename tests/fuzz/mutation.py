"""Octets that resemble what peers say, and are wrong somewhere; made from a seed."""

from collections.abc import Callable, Sequence
from random import Random

from attrs import frozen

OCTETS = (
    b"\0", b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\n", b" ", b"  ", b"\t", b"\x1b[2J",
    b"\x7f", b"\x80", b"\xff", b"\xc3\xa9", b"\xe2\x80\xa8", b'"', b"\\", b"'", b"(",
    b")", b"((((((((", b"{", b"}", b"[", b"]", b"<", b">", b"=", b"==", b"+", b"*",
    b".", b"%", b"%n", b"$", b"#", b";", b":", b",", b"-", b"/", b"@",
)  # fmt: skip
NUMBERS = (
    b"0", b"-1", b"1", b"255", b"256", b"4096", b"65535", b"65536", b"2147483648",
    b"4294967296", b"18446744073709551616", b"1" * 40, b"0x10", b"1e9",
)  # fmt: skip
SIZES = (2, 16, 255, 256, 512, 1024, 4096, 8191, 8192, 8193, 12288, 12289, 20000)
"""How often something is said again: up to, and beyond, the limits there are."""

MOST = 40_000
"""Octets of what is made."""


@frozen
class Mutator:
    """Changes what is said, in the words of those who say it."""

    dice: Random
    words: Sequence[bytes] = ()
    """What is put in, besides what disturbs every parser."""

    def mutated(self, octets: bytes) -> bytes:
        """Change something, mostly once or twice."""
        for _ in range(self.dice.choice((1, 1, 1, 2, 2, 3, 5))):
            octets = self.dice.choice(CHANGES)(self, octets)
        return octets[:MOST]

    def place(self, octets: bytes) -> int:
        """Choose a place between octets."""
        return self.dice.randint(0, len(octets))

    def piece(self, octets: bytes) -> tuple[int, int]:
        """Choose a piece, which tends to be short."""
        start = self.place(octets)
        return start, min(len(octets), start + self.dice.choice((1, 1, 2, 4, 8, 40)))

    def put(self, octets: bytes, word: bytes) -> bytes:
        """Put a word somewhere."""
        at = self.place(octets)
        return octets[:at] + word + octets[at:]

    def flipped(self, octets: bytes) -> bytes:
        """Flip a bit."""
        if not octets:
            return octets
        at = self.dice.randrange(len(octets))
        changed = octets[at] ^ 1 << self.dice.randrange(8)
        return octets[:at] + bytes((changed,)) + octets[at + 1 :]

    def cut(self, octets: bytes) -> bytes:
        """Leave a piece out."""
        start, end = self.piece(octets)
        return octets[:start] + octets[end:]

    def ended(self, octets: bytes) -> bytes:
        """Stop in the middle."""
        return octets[: self.place(octets)]

    def disturbed(self, octets: bytes) -> bytes:
        """Put in what means something to parsers."""
        return self.put(octets, self.dice.choice(OCTETS))

    def worded(self, octets: bytes) -> bytes:
        """Put in a word of this language."""
        return self.put(octets, self.dice.choice(self.words or OCTETS))

    def renumbered(self, octets: bytes) -> bytes:
        """Put a number in place of a piece."""
        start, end = self.piece(octets)
        return octets[:start] + self.dice.choice(NUMBERS) + octets[end:]

    def repeated(self, octets: bytes) -> bytes:
        """Say a piece again and again."""
        start, end = self.piece(octets)
        return octets[:end] + octets[start:end] * self.dice.choice(SIZES) + octets[end:]

    def doubled(self, octets: bytes) -> bytes:
        """Say something of it twice, in another place."""
        start, end = sorted((self.place(octets), self.place(octets)))
        return self.put(octets, octets[start:end])

    def randomised(self, octets: bytes) -> bytes:
        """Put noise in place of a piece."""
        start, end = self.piece(octets)
        return octets[:start] + self.dice.randbytes(end - start) + octets[end:]


CHANGES: tuple[Callable[[Mutator, bytes], bytes], ...] = (
    Mutator.flipped,
    Mutator.cut,
    Mutator.ended,
    Mutator.disturbed,
    Mutator.disturbed,
    Mutator.worded,
    Mutator.worded,
    Mutator.renumbered,
    Mutator.repeated,
    Mutator.doubled,
    Mutator.randomised,
)
