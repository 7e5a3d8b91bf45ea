"""mailssl-auth-http(7): the protocol of auth servers, as docs/ has it."""

import markdown
import roff

NAME = "mailssl-auth-http"
PURPOSE = "how mailssl-trio asks an auth server"


def page(date: str) -> roff.Lines:
    """Write the whole page."""
    text = markdown.sections("auth-http.md")
    yield from roff.heading(NAME, date, 7, "Miscellaneous Information")
    yield from roff.section("Name")
    yield rf"{roff.escape(NAME)} \- {roff.prose(PURPOSE)}"
    yield from roff.section("Description")
    yield from markdown.blocks(text.pop(""))
    for title, below in text.items():
        yield from roff.section(title)
        yield from markdown.blocks(below)
    yield from roff.section("See also")
    yield r"\fBmailssl\-trio\fR(1), \fBmail.toml\fR(5)"
