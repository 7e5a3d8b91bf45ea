"""Tables for people, and texts that a terminal takes for nothing but text."""

from collections.abc import Iterable, Sequence
from datetime import datetime

NOTHING = "-"
MEGABYTE = 2**20


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows below their head, each column as wide as it must be.

    A column of numbers has them at its right.
    """
    cells = [list(head), *([shown(cell) for cell in row] for row in rows)]
    columns = list(zip(*cells, strict=True))
    aligned = zip(*map(_aligned, columns), strict=True)
    return "\n".join("  ".join(row).rstrip() for row in aligned)


def _aligned(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    if len(column) > 1 and all(map(str.isdecimal, column[1:])):
        return [cell.rjust(width) for cell in column]
    return [cell.ljust(width) for cell in column]


def shown(value: object) -> str:
    """Return a cell: harmless, and never empty."""
    return printable(NOTHING if value in (None, "") else str(value))


def printable(text: str) -> str:
    """Escape what a terminal would obey: a client may have chosen the text."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )


def moment(seconds: object) -> str:
    """Write a time, given in seconds since 1970, as this machine's clock shows it."""
    if not isinstance(seconds, int):
        return NOTHING
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"


def megabytes(octets: object) -> str:
    """Write an amount of memory."""
    return f"{octets // MEGABYTE} MB" if isinstance(octets, int) else NOTHING
