"""From nginx's blocks to the tables of this program, directive by directive.

What cannot be carried over stays as a comment where it stood, and is warned about.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from attrs import define, field

from mailssl_trio.config.nginx.comments import (
    comment,
    inner_comments,
    lost,
    place_of,
)
from mailssl_trio.config.nginx.fitting import (
    Misfit,
    fitted,
    fitted_listen,
    is_so_anyway,
)
from mailssl_trio.config.nginx.merging import Merged, merged
from mailssl_trio.config.nginx.notes import NOTES, REMEDIES
from mailssl_trio.config.nginx.refusal import Place
from mailssl_trio.config.nginx.toml import Setting, Table
from mailssl_trio.config.nginx.translation import (
    Site,
    session_cache,
    simplest,
    translated,
)
from mailssl_trio.config.nginx.tree import Block, Entry
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx.versions import defaults
from mailssl_trio.config.nginx.vocabulary import DIRECTIVES, Context, Repeat, Version
from mailssl_trio.config.problem import Problem, Severity

LOST = "not carried over: "
UNKNOWN = f"{LOST}not known here"
LAST_WINS = "nginx takes the last one"
IDLE_KEY = "nginx ignores a key without a certificate"
IDLE_STARTTLS = "nginx never offers it here, since `ssl on` holds"
WHERE_NOTHING_IS_SAID = " Where nothing is said, nginx has this:"


@define
class Carrying:
    """One configuration on its way into our language."""

    site: Site
    version: Version | None
    warnings: list[Problem] = field(factory=list, init=False)

    def tables(self, main: Block) -> Iterator[Table]:
        """Yield what is above the first header, ``[mail]``, and each server."""
        yield Table(settings=[*self._settings(main, None)])
        for mail in main.blocks("mail"):
            yield self._table("[mail]", mail, None)
            for server in merged(mail):
                yield self._table("[[mail.server]]", server.server, server)
        if main.comments:
            yield Table(comments=tuple(main.comments))

    def _table(self, header: str, block: Block, server: Merged | None) -> Table:
        assert block.head is not None
        settings = [*self._settings(block, server)]
        line = block.head.place.main_line
        if block.context is Context.MAIL:
            settings += self._defaults(block, line)
        if block.comments:
            settings.append(Setting(line, comments=tuple(block.comments)))
        head = block.head
        return Table(header, line, head.comments, head.remark, settings)

    def _settings(self, block: Block, server: Merged | None) -> Iterator[Setting]:
        seen: set[str] = set()
        for part in block.parts:
            match part:
                case Block(context=Context.EVENTS):
                    yield from self._events(part)
                case Entry(name="include", statement=statement):
                    yield comment(statement, f" {statement}")
                case Entry(name=name) if name in NOTES or name not in DIRECTIVES:
                    yield self._left_out(part, NOTES.get(name, UNKNOWN))
                case Entry(name=name) if is_so_anyway(name, part.value):
                    yield self._left_out(part, "it is so in any case", warn=False)
                case Entry(name=name) if name not in seen:
                    seen.add(name)
                    yield from self._directive(name, block, server)
                case _:  # a table of its own, or said with the first of its name
                    pass

    def _events(self, events: Block) -> Iterator[Setting]:
        """Turn into comments what nginx is told about its event loop."""
        assert events.head is not None
        yield Setting(events.head.place.main_line, comments=events.head.comments)
        for part in events.parts:
            if isinstance(part, Entry):
                reason = NOTES.get(part.name) or LOST + REMEDIES[part.name]
                yield self._left_out(part, reason)
        yield Setting(events.head.place.main_line, comments=tuple(events.comments))

    def _directive(
        self, name: str, block: Block, server: Merged | None
    ) -> Iterator[Setting]:
        """Carry all directives of one name over to where the first of them stood."""
        entries = block.entries(name)
        if DIRECTIVES[name].repeat is Repeat.REPLACES and name != "ssl_session_cache":
            *superseded, last = entries
            for entry in superseded:
                yield self._left_out(entry, LAST_WINS)
            entries = [last]
        if name == "starttls" and server is not None and server.says("ssl", True):
            yield self._left_out(entries[-1], IDLE_STARTTLS)
            return
        if name == "listen":
            yield self._listens(entries)
            return
        if name == "ssl_certificate_key":
            certificates = (server or block).entries("ssl_certificate")
            for entry in entries[len(certificates) or len(entries) :]:
                yield self._left_out(entry, IDLE_KEY)
            entries = entries[: len(certificates) or len(entries)]
        value = self._value(name, entries, server)
        fit, misfits = fitted(name, value, at_top=block.context is Context.MAIN)
        if fit is not None:
            fit = simplest(name, fit)
        yield self._setting(name, entries, fit, misfits)

    def _value(
        self, name: str, entries: Sequence[Entry], server: Merged | None
    ) -> Value:
        if name == "ssl_session_cache":
            inherited = () if server is None else server.mail.entries(name)
            return session_cache(entries, inherited)
        return simplest(name, translated(name, entries, self.site))

    def _listens(self, entries: Sequence[Entry]) -> Setting:
        addresses: list[str] = []
        misfits: list[Misfit] = []
        for entry in entries:
            taken, wrong = fitted_listen(entry.statement.arguments)
            addresses += taken
            misfits += wrong
        value = simplest("listen", addresses) if addresses else None
        return self._setting("listen", entries, value, misfits)

    def _setting(
        self,
        name: str,
        entries: Sequence[Entry],
        value: Value | None,
        misfits: Sequence[Misfit],
    ) -> Setting:
        """Return the setting, below what stood above it and what is missing of it."""
        inner = inner_comments(value, entries, self.site)
        comments = [
            text
            for entry in entries
            if entry.statement.comments not in inner.values()
            for text in entry.statement.comments
        ]
        for misfit in misfits:
            reason = LOST + misfit.reason
            self._warn(place_of(misfit, entries), name, reason)
            comments += [*lost(name, misfit, entries), f"   {reason}"]
        remarks = [
            text.strip() for entry in entries if (text := entry.statement.remark)
        ]
        if value is None:
            comments += [f"   {text}" for text in remarks]
        return Setting(
            entries[0].statement.place.main_line,
            name,
            value,
            tuple(comments),
            "; ".join(remarks),
            inner,
        )

    def _left_out(self, entry: Entry, reason: str, *, warn: bool = True) -> Setting:
        """Keep a directive as a comment; warn, unless nobody can miss it."""
        statement = entry.statement
        if warn and entry.name not in NOTES:
            self._warn(statement.place, entry.name, reason)
        return comment(statement, f" {statement}", f"   {reason}")

    def _warn(self, place: Place, name: str, text: str) -> None:
        self.warnings.append(
            Problem(Path(place.file), place.line, name, text, "", Severity.WARNING)
        )

    def _defaults(self, mail: Block, line: int) -> Iterator[Setting]:
        """Write out what nginx has by default and we have not."""
        comments: tuple[str, ...] = (WHERE_NOTHING_IS_SAID,)
        for name, value in defaults(mail, self.version).items():
            yield Setting(line, name, value, comments)
            comments = ()
