"""Names that strangers chose, as names of directories."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

SEPARATOR = "/"
MAX_NAME = 200  # octets; a directory's name may have 255

# Printable US-ASCII with "&" as the shift of modified UTF-7 (RFC 3501 section 5.1.3);
# the wildcards of LIST are left out, as section 5.1 advises.
MODIFIED_UTF_7 = re.compile(r"(?:[ -$'-)+-~]|&[A-Za-z0-9+,]*-)+")


class BadNameError(ValueError):
    """A name that no user or folder can have here."""


def user_directory(user: bytes) -> str:
    """Name a user's directory; two users never share one, nor does one leave it."""
    name = quote(user.lower(), safe="@+")
    if name.startswith("."):
        name = "%2E" + name[1:]
    if not 0 < len(name) <= MAX_NAME:
        raise BadNameError("no such user")
    return name


def is_user(user: bytes) -> bool:
    """Whether a user can have this name."""
    try:
        return bool(user_directory(user))
    except BadNameError:
        return False


def folder_name(text: bytes) -> str:
    """Read the name of a folder as a client says it; INBOX in any case."""
    name = text.decode("ascii", "replace").removesuffix(SEPARATOR)
    first, separator, rest = name.partition(SEPARATOR)
    if first.upper() == "INBOX":
        name = "INBOX" + separator + rest
    if not MODIFIED_UTF_7.fullmatch(name) or "" in name.split(SEPARATOR):
        raise BadNameError("invalid mailbox name")
    if len(folder_directory(name)) > MAX_NAME:
        raise BadNameError("mailbox name too long")
    return name


def folder_directory(name: str) -> str:
    """Name a folder's directory as Maildir++ does; INBOX is the user's own."""
    if name == "INBOX":
        return ""
    return "".join("." + _escape(part) for part in name.split(SEPARATOR))


def folder_of_directory(directory: str) -> str:
    """Undo ``folder_directory()``."""
    return SEPARATOR.join(unquote(part) for part in directory[1:].split("."))


def superiors(name: str) -> Iterator[str]:
    """Return the names above a name, the highest first."""
    parts = name.split(SEPARATOR)
    for count in range(1, len(parts)):
        yield SEPARATOR.join(parts[:count])


def with_superiors(names: Iterable[str]) -> list[str]:
    """Return all names, and those which only stand above others, sorted."""
    everyone = set(names)
    for name in list(everyone):
        everyone.update(superiors(name))
    return sorted(everyone)


def matches(pattern: str, name: str) -> bool:
    """Whether LIST's pattern covers a name (RFC 3501 section 6.3.8).

    All the ways to match are followed at once: a pattern of many stars costs its
    length times the name's, where backtracking would take for ever.
    """
    places = {0}
    for character in pattern:
        if character in "*%":
            places = {end for start in places for end in _reach(character, name, start)}
        else:
            places = {at + 1 for at in places if name[at : at + 1] == character}
    return len(name) in places


def _reach(wildcard: str, name: str, start: int) -> range:
    end = name.find(SEPARATOR, start) if wildcard == "%" else -1
    return range(start, (len(name) if end < 0 else end) + 1)


def _escape(part: str) -> str:
    return part.replace("%", "%25").replace(".", "%2E")
