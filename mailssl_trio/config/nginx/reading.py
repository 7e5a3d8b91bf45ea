"""From files of statements to blocks of directives, as nginx goes through them.

What nginx would say first is what is said; nothing behind it is looked at.
"""

import os
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from attrs import define, field

from mailssl_trio.config.nginx.elsewhere import ELSEWHERE
from mailssl_trio.config.nginx.lexer import Statements
from mailssl_trio.config.nginx.merging import check_mail
from mailssl_trio.config.nginx.refusal import Place, RefusedError
from mailssl_trio.config.nginx.repeating import Declared
from mailssl_trio.config.nginx.statements import End, Statement
from mailssl_trio.config.nginx.tree import Block, Entry
from mailssl_trio.config.nginx.vocabulary import (
    BLOCKS,
    Context,
    Version,
    directive,
)
from mailssl_trio.files import Files

OURS = ("ngx_mail_", "ngx_stream_", "ngx_http_")
"""Modules that bring no directives beside ``mail``."""


@define
class Reading:
    """One configuration, with all that it includes."""

    main: Path
    files: Files
    version: Version | None = None
    """Whose directives there are; None for those of all versions."""
    declared: Declared = field(factory=Declared, init=False)
    _open: list[str] = field(factory=list, init=False)
    _knows_all: bool = field(default=True, init=False)
    """Whether no module was loaded whose directives we do not know."""

    def read(self) -> Block:
        """Return the main context. Raises RefusedError."""
        main = Block(Context.MAIN)
        self._file(str(self.main), None, main)
        if not any(main.blocks("events")):
            raise RefusedError('no "events" section in configuration')
        return main

    def _file(self, name: str, place: Place | None, block: Block) -> None:
        """Read a file as if it stood in the block."""
        if name in self._open:  # nginx goes on until it may open no more
            raise _not_opened(name, "24: Too many open files", place)
        self._open.append(name)
        main_line = None if place is None else place.main_line
        statements = Statements(self._text(name, place), name, main_line)
        end = self._statements(statements, block)
        if not end.of_file:
            raise RefusedError.at('unexpected "}"', end.place)
        self._open.pop()

    def _text(self, name: str, place: Place | None) -> str:
        try:
            data = self.files.read(Path(name)).data
        except OSError as error:
            reason = f"{error.errno}: {error.strerror}" if error.errno else str(error)
            raise _not_opened(name, reason, place) from None
        except ValueError:
            raise _not_opened(name, "22: Invalid argument", place) from None
        return data.decode(errors="surrogateescape")

    def _statements(self, statements: Statements, block: Block) -> End:
        while True:
            match statements.next():
                case End() as end:
                    block.comments += end.comments
                    return end
                case Statement(words=("include", *_)) as statement:
                    self._include(statement, block)
                case statement:
                    self._directive(statement, statements, block)

    def _include(self, statement: Statement, block: Block) -> None:
        _check_end(statement, opens_block=False)
        if len(statement.words) != 2:
            raise _wrong_number(statement)
        block.parts.append(Entry(statement))
        name = os.path.join(self.main.parent, statement.words[1])
        for each in self._matching(name) if has_magic(name) else [name]:
            self._file(each, statement.place, block)

    def _matching(self, pattern: str) -> Sequence[str]:
        """Return what is there; or was, where files are handed down."""
        if self.files.on_disk:
            return sorted(glob(pattern), key=os.fsencode)
        known = (path for path in self.files.known if path.match(pattern))
        return sorted(map(str, known), key=os.fsencode)

    def _directive(
        self, statement: Statement, statements: Statements, block: Block
    ) -> None:
        name = statement.name
        known = directive(name, self.version)
        if known is None and name not in BLOCKS:
            self._unknown(statement, statements, block)
            return
        contexts = BLOCKS[name] if known is None else known.contexts
        if block.context not in contexts:
            raise _not_here(statement)
        _check_end(statement, opens_block=known is None)
        least, most = (0, 0) if known is None else (known.least, known.most)
        if not least <= len(statement.arguments) <= most:
            raise _wrong_number(statement)
        if known is None:
            self._block(statement, statements, block)
            return
        self.declared.check_before(statement, known, block)
        value = known.read(statement)
        block.parts.append(
            Entry(statement, self.declared.take(statement, known, value, block))
        )
        if name == "load_module" and not _is_ours(statement.arguments[0]):
            self._knows_all = False

    def _unknown(
        self, statement: Statement, statements: Statements, block: Block
    ) -> None:
        """Refuse what is unknown, or leave it to a module that we do not know."""
        if statement.name in ELSEWHERE:
            raise _not_here(statement)
        if self._knows_all or block.context is not Context.MAIN:
            raise RefusedError.at(
                f'unknown directive "{statement.name}"', statement.place
            )
        if statement.opens_block:
            statements.skip_block()
        block.parts.append(Entry(statement))

    def _block(
        self, statement: Statement, statements: Statements, outer: Block
    ) -> None:
        name = statement.name
        if name != "server" and (outer.entries(name) or any(outer.blocks(name))):
            raise RefusedError.at(f'"{name}" directive is duplicate', statement.place)
        if name in {"http", "stream"}:
            statements.skip_block()
            outer.parts.append(Entry(statement))
            return
        inner = Block(Context[name.upper()], statement)
        if self._statements(statements, inner).of_file:
            raise statements.unclosed()
        outer.parts.append(inner)
        if name == "server" and not inner.entries("listen"):
            text = 'no "listen" is defined for server'
            raise RefusedError.at(text, statement.place)
        if name == "mail":
            check_mail(inner, self.version)


def _is_ours(module: str) -> bool:
    return os.path.basename(module).startswith(OURS)


def _check_end(statement: Statement, *, opens_block: bool) -> None:
    name = statement.name
    if opens_block and not statement.opens_block:
        text = f'directive "{name}" has no opening "{{"'
        raise RefusedError.at(text, statement.place)
    if statement.opens_block and not opens_block:
        text = f'directive "{name}" is not terminated by ";"'
        raise RefusedError.at(text, statement.place)


def _not_here(statement: Statement) -> RefusedError:
    text = f'"{statement.name}" directive is not allowed here'
    return RefusedError.at(text, statement.place)


def _wrong_number(statement: Statement) -> RefusedError:
    text = f'invalid number of arguments in "{statement.name}" directive'
    return RefusedError.at(text, statement.place)


def _not_opened(name: str, reason: str, place: Place | None) -> RefusedError:
    text = f'open() "{name}" failed ({reason})'
    return RefusedError(text) if place is None else RefusedError.at(text, place)
