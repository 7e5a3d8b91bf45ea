"""The table as a picture: each figure in parts of nginx's, as bars in an SVG."""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from bench.report import YARDSTICK, Result, Table

WIDTH, LABELS, MOST = 880, 330, 4.0
"""Pixels of all and of the names; and the ratio at which a bar is cut off."""

ROW, BAR = 34, 11
COLOURS = {"gateway": "#2f6f9f", "dovecot": "#b9a26a"}


def chart(table: Table) -> str:
    """Draw every figure that the yardstick has, and each target as a line."""
    drawn = [one for one in table.results if one.ratio("gateway") is not None]
    height = 60 + ROW * len(drawn)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="10" y="20">{escape(table.machine)}; {YARDSTICK} is 1, less is better'
        "</text>",
        *_legend(),
    ]
    for number, result in enumerate(drawn):
        lines += _row(result, 50 + ROW * number)
    x = _x(1.0)
    lines.append(
        f'<line x1="{x}" y1="44" x2="{x}" y2="{height - 12}" stroke="#222"'
        ' stroke-dasharray="2 3"/>'
    )
    return "\n".join([*lines, "</svg>", ""])


def _legend() -> Iterator[str]:
    for number, (name, colour) in enumerate(COLOURS.items()):
        x = 10 + 90 * number
        yield f'<rect x="{x}" y="28" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 15}" y="37">{name}</text>'


def _row(result: Result, y: int) -> Iterator[str]:
    yield f'<text x="10" y="{y + 15}">{escape(result.name)}</text>'
    for number, (name, colour) in enumerate(COLOURS.items()):
        if (ratio := result.ratio(name)) is None:
            continue
        top = y + BAR * number
        width = _x(max(0.0, ratio)) - LABELS
        yield (
            f'<rect x="{LABELS}" y="{top}" width="{width}" height="{BAR - 1}"'
            f' fill="{colour}"/>'
        )
        yield (
            f'<text x="{LABELS + width + 4}" y="{top + 9}" font-size="10">'
            f"{ratio:.2f}</text>"
        )
    if result.target is not None:
        x = _x(result.target[0])
        yield (
            f'<line x1="{x}" y1="{y - 2}" x2="{x}" y2="{y + 2 * BAR}" stroke="#b22"'
            ' stroke-width="2"/>'
        )


def _x(ratio: float) -> int:
    return LABELS + round(min(ratio, MOST) / MOST * (WIDTH - LABELS - 60))
