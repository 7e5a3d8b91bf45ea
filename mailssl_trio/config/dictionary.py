"""What each directive says of itself, for those who ask the program and not its docs.

Names, types and defaults are the classes' own. The sentence stands below each of them
as a string, which Python forgets; so the page itself is read.
"""

import ast
from collections.abc import Iterator, Mapping
from inspect import getsource
from typing import TypeAlias, get_args

from attrs import Attribute, fields, frozen

from mailssl_trio.config import directives
from mailssl_trio.config.directives import (
    MailDirectives,
    ServerDirectives,
    TopDirectives,
)
from mailssl_trio.config.forms import Form, form_of

TOP, MAIL, SERVER = "at the top", "[mail]", "[[mail.server]]"

MAIN_PAGE = "configuration.md"

Sentences: TypeAlias = Mapping[tuple[str, str], str]
"""What stands below a class's name and an attribute's."""


@frozen
class Entry:
    """A directive where it may stand."""

    name: str
    contexts: tuple[str, ...]
    form: Form
    default: object
    """As TOML would have it; None where there is none."""
    sentence: str
    unset: str
    """What holds then; "" where nothing does."""
    page: str
    """Of docs/, without the directory."""


def dictionary() -> tuple[Entry, ...]:
    """Return every directive, in the order of the page that declares them."""
    said = _sentences(ast.parse(getsource(directives)))
    return (
        *_entries(TopDirectives, (TOP,), said),
        *_entries(MailDirectives, (MAIL, SERVER), said),
        *_entries(ServerDirectives, (SERVER,), said),
    )


def _sentences(page: ast.Module) -> Sentences:
    """Find the strings that stand below the attributes of classes."""
    return {
        (kind.name, name): " ".join(text.split())
        for kind in page.body
        if isinstance(kind, ast.ClassDef)
        for name, text in _below(kind)
    }


def _below(kind: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for above, below in zip(kind.body, kind.body[1:], strict=False):
        match above, below:
            case (
                ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(ast.Constant(str(text))),
            ):
                yield name, text


def _entries(kind: type, contexts: tuple[str, ...], said: Sentences) -> Iterator[Entry]:
    for directive in fields(kind):
        if not directive.inherited:
            text = said.get((kind.__name__, directive.name), "")
            yield _entry(directive, contexts, text)


def _entry(
    directive: "Attribute[object]", contexts: tuple[str, ...], text: str
) -> Entry:
    text, _, page = text.removesuffix(".").partition(". See ")
    sentence, _, unset = text.partition(". Unset: ")
    form = form_of(_reader(directive.type))
    return Entry(
        directive.name,
        contexts,
        form,
        None if unset else _default(directive.default, form),
        f"{sentence}." if sentence else "",
        unset,
        page or MAIN_PAGE,
    )


def _reader(annotation: object) -> object:
    """Return what reads values of a type, be they optional or not."""
    if hasattr(annotation, "__metadata__"):
        return get_args(annotation)[1]
    return next(found for each in get_args(annotation) if (found := _reader(each)))


def _default(value: object, form: Form) -> object:
    return None if value is None else form.write(value)
