"""What becomes of directives, with their comments, and with words on what is missing.

What cannot be carried over stays as a comment where it stood, and is warned about.
"""

from collections.abc import Sequence
from pathlib import Path

from attrs import define, field

from mailssl_trio.config.nginx.fitting import Misfit
from mailssl_trio.config.nginx.notes import NOTES
from mailssl_trio.config.nginx.refusal import Place
from mailssl_trio.config.nginx.statements import BLANK, Statement
from mailssl_trio.config.nginx.toml import Setting
from mailssl_trio.config.nginx.translation import Site, translated
from mailssl_trio.config.nginx.tree import Entry
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.problem import Problem, Severity

LOST = "not carried over: "


@define
class Commented:
    """Settings for one configuration, and the warnings about them."""

    site: Site
    warnings: list[Problem] = field(factory=list, init=False)

    def setting(
        self,
        name: str,
        entries: Sequence[Entry],
        value: Value | None,
        misfits: Sequence[Misfit] = (),
    ) -> Setting:
        """Return the setting, below what stood above it and what is missing of it."""
        inner = inner_comments(value, entries, self.site)
        comments = [*entries[0].statement.comments]
        for entry in entries[1:]:
            if (above := _without_blanks(entry)) not in inner.values():
                comments += above
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

    def left_out(self, entry: Entry, reason: str, *, warn: bool = True) -> Setting:
        """Keep a directive as a comment; warn, unless nobody can miss it."""
        if warn and entry.name not in NOTES:
            self._warn(entry.statement.place, entry.name, reason)
        return comment(entry.statement, f"   {reason}")

    def _warn(self, place: Place, name: str, text: str) -> None:
        self.warnings.append(
            Problem(Path(place.file), place.line, name, text, "", Severity.WARNING)
        )


def comment(statement: Statement, *lines: str) -> Setting:
    """Return a statement as a comment, below what stood above it."""
    remark = (f"   {statement.remark.strip()}",) if statement.remark else ()
    return Setting(
        statement.place.main_line,
        comments=(*statement.comments, f" {statement}", *lines, *remark),
    )


def inner_comments(
    value: Value | None, entries: Sequence[Entry], site: Site
) -> dict[int, tuple[str, ...]]:
    """Return the comments that go into an array, by the element that they are above.

    They are those above all directives of a name but the first.
    """
    found: dict[int, tuple[str, ...]] = {}
    for entry in entries[1:]:
        own = translated(entry.name, [entry], site)
        if isinstance(value, list) and isinstance(own, list):
            at = next((at for at, word in enumerate(value) if word in own), None)
            comments = _without_blanks(entry)
            if at is not None and comments:
                found[at] = comments
    return found


def _without_blanks(entry: Entry) -> tuple[str, ...]:
    return tuple(text for text in entry.statement.comments if text != BLANK)


def place_of(misfit: Misfit, entries: Sequence[Entry]) -> Place:
    """Return where the word stands that is not taken."""
    for entry in entries:
        if misfit.word in entry.statement.arguments:
            return entry.statement.place
    return entries[0].statement.place


def lost(name: str, misfit: Misfit, entries: Sequence[Entry]) -> list[str]:
    """Return, as nginx reads it, what is lost."""
    if misfit.word is None:
        return [f" {entry.statement}" for entry in entries]
    return [f" {Statement((name, misfit.word), place_of(misfit, entries), False)}"]
