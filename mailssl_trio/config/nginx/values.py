"""The values of nginx's directives, by nginx's rules, as this program writes them.

A reader takes a statement and returns a value for TOML; RefusedError says in nginx's
words why nginx would not take it.
"""

import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import TypeAlias

from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.nginx.statements import Statement
from mailssl_trio.config.units import parse_size

Value: TypeAlias = bool | int | str | list[str]
Reader: TypeAlias = Callable[[Statement], Value]

UNITS = "yMwdhms"
TIME_PART = re.compile(r"([0-9]*)(ms|[yMwdhms ]|$) *")
LARGEST_TIME = 2**63 - 1
NUMBER = re.compile(r"[0-9]{1,18}")


def flag(statement: Statement) -> Value:
    """Read ``on`` or ``off``, in any case."""
    (word,) = statement.arguments
    if word.lower() not in {"on", "off"}:
        raise RefusedError.at(
            f'invalid value "{word}" in "{statement.name}" directive,'
            ' it must be "on" or "off"',
            statement.place,
        )
    return word.lower() == "on"


def string(statement: Statement) -> Value:
    """Read any word."""
    return statement.arguments[0]


def strings(statement: Statement) -> Value:
    """Read any words."""
    return list(statement.arguments)


def pair(statement: Statement) -> Value:
    """Read a name and its value, which may have spaces in it."""
    return [" ".join(statement.arguments)]


def number(statement: Statement) -> Value:
    """Read a number."""
    (word,) = statement.arguments
    if NUMBER.fullmatch(word) is None:
        raise _directive("invalid number", statement)
    return int(word)


def processes(statement: Statement) -> Value:
    """Read a number of processes, or ``auto``."""
    (word,) = statement.arguments
    if word == "auto":
        return word
    if NUMBER.fullmatch(word) is None:
        raise _directive("invalid value", statement)
    return int(word)


def size(statement: Statement) -> Value:
    """Read octets, with ``k`` or ``m`` behind them."""
    (word,) = statement.arguments
    try:
        parse_size(word)
    except ValueError:
        raise _directive("invalid value", statement) from None
    return word.lower()


def milliseconds(statement: Statement) -> Value:
    """Read a time that is counted in milliseconds; nginx has no months for these."""
    return _time(statement, UNITS[2:], millis=True)


def seconds(statement: Statement) -> Value:
    """Read a time that is counted in seconds."""
    return _time(statement, UNITS, millis=False)


def _time(statement: Statement, units: str, *, millis: bool) -> Value:
    (word,) = statement.arguments
    if (found := normal_time(word, units, millis=millis)) is None:
        raise _directive("invalid value", statement)
    return found


def normal_time(word: str, units: str = UNITS, *, millis: bool = False) -> str | None:
    """Return a time without its spaces; None if nginx would not take it.

    A number without a unit is seconds, and a unit without a number is none of them.
    """
    order = [*units, *(["ms"] if millis else []), " "]
    steps, parts, at = [-1], [], 0
    while at < len(word):
        if (found := TIME_PART.match(word, at)) is None:
            return None
        digits, unit = found[1], found[2]
        if unit not in {"", *order} or int(digits or 0) > LARGEST_TIME // 1000:
            return None
        if unit:
            steps.append(order.index(unit))
        if digits:
            parts.append(f"{digits}{unit.strip() or 's'}")
        at = found.end()
    is_falling = all(a < b for a, b in pairwise(steps))
    if not parts or not is_falling:
        return None
    return "".join(parts) if re.search("[1-9]", word) else "0"


def word_of(*known: str) -> Reader:
    """Return a reader of one of a few words, in any case."""

    def read(statement: Statement) -> Value:
        return _known(statement.arguments[0], known, statement)

    return read


def words_of(*known: str) -> Reader:
    """Return a reader of several of a few words, in any case."""

    def read(statement: Statement) -> Value:
        return [_known(word, known, statement) for word in statement.arguments]

    return read


def _known(word: str, known: Collection[str], statement: Statement) -> str:
    for each in known:
        if each.lower() == word.lower():
            return each
    raise RefusedError.at(f'invalid value "{word}"', statement.place)


def _directive(what: str, statement: Statement) -> RefusedError:
    return RefusedError.at(f'"{statement.name}" directive {what}', statement.place)
