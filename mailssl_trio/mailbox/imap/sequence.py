"""Sequence sets: ``2,4:7,9,12:*`` (RFC 3501 section 9)."""

import re
from bisect import bisect_right

from attrs import frozen

from mailssl_trio.mailbox.imap.arguments import Arguments

SET = re.compile(
    rb"(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?"
    rb"(?:,(?:[1-9][0-9]{0,9}|\*)(?::(?:[1-9][0-9]{0,9}|\*))?)*"
)

Range = tuple[int | None, int | None]


@frozen
class Numbers:
    """Ranges in ascending order that neither touch nor overlap."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.ranges, number, key=lambda item: item[0])
        return at > 0 and number <= self.ranges[at - 1][1]


@frozen
class SequenceSet:
    """A set as the client said it; None stands for ``*``."""

    ranges: tuple[Range, ...]

    @property
    def largest(self) -> int:
        """The largest number it names; what goes up to ``*`` names none beyond."""
        return max((max(p[0], p[1]) for p in self.ranges if p[0] and p[1]), default=0)

    def numbers(self, last: int) -> Numbers:
        """Say which numbers are meant where ``last`` is the largest in use."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(_ordered(pair, last) for pair in self.ranges):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return Numbers(tuple(merged))


def parse_sequence_set(arguments: Arguments) -> SequenceSet:
    """Read a sequence set."""
    text = arguments.take(SET, "sequence set").decode()
    return SequenceSet(tuple(_range(item) for item in text.split(",")))


def write_set(numbers: list[int]) -> bytes:
    """Write ascending numbers as a set, runs as ranges (RFC 4315 section 4)."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return b",".join(
        b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in runs
    )


def _range(text: str) -> Range:
    low, _, high = text.partition(":")
    return _number(low), _number(high or low)


def _number(text: str) -> int | None:
    return None if text == "*" else int(text)


def _ordered(pair: Range, last: int) -> tuple[int, int]:
    """Put the ends in order: ``4:2`` means ``2:4`` (RFC 3501 section 9)."""
    low, high = (last if end is None else end for end in pair)
    return min(low, high), max(low, high)
