"""mail.toml(5): every directive, as the program declares it and docs/ explains it."""

import markdown
import roff

from mailssl_trio.config.dictionary import Entry, dictionary

PURPOSE = "configuration of mailssl-trio"

ENTRIES = {(each.name, len(each.contexts) > 1): each for each in dictionary()}


def page(date: str) -> roff.Lines:
    """Write the whole page."""
    text = markdown.sections("configuration.md")
    yield from roff.heading("mail.toml", date, 5, "File Formats")
    yield from roff.section("Name")
    yield rf"mail.toml \- {roff.prose(PURPOSE)}"
    yield from roff.section("Description")
    yield from markdown.blocks(text.pop(""))
    del text["Exit codes"]
    for title, below in text.items():
        yield from roff.section(title)
        yield from markdown.blocks(below, _Rows(is_inherited="[mail]" in title))
    yield from roff.section("See also")
    yield r"\fBmailssl\-trio\fR(1), \fBmailssl\-auth\-http\fR(7)"


class _Rows:
    """The rows of one section: those of directives begin with what they take."""

    def __init__(self, *, is_inherited: bool) -> None:
        self.is_inherited = is_inherited

    def __call__(self, head: list[str], cells: list[str]) -> roff.Lines:
        if head[0] != "directive":
            return markdown.tagged_row(head, cells)
        name = cells[0].strip("`")
        entry = ENTRIES.get((name, self.is_inherited)) or ENTRIES[name, False]
        tag = rf"\fB{name}\fR = \fI{roff.escape(entry.form.word)}\fR"
        return roff.tagged(tag, markdown.sentence(cells[-1]), _default(entry))


def _default(entry: Entry) -> str:
    if entry.unset:
        return f"Unset: {entry.unset}."
    default = entry.default
    if isinstance(default, bool):
        default = "true" if default else "false"
    return "" if default is None or default == [] else f"Default: `{default}`."
