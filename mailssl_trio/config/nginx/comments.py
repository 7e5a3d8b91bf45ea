"""The comments of nginx's file, and those about what is missing of it."""

from collections.abc import Sequence

from mailssl_trio.config.nginx.fitting import Misfit
from mailssl_trio.config.nginx.refusal import Place
from mailssl_trio.config.nginx.statements import Statement
from mailssl_trio.config.nginx.toml import Setting
from mailssl_trio.config.nginx.translation import Site, translated
from mailssl_trio.config.nginx.tree import Entry
from mailssl_trio.config.nginx.values import Value


def comment(statement: Statement, *lines: str) -> Setting:
    """Return lines in place of a statement, below what stood above it."""
    remark = (f"   {statement.remark.strip()}",) if statement.remark else ()
    return Setting(
        statement.place.main_line, comments=(*statement.comments, *lines, *remark)
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
            if at is not None and entry.statement.comments:
                found[at] = entry.statement.comments
    return found


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
