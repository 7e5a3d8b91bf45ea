"""The few words of man(7) that our pages are made of."""

import re
from collections.abc import Iterable, Iterator

Lines = Iterator[str]

INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\[(?P<link>[^]]+)\]\([^)]*\)|\*(?P<word>[^* ][^*]*)\*"
)


def escape(text: str) -> str:
    """Write characters so that each is itself."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti")
    return text.replace("`", r"\(ga").replace("^", r"\(ha").replace("'", r"\(aq")


def line(text: str) -> str:
    """Return a line of text, which is no request even if it begins like one."""
    return rf"\&{text}" if text[:1] in {".", "'"} else text


def inline(text: str) -> str:
    """Write a paragraph of ours: code is bold, what is stressed is italic."""
    found, position = "", 0
    for part in INLINE.finditer(text):
        found += prose(text[position : part.start()])
        found += _marked(part)
        position = part.end()
    return line(found + prose(text[position:]))


def prose(text: str) -> str:
    """Write text whose hyphens are hyphens, and whose quotes may curl."""
    return text.replace("\\", r"\e").replace("`", r"\(ga")


def _marked(part: re.Match[str]) -> str:
    if part["code"] is not None:
        return rf"\fB{escape(part['code'])}\fR"
    if part["link"] is not None:
        return prose(part["link"])
    return rf"\fI{prose(part['word'])}\fR"


def heading(title: str, date: str, section: int, purpose: str) -> Lines:
    """Begin a page."""
    yield rf'.TH {title.upper()} {section} {date} "mailssl\-trio" "{purpose}"'
    yield ".nh"


def section(title: str) -> Lines:
    """Begin a section."""
    yield f".SH {escape(title.replace('`', '')) if '`' in title else title.upper()}"


def subsection(title: str) -> Lines:
    """Begin a part of a section."""
    yield f".SS {escape(title)}"


def paragraph(text: str) -> Lines:
    """Set a paragraph."""
    yield ".PP"
    yield inline(text)


def tagged(tag: str, *bodies: str) -> Lines:
    """Explain a word, which is written in roff already."""
    yield ".TP"
    yield line(tag)
    for index, body in enumerate(filter(None, bodies)):
        if index:
            yield ".br"
        yield inline(body)


def item(text: str) -> Lines:
    """Set an item of a list."""
    yield r".IP \(bu 2"
    yield inline(text)


def tidied(lines: Iterable[str]) -> Lines:
    """Leave out what begins a paragraph where a heading has begun one."""
    before = ""
    for each in lines:
        if each != ".PP" or not before.startswith((".SH", ".SS")):
            yield each
        before = each


def example(lines: Iterable[str]) -> Lines:
    """Set lines as they are."""
    yield from (".PP", ".RS 4", ".EX")
    yield from (line(escape(each)) for each in lines)
    yield from (".EE", ".RE")
