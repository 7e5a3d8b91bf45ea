"""Two records of one dialogue: what only the one has, and what only the other."""

from difflib import SequenceMatcher
from itertools import groupby

from attrs import frozen

from tests.interop.differential.masks import masked
from tests.interop.differential.record import Record
from tests.interop.differential.standing import without_standing


@frozen
class Comparison:
    """What is left between the two."""

    differs: list[str]
    """As a table has it."""
    standing: frozenset[str]
    """The standing differences that were there."""


def compare(nginx: Record, ours: Record) -> Comparison:
    """Compare what the client read, the auth server was asked, the backend was told."""
    left, right, standing = without_standing(
        *(masked(record.lines, record.dialogue) for record in (nginx, ours))
    )
    heard_here, heard_there = _by_hearer(left), _by_hearer(right)
    differs: list[str] = []
    for hearer in ("S", "A", "B"):
        differs += _difference(heard_here.get(hearer, []), heard_there.get(hearer, []))
    return Comparison(differs, frozenset(standing))


def _by_hearer(lines: list[str]) -> dict[str, list[str]]:
    return {
        hearer: list(heard) for hearer, heard in groupby(lines, lambda line: line[0])
    }


def _difference(nginx: list[str], ours: list[str]) -> list[str]:
    differs: list[str] = []
    matcher = SequenceMatcher(None, nginx, ours, autojunk=False)
    for what, start, end, our_start, our_end in matcher.get_opcodes():
        if what != "equal":
            differs += [f"- {line}" for line in nginx[start:end]]
            differs += [f"+ {line}" for line in ours[our_start:our_end]]
    return differs
