"""What nginx's syntax says: statements and ends of blocks, with their comments."""

import re

from attrs import field, frozen

from mailssl_trio.config.nginx.refusal import Place

BLANK = "\n"
"""Stands among comments for a line with nothing on it."""

BARE = re.compile(r"[^\s;{}\"'#\\]+")
ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)


@frozen
class Statement:
    """A directive with its arguments; they may hold a secret."""

    words: tuple[str, ...] = field(repr=False)
    place: Place
    """Where its ``;`` or ``{`` stands."""
    opens_block: bool
    comments: tuple[str, ...] = ()
    """What stood above it."""
    remark: str = ""
    """The comment behind it, on the same line."""

    @property
    def name(self) -> str:
        """The directive."""
        return self.words[0]

    def __str__(self) -> str:
        """Write it as nginx would read it, on one line, and without a key."""
        words = " ".join(map(_written, self.words))
        return f"{words} {{ … }}" if self.opens_block else f"{words};"

    @property
    def arguments(self) -> tuple[str, ...]:
        """What follows the directive."""
        return self.words[1:]


@frozen
class End:
    """The end of a block, or that of the file."""

    place: Place
    of_file: bool
    comments: tuple[str, ...] = ()


def _written(word: str) -> str:
    if word.startswith("data:"):
        return "data:…"
    return word if BARE.fullmatch(word) else f'"{word.translate(ESCAPES)}"'
