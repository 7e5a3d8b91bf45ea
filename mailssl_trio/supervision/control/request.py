"""What may be asked at the control socket, and how it is written.

A request is a line, ``{"v": 1, "verb": "who", "user": "alice@example.org"}``. It is
answered with lines, the last of which has ``ok``; docs/control.md has all of them.
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.limits.networks import network_of

VERSION = 1

MAX_LINE = 2**16

FORM = 'a request is {"v": 1, "verb": "…", …}'

Fact: TypeAlias = Mapping[str, object]
"""What a line says, without its version."""

Takes: TypeAlias = Mapping[str, type]
"""The arguments of a verb, and of which type of JSON's each of them is."""

TYPE_WORDS: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
}


class RequestError(Exception):
    """A request that nobody can fulfil; the text says why."""


@frozen
class Request:
    """A verb, and what stands beside it."""

    verb: str
    arguments: Mapping[str, object]

    def text(self, name: str) -> str | None:
        """Return a string, None where there is none."""
        value = self.arguments.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """Return a number, None where there is none."""
        value = self.arguments.get(name)
        return value if isinstance(value, int) else None

    def flag(self, name: str) -> bool:
        """Return whether something is wanted."""
        return self.arguments.get(name) is True

    def network(self, name: str) -> str | None:
        """Return an address or a network. Raises RequestError."""
        if (text := self.text(name)) is None:
            return None
        try:
            return str(network_of(text))
        except ValueError:
            raise RequestError(f"`{name}` is no address and no network") from None


def parse(line: bytes, verbs: Mapping[str, Takes]) -> Request:
    """Read a request. Raises RequestError, which quotes nothing of it."""
    try:
        said = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise RequestError("this is not JSON") from None
    match said:
        case {"v": bool()}:  # to Python it is a number
            raise RequestError(FORM)
        case {"v": int(version)} if version != VERSION:
            raise RequestError(f"version {VERSION} is spoken here")
        case {"v": int(), "verb": str(verb), **others}:
            arguments = {str(name): value for name, value in others.items()}
        case _:
            raise RequestError(FORM)
    if verb not in verbs:
        raise RequestError(f"unknown verb; there are {', '.join(sorted(verbs))}")
    _check(arguments, verbs[verb])
    return Request(verb, arguments)


def _check(arguments: Mapping[str, object], takes: Takes) -> None:
    """Raise RequestError for what a verb does not take."""
    for name, value in arguments.items():
        if name not in takes:
            known = ", ".join(takes) or "nothing else"
            raise RequestError(f"an argument is unknown; the verb takes {known}")
        if type(value) is not takes[name]:
            raise RequestError(f"`{name}` must be {TYPE_WORDS[takes[name]]}")


def written(facts: tuple[Fact, ...]) -> bytes:
    """Write an answer's lines."""
    lines = (json.dumps({"v": VERSION, **fact}) for fact in facts)
    return "".join(f"{line}\n" for line in lines).encode()
