"""nginx's syntax: words that end in ``;`` or ``{``, and the comments between them.

One statement is read at a time, so that the first thing that is wrong is the first
that is named, whatever comes behind it.
"""

import re
from collections.abc import Iterator

from mailssl_trio.config.nginx.refusal import Place, RefusedError
from mailssl_trio.config.nginx.statements import BLANK, End, Statement

SPACE = re.compile(r"[ \t\r\n]*")
UNQUOTED = re.compile(r"(?:\\.|\$+\{*|[^ \t\r\n;{\\$])+", re.DOTALL)
QUOTED = {
    quote: re.compile(rf"(?:\\.|[^\\{quote}])*", re.DOTALL) for quote in ("'", '"')
}
ESCAPE = re.compile(r"""\\(["'\\trn])""")
ESCAPED = {"t": "\t", "r": "\r", "n": "\n"}
COMMENT = re.compile(r"#([^\n]*)")
REMARK = re.compile(r"[ \t]*#([^\n]*)")

LONGEST = 4096
"""nginx reads through a buffer of this size, which a word or a comment must fit."""

LUA = re.compile(
    r"""[{}]|--\[(=*)\[.*?\]\1\]|--[^\n]*|\[(=*)\[.*?\]\2\]|(["'])(?:\\.|[^\\])*?\3""",
    re.DOTALL,
)
"""In the text of a Lua block: braces, and what braces may stand in."""


class Statements:
    """One file, statement by statement."""

    def __init__(self, text: str, file: str, main_line: int | None) -> None:
        self._text = text
        self._file = file
        self._main_line = main_line
        """The line of the ``include`` for it; None for the main file."""
        self._at = 0
        self._line = 1
        self._counted = 0

    def next(self) -> Statement | End:
        """Read to the next ``;``, ``{`` or ``}``."""
        words: list[str] = []
        comments: list[str] = []
        while True:
            if self._skip(SPACE).count("\n") > 1:
                comments.append(BLANK)
            match self._text[self._at : self._at + 1]:
                case "#":
                    comments.append(self._comment())
                case '"' | "'" as quote:
                    words.append(self._quoted(quote))
                case "" | ";" | "{" | "}" as end:
                    return self._end(end, words, comments)
                case _:
                    words.append(self._unquoted())

    def _end(
        self, letter: str, words: list[str], comments: list[str]
    ) -> Statement | End:
        """Return what ends here: a statement, a block, or the file."""
        if letter == "":
            if words:
                raise self._unfinished()
            return End(self._place(), of_file=True, comments=tuple(comments))
        self._at += 1
        if bool(words) is (letter == "}"):
            raise self._unexpected(letter)
        place, remark = self._place(), tuple(self._remark())
        if letter == "}":
            return End(place, of_file=False, comments=(*comments, *remark))
        return Statement(
            tuple(words), place, letter == "{", tuple(comments), "".join(remark)
        )

    def skip_block(self) -> None:
        """Read past the end of the block that was just opened."""
        depth = 1
        while depth:
            match self.next():
                case End(of_file=True):
                    raise self.unclosed()
                case End():
                    depth -= 1
                case Statement(opens_block=True) as statement:
                    if statement.name.endswith("_by_lua_block"):
                        self._skip_lua()
                    else:
                        depth += 1

    def unclosed(self) -> RefusedError:
        """Return the refusal of a file that ends within a block."""
        return self._wrong('unexpected end of file, expecting "}"')

    def _skip_lua(self) -> None:
        depth = 1
        for found in LUA.finditer(self._text, self._at):
            depth += {"{": 1, "}": -1}.get(found[0], 0)
            if not depth:
                self._at = found.end()
                return
        self._at = len(self._text)
        raise self.unclosed()

    def _comment(self) -> str:
        start = self._at
        found = self._skip(COMMENT)
        if self._at - start >= LONGEST:
            raise self._too_long(start)
        return found

    def _remark(self) -> Iterator[str]:
        """Yield the comment on the rest of the line, if there is one."""
        if found := REMARK.match(self._text, self._at):
            if len(found[0]) >= LONGEST:
                raise self._too_long(self._at)
            self._at = found.end()
            yield found[1]

    def _unquoted(self) -> str:
        start = self._at
        self._skip(UNQUOTED)
        if self._at - start >= LONGEST:
            raise self._too_long(start)
        if self._at == len(self._text) or self._text[self._at] == "\\":
            self._at = len(self._text)
            raise self._unfinished()
        return _unescaped(self._text[start : self._at])

    def _quoted(self, quote: str) -> str:
        self._at += 1
        start = self._at
        self._skip(QUOTED[quote])
        content = self._text[start : self._at]
        if self._at - start >= LONGEST:
            raise self._too_long(start, quote)
        if self._text[self._at : self._at + 1] != quote:
            self._at = len(self._text)
            raise self._unfinished()
        self._at += 1
        if self._at - start >= LONGEST:
            raise self._too_long(start)
        behind = self._text[self._at : self._at + 1]
        if behind == "":
            raise self._unfinished()
        if behind not in " \t\r\n;{)":
            raise self._unexpected(behind)
        return _unescaped(content)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[1] if pattern.groups else found[0]

    def _place(self) -> Place:
        """Return where we stand; lines are counted once."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        main_line = self._line if self._main_line is None else self._main_line
        return Place(self._file, self._line, main_line)

    def _wrong(self, text: str) -> RefusedError:
        return RefusedError.at(text, self._place())

    def _unexpected(self, letter: str) -> RefusedError:
        return self._wrong(f'unexpected "{letter}"')

    def _unfinished(self) -> RefusedError:
        return self._wrong('unexpected end of file, expecting ";" or "}"')

    def _too_long(self, start: int, quote: str = "") -> RefusedError:
        self._at = start
        if quote:
            return self._wrong(
                f'too long parameter, probably missing terminating "{quote}" character'
            )
        began = self._text[start : start + 10]
        return self._wrong(f'too long parameter "{began}..." started')


def _unescaped(word: str) -> str:
    return ESCAPE.sub(lambda found: ESCAPED.get(found[1], found[1]), word)
