"""A statement as it may stand in a comment: one line, and no key in it."""

import re

from mailssl_trio.config.nginx.statements import Statement

BARE = re.compile(r"[^\s;{}\"'#\\]+")
ESCAPES = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
)


def written(statement: Statement) -> str:
    """Write it as nginx would read it."""
    words = " ".join(map(_word, statement.words))
    return f"{words} {{ … }}" if statement.opens_block else f"{words};"


def _word(word: str) -> str:
    if word.startswith("data:"):
        return "data:…"
    return word if BARE.fullmatch(word) else f'"{word.translate(ESCAPES)}"'
