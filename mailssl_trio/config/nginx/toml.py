"""The configuration as it is written: TOML that keeps the comments of its origin."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import tomli_w
from attrs import define, field, frozen

from mailssl_trio.config.nginx.statements import BLANK
from mailssl_trio.config.nginx.values import Value

WIDTH = 88
FORBIDDEN = re.compile(r"[^\t\x20-\x7e\u00a0-\ud7ff\ue000-\U0010ffff]")
"""What TOML does not let stand in a comment."""


@frozen
class Setting:
    """A directive; without a value only the comments above it."""

    line: int
    """The line of the main file that it comes from."""
    name: str = ""
    value: Value | None = field(default=None, repr=False)
    comments: tuple[str, ...] = field(default=(), repr=False)
    remark: str = field(default="", repr=False)
    inner: Mapping[int, tuple[str, ...]] = field(factory=dict, repr=False)
    """Comments above elements of an array, by their index."""


@define
class Table:
    """What stands below a header, or above the first."""

    header: str = ""
    line: int = 1
    comments: tuple[str, ...] = ()
    remark: str = ""
    settings: list[Setting] = field(factory=list)


@frozen
class Written:
    """A document, and for each of its lines the line of the main file behind it."""

    text: str = field(repr=False)
    origins: tuple[int, ...]


def write(tables: Iterable[Table]) -> Written:
    """Write a document; paragraphs stay paragraphs, with one empty line between."""
    lines: list[tuple[str, int]] = []
    for table in tables:
        lines.append((BLANK, table.line))
        lines += _table(table)
    kept = [
        (line, origin)
        for (before, _), (line, origin) in pairwise([(BLANK, 1), *lines])
        if line != BLANK or not (before == BLANK or before.startswith("["))
    ]
    while kept and kept[-1][0] == BLANK:
        kept.pop()
    text = "".join(BLANK if line == BLANK else f"{line}\n" for line, _ in kept)
    return Written(text, tuple(origin for _, origin in kept))


def _table(table: Table) -> Iterator[tuple[str, int]]:
    yield from ((comment(text), table.line) for text in table.comments)
    if table.header:
        yield table.header + _remark(table.remark), table.line
    for setting in table.settings:
        yield from ((comment(text), setting.line) for text in setting.comments)
        if setting.value is not None:
            written = _setting(setting, setting.value).split("\n")
            written[-1] += _remark(setting.remark)
            yield from ((line, setting.line) for line in written)


def comment(text: str) -> str:
    """Write one line of a comment, whatever it held; or an empty line."""
    if text == BLANK:
        return BLANK
    harmless = FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text.rstrip())
    return f"#{harmless}"


def _remark(text: str) -> str:
    return f"  {comment(f' {text.strip()}')}" if text else ""


def _setting(setting: Setting, value: Value) -> str:
    """Write ``name = value``, an array on several lines where it does not fit one."""
    if not isinstance(value, list):
        return f"{setting.name} = {_scalar(value)}"
    elements = [_scalar(element) for element in value]
    line = f"{setting.name} = [{', '.join(elements)}]"
    if len(line) <= WIDTH and "\n" not in line and not setting.inner:
        return line
    lines = [f"{setting.name} = ["]
    for at, element in enumerate(elements):
        lines += [f"    {comment(text)}" for text in setting.inner.get(at, ())]
        lines.append(f"    {element},")
    return "\n".join([*lines, "]"])


def _scalar(value: bool | int | str) -> str:
    written = tomli_w.dumps({"_": value}, multiline_strings=True)
    return written.removeprefix("_ = ").removesuffix("\n")
