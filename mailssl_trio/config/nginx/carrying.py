"""From nginx's blocks to the tables of this program, directive by directive."""

from collections.abc import Iterator, Sequence

from attrs import define, field

from mailssl_trio.config.nginx.comments import LOST, Commented, comment
from mailssl_trio.config.nginx.fitting import (
    OF_TOP,
    Misfit,
    fitted,
    fitted_listen,
    is_so_anyway,
)
from mailssl_trio.config.nginx.merging import Merged, merged
from mailssl_trio.config.nginx.notes import NOTES, REMEDIES
from mailssl_trio.config.nginx.statements import BLANK
from mailssl_trio.config.nginx.toml import Setting, Table
from mailssl_trio.config.nginx.translation import (
    Site,
    keys_in_use,
    session_cache,
    simplest,
    translated,
)
from mailssl_trio.config.nginx.tree import Block, Entry
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx.versions import defaults
from mailssl_trio.config.nginx.vocabulary import DIRECTIVES, Context, Repeat, Version
from mailssl_trio.config.problem import Problem

UNKNOWN = f"{LOST}not known here"
SO_ANYWAY = "it is so in any case"
LAST_WINS = "nginx takes the last one"
IDLE_KEY = "there is no certificate for it"
FIRST_KEYS = " nginx takes the first of the keys in mail"
IDLE_STARTTLS = "nginx never offers it here, since `ssl on` holds"
WHERE_NOTHING_IS_SAID = " Where nothing is said, nginx has this:"


@define
class Carrying:
    """One configuration on its way into our language."""

    site: Site
    version: Version | None
    _commented: Commented = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._commented = Commented(self.site)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What has not been carried over until now."""
        return tuple(self._commented.warnings)

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
        left_out = self._commented.left_out
        seen: set[str] = set()
        for part in block.parts:
            match part:
                case Block(context=Context.EVENTS):
                    yield from self._events(part)
                case Entry(name="include"):
                    yield comment(part.statement)
                case Entry(name=name) if name in NOTES or name not in DIRECTIVES:
                    yield left_out(part, NOTES.get(name, UNKNOWN))
                case Entry(name=name) if is_so_anyway(name, part.value):
                    yield left_out(part, SO_ANYWAY, warn=False)
                case Entry(name=name) if name not in seen:
                    seen.add(name)
                    yield from self._directive(name, block, server)
                case _:  # a table of its own, or said with the first of its name
                    pass

    def _events(self, events: Block) -> Iterator[Setting]:
        """Turn into comments what nginx is told about its event loop alone."""
        assert events.head is not None
        line = events.head.place.main_line
        yield Setting(line, comments=events.head.comments)
        for part in events.parts:
            if not isinstance(part, Entry):
                continue
            if part.name in OF_TOP:
                yield from self._carried(part.name, [part], events, None)
            else:
                reason = NOTES.get(part.name) or LOST + REMEDIES[part.name]
                yield self._commented.left_out(part, reason)
        yield Setting(line, comments=tuple(events.comments))

    def _directive(
        self, name: str, block: Block, server: Merged | None
    ) -> Iterator[Setting]:
        """Carry all directives of one name over to where the first of them stood."""
        entries, idle, reason = self._in_use(name, block, server)
        for entry in idle:
            yield self._commented.left_out(entry, reason)
        if not entries:
            return
        if name == "listen":
            yield self._listens(entries)
            return
        yield from self._carried(name, entries, block, server)
        if name == "ssl_certificate" and server is not None:
            yield from self._inherited_keys(server)

    def _carried(
        self, name: str, entries: Sequence[Entry], block: Block, server: Merged | None
    ) -> Iterator[Setting]:
        value = self._value(name, entries, server)
        at_top = block.context in Context.MAIN | Context.EVENTS
        fit, misfits = fitted(name, value, at_top=at_top)
        if fit is not None:
            fit = simplest(name, fit)
        yield self._commented.setting(name, entries, fit, misfits)

    def _in_use(
        self, name: str, block: Block, server: Merged | None
    ) -> tuple[Sequence[Entry], Sequence[Entry], str]:
        """Return the directives that decide, those that do not, and why not."""
        entries = block.entries(name)
        match name:
            case "ssl_certificate_key":
                return *keys_in_use(server or block, entries), IDLE_KEY
            case "starttls" if server is not None and server.says("ssl", True):
                return (), entries, IDLE_STARTTLS
            case _ if DIRECTIVES[name].repeat is Repeat.REPLACES:
                keeps = name == "ssl_session_cache"  # an earlier one's zone
                return (
                    (entries, (), "")
                    if keeps
                    else (entries[-1:], entries[:-1], LAST_WINS)
                )
        return entries, (), ""

    def _value(
        self, name: str, entries: Sequence[Entry], server: Merged | None
    ) -> Value:
        if name == "ssl_session_cache":
            inherited = () if server is None else server.mail.entries(name)
            return session_cache(entries, inherited)
        return simplest(name, translated(name, entries, self.site))

    def _inherited_keys(self, server: Merged) -> Iterator[Setting]:
        """Name the keys that nginx takes of more that are inherited."""
        name = "ssl_certificate_key"
        in_use, idle = keys_in_use(server, server.entries(name))
        if idle and not server.server.entries(name):
            value = simplest(name, translated(name, in_use, self.site))
            line = server.server.entries("ssl_certificate")[0].statement.place.main_line
            yield Setting(line, name, value, (FIRST_KEYS,))

    def _listens(self, entries: Sequence[Entry]) -> Setting:
        addresses: list[str] = []
        misfits: list[Misfit] = []
        for entry in entries:
            where, *parameters = entry.statement.arguments
            taken, wrong = fitted_listen((self.site.path("listen", where), *parameters))
            addresses += taken
            misfits += wrong
        value = simplest("listen", addresses) if addresses else None
        return self._commented.setting("listen", entries, value, misfits)

    def _defaults(self, mail: Block, line: int) -> Iterator[Setting]:
        """Write out what nginx has by default and we have not."""
        comments: tuple[str, ...] = (BLANK, WHERE_NOTHING_IS_SAID)
        for name, value in defaults(mail, self.version).items():
            yield Setting(line, name, value, comments)
            comments = ()
