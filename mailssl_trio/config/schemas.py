"""What JSON Schema has to say about single values, in few words.

Patterns are of the kind that Python and ECMAScript read alike.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from mailssl_trio.config.units import SIZE, TIME
from mailssl_trio.config.values import GREATEST

Schema: TypeAlias = Mapping[str, object]

TEXT: Schema = {"type": "string", "minLength": 1}


def text(pattern: str) -> Schema:
    """Take a string that is all of a pattern."""
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def number(least: int, most: int = GREATEST) -> Schema:
    """Take an integer."""
    return {"type": "integer", "minimum": least, "maximum": most}


def either(*schemas: Schema) -> Schema:
    """Take what one of several takes."""
    return {"anyOf": list(schemas)}


def array(element: Schema, least: int = 1) -> Schema:
    """Take an array."""
    return {"type": "array", "items": element, "minItems": least}


def one_or_several(element: Schema, least: int = 1) -> Schema:
    """Take a value that stands for an array of itself, too."""
    return either(element, array(element, least))


def one_of(words: Sequence[str]) -> Schema:
    """Take a word in any case; an editor offers it as it is written here."""
    return either({"enum": list(words)}, text(any_case(words)))


def flag_or(*words: str) -> Schema:
    """Take a flag, or a word."""
    return either({"type": "boolean"}, one_of(("on", "off", *words)))


def list_of(words: Sequence[str]) -> Schema:
    """Take some of a few words: an array, or one string."""
    word = any_case(words)
    return either(text(rf"\s*(?:{word})(?:\s+(?:{word}))*\s*"), array(one_of(words)))


def any_case(words: Sequence[str]) -> str:
    """Return a pattern of words in any case, for which ECMAScript has no flag."""
    return "|".join("".join(map(_either_case, word)) for word in words)


def _either_case(letter: str) -> str:
    if letter.isalpha():
        return f"[{letter.upper()}{letter.lower()}]"
    return re.escape(letter) if letter == "." else letter


SECONDS = either(number(1), text(rf"(?=.*[0-9]){TIME.pattern}"))
WHOLE_SECONDS = either(number(1), text(rf"(?=.*[0-9])(?!.*ms){TIME.pattern}"))
DELAY = either(number(0), text(rf"(?=.*[0-9]){TIME.pattern}"))
SIZE_IN_OCTETS = either(number(1), text(SIZE.pattern))
FILE = text(r"(?!data:)[\s\S]+")
PEM = text(r"(?!engine:|store:)[\s\S]+")
WORDS = either(text(r"[\s!-~]*"), array(text("[ -~]+"), least=0))
