"""Pages of docs/ as sections of a manual: as much of Markdown as they use."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import roff

DOCS = Path(__file__).parents[2] / "docs"

Row = Callable[[list[str], list[str]], roff.Lines]
"""What becomes of a table's row, given the cells of its head and its own."""


def sections(page: str) -> dict[str, str]:
    """Take a page apart at its second headings; "" is what stands before them."""
    text = (DOCS / page).read_text().partition("\n")[2]
    parts = re.split(r"^## (.*)\n", text, flags=re.MULTILINE)
    return dict(zip(["", *parts[1::2]], parts[0::2], strict=True))


def tagged_row(head: list[str], cells: list[str]) -> roff.Lines:
    """Explain the first cell by the others."""
    named = zip(head[2:], cells[2:], strict=True)
    bodies = [f"{name.capitalize()}: {cell}." for name, cell in named if cell]
    return roff.tagged(roff.inline(cells[0]), sentence(cells[1]), *bodies)


def sentence(cell: str) -> str:
    """Make a sentence of what stands in a table."""
    return f"{cell[:1].upper()}{cell[1:]}." if cell else ""


def blocks(text: str, row: Row = tagged_row) -> roff.Lines:
    """Set everything that stands below a heading."""
    for block in _blocks(text.splitlines()):
        match block[0][:2]:
            case "``":
                yield from roff.example(block[1:-1])
            case "| ":
                yield from _table(block, row)
            case "- ":
                for each in " ".join(map(str.strip, block))[2:].split(" - "):
                    yield from roff.item(each)
            case "##":
                yield from roff.subsection(block[0].lstrip("# "))
            case _:
                yield from roff.paragraph(" ".join(block))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Divide lines where they are empty, but for those of code."""
    block: list[str] = []
    for each in lines:
        in_code = block and block[0].startswith("```")
        if each or in_code:
            block.append(each)
        if block and (block.count("```") == 1 if in_code else not each):
            yield block
            block = []
    if block:
        yield block


def _table(block: list[str], row: Row) -> roff.Lines:
    head, _, *body = (
        [cell.strip() for cell in each.split("|")[1:-1]] for each in block
    )
    for cells in body:
        yield from row(head, cells)
