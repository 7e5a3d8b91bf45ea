"""The line of every key in a TOML document, which tomllib does not tell.

tomllib decides what is TOML. The scanner only has to find its way through a document
that is, so it knows strings, brackets and keys, and takes every other value for
whatever stands before the next comma, bracket or line end. Where a document stops
being TOML, the scan ends.
"""

import re
import tomllib
from bisect import bisect
from collections.abc import Mapping
from contextlib import suppress

from attrs import frozen

from mailssl_trio.config.problem import KeyPath

SPACE = re.compile(r"[ \t]*")
BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?!")'  # one or two quotes may stand before the closing
    r"|'''.*?'''(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
BARE_VALUE = re.compile(r"[^,\]}#\n]+")


@frozen
class Positions:
    """Where each key of a document is; lines count from 1."""

    lines: Mapping[KeyPath, int]
    """Tables, keys and the elements of arrays."""
    repeated: Mapping[KeyPath, tuple[int, int]]
    """Keys set twice, which is not TOML, with both lines."""


def scan(text: str) -> Positions:
    """Find the keys of a document whose line ends are LF."""
    scanner = _Scanner(text)
    with suppress(_LostError, RecursionError, tomllib.TOMLDecodeError):
        scanner.document()
    return Positions(scanner.lines, scanner.repeated)


class _LostError(Exception):
    """This is not TOML."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[KeyPath, int] = {}
        self.repeated: dict[KeyPath, tuple[int, int]] = {}
        self._defined: set[KeyPath] = set()
        self._sizes: dict[KeyPath, int] = {}
        self._line_ends = [found.start() for found in re.finditer("\n", text)]

    # The grammar.

    def document(self) -> None:
        table: KeyPath = ()
        while self.skip(BLANK) < len(self.text):
            if self.take("[["):
                table = self.header_of_array()
            elif self.take("["):
                table = self.header()
            else:
                self.pair(table)

    def header(self) -> KeyPath:
        line = self.line
        *outer, last = self.key()
        table = (*self.innermost(outer, line), last)
        self.define(table, line)
        self.expect("]")
        return table

    def header_of_array(self) -> KeyPath:
        line = self.line
        *outer, last = self.key()
        array = (*self.innermost(outer, line), last)
        self.lines.setdefault(array, line)
        index = self._sizes[array] = self._sizes.get(array, -1) + 1
        self.define((*array, index), line)
        self.expect("]]")
        return (*array, index)

    def pair(self, table: KeyPath) -> None:
        line = self.line
        path = table
        *outer, last = self.key()
        for name in outer:
            path = (*path, name)
            self.lines.setdefault(path, line)
        path = (*path, last)
        self.expect("=")
        self.value(path)
        self.define(path, line)

    def key(self) -> list[str]:
        names = [self.simple_key()]
        while self.take("."):
            names.append(self.simple_key())
        return names

    def simple_key(self) -> str:
        self.skip(SPACE)
        if bare := self.match(BARE_KEY):
            name = bare
        else:
            name = tomllib.loads(f"key = {self.require(STRING)}")["key"]
        self.skip(SPACE)
        return name

    def value(self, path: KeyPath) -> None:
        self.skip(SPACE)
        if self.take("["):
            self.array(path)
        elif self.take("{"):
            self.inline_table(path)
        elif not self.match(STRING):
            self.require(BARE_VALUE)

    def array(self, path: KeyPath) -> None:
        index = 0
        self.skip(BLANK)
        while not self.take("]"):
            self.lines[*path, index] = self.line
            self.value((*path, index))
            self.separator("]")
            index += 1

    def inline_table(self, path: KeyPath) -> None:
        self.skip(BLANK)
        while not self.take("}"):
            self.pair(path)
            self.separator("}")

    def separator(self, closing: str) -> None:
        self.skip(BLANK)
        if not self.take(",") and not self.text.startswith(closing, self.at):
            raise _LostError
        self.skip(BLANK)

    # What it is written with.

    def innermost(self, names: list[str], line: int) -> KeyPath:
        """Follow a header's names, into the last element of an array of tables."""
        path: KeyPath = ()
        for name in names:
            path = (*path, name)
            self.lines.setdefault(path, line)
            if path in self._sizes:
                path = (*path, self._sizes[path])
        return path

    def define(self, path: KeyPath, line: int) -> None:
        """Note a key or header in its own line, and whether it was there before."""
        if path in self._defined:
            self.repeated.setdefault(path, (self.lines[path], line))
            return
        self._defined.add(path)
        self.lines[path] = line

    @property
    def line(self) -> int:
        return bisect(self._line_ends, self.at - 1) + 1

    def skip(self, pattern: re.Pattern[str]) -> int:
        self.match(pattern)
        return self.at

    def take(self, word: str) -> bool:
        found = self.text.startswith(word, self.at)
        self.at += len(word) * found
        return found

    def expect(self, word: str) -> None:
        if not self.take(word):
            raise _LostError

    def match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]

    def require(self, pattern: re.Pattern[str]) -> str:
        found = self.match(pattern)
        if not found:
            raise _LostError
        return found
