"""What the value of a directive may look like: one reader a kind.

A reader gets what TOML said, of whatever type, and returns what the program needs;
WrongValueError says why it cannot. The types at the end carry their reader with them,
so that a directive is declared by its type alone.
"""

import os
import re
from collections.abc import Collection
from difflib import get_close_matches
from socket import gethostname
from typing import Annotated, TypeAlias

from mailssl_trio.config.problem import quoted
from mailssl_trio.config.units import parse_size, parse_time
from mailssl_trio.transport.address import parse_address

A_CENTURY = 100 * 365 * 86400.0
"""No deadline is longer, so that every one of them is a number of the clock's."""

GREATEST = 2**31 - 1
"""No number of things is greater, so that every one of them is an int of C's."""

SHORTEST_COMMAND, LONGEST_COMMAND = 128, 2**20
"""Octets; a stranger may make us keep so many."""

PRINTABLE = re.compile(r"[ -~]+")
NAME = re.compile(r"[!-~]+")

DATA = "data:"
"""Before what stands in the configuration itself, and may be a key."""

CREDENTIAL, CREDENTIALS = "credential:", "CREDENTIALS_DIRECTORY"
"""Before the name of a file in a directory that systemd makes: systemd.exec(5)."""

CREDENTIAL_NAME = re.compile(r"[!-.0-9;-~]{1,255}")


class WrongValueError(ValueError):
    """A value that its directive does not take."""

    def __init__(self, text: str, remedy: str = "", index: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.remedy = remedy
        self.index = index
        """Which element of the array it is; None for the value as a whole."""


def flag(value: object) -> bool:
    """Read ``true``, ``false``, ``"on"`` or ``"off"``."""
    match value.lower() if isinstance(value, str) else value:
        case True | "on":
            return True
        case False | "off":
            return False
    raise WrongValueError(f"{shown(value)} is not a flag", "write true or false")


def seconds(value: object) -> float:
    """Read a time: a number of seconds, or nginx's notation."""
    try:
        length = parse_time(str(value) if is_number(value) else text(value))
    except ValueError:
        raise WrongValueError(
            f"{shown(value)} is not a time", 'write seconds, or "5m", "1h30m", "500ms"'
        ) from None
    if not 0 < length <= A_CENTURY:
        raise WrongValueError(
            f"{shown(value)} is no deadline", "it must be more than 0, within a century"
        )
    return length


def size(value: object, examples: str) -> int:
    """Read a number of octets, or nginx's notation."""
    try:
        return parse_size(str(value) if is_number(value) else text(value))
    except ValueError:
        raise WrongValueError(
            f"{shown(value)} is not a size", f"write octets, or {examples}"
        ) from None


def command_size(value: object) -> int:
    """Read how long a command may be."""
    octets = size(value, '"4k", "16k"')
    if not SHORTEST_COMMAND <= octets <= LONGEST_COMMAND:
        raise WrongValueError(
            f"{shown(value)} is too little or too much for a command",
            f"write {SHORTEST_COMMAND} to {LONGEST_COMMAND}",
        )
    return octets


def delay(value: object) -> float:
    """Read a time that may be nothing."""
    return 0.0 if str(value) == "0" else seconds(value)


def whole_seconds(value: object) -> int:
    """Read a time that is counted in seconds, for which nginx takes no ``ms``."""
    try:
        length = parse_time(str(value) if is_number(value) else text(value))
    except ValueError:
        length = 0.0
    if length != int(length) or "ms" in str(value) or not 0 < length <= A_CENTURY:
        raise WrongValueError(
            f"{shown(value)} is not a time in whole seconds",
            'write seconds, or "5m", "1h30m"',
        )
    return int(length)


def count(value: object) -> int:
    """Read a number of things."""
    if not is_number(value) or not isinstance(value, int) or value < 0:
        raise WrongValueError(f"{shown(value)} is not a number", "write 0, 1, 2, …")
    if value > GREATEST:
        raise WrongValueError(f"{value} is too much", f"write at most {GREATEST}")
    return value


def host_name(value: object) -> str:
    """Read a name; "" is the machine's own, as in nginx."""
    name = text(value) or gethostname()
    if NAME.fullmatch(name) is None:
        raise WrongValueError(
            f"{shown(value)} is not a host name", "write it in ASCII, without spaces"
        )
    return name


def file_name(value: object) -> str:
    """Read the name of a file."""
    name = text(value)
    if name.startswith(CREDENTIAL):
        return _credential(name.removeprefix(CREDENTIAL))
    if name.startswith(DATA):
        raise WrongValueError(
            "data: is not taken here", "put it into a file and name the file"
        )
    if not name or "\0" in name:
        raise WrongValueError(f"{shown(value)} is not a file name")
    return name


def _credential(name: str) -> str:
    """Return the file that systemd, or who starts us in its manner, has put there."""
    if CREDENTIAL_NAME.fullmatch(name) is None or name in {".", ".."}:
        raise WrongValueError(f"{shown(name)} is not the name of a credential")
    directory = os.environ.get(CREDENTIALS, "")
    if not directory:
        raise WrongValueError(
            f"there is no credential {shown(name)}: ${CREDENTIALS} is not set",
            "have systemd set it (LoadCredential=), or set it to a directory of files",
        )
    return os.path.join(directory, name)


def address(value: object) -> str:
    """Read where a backend is; its port may be left out."""
    try:
        parse_address(text(value), default_port=1)
    except WrongValueError:
        raise
    except ValueError as wrong:
        raise WrongValueError(f"{shown(value)} is no address: {wrong}") from None
    return text(value)


def ciphers(value: object) -> str:
    """Read a cipher list; OpenSSL judges it where it is used."""
    listed = text(value)
    if PRINTABLE.fullmatch(listed) is None:
        raise WrongValueError(
            f"{shown(value)} is not a cipher list", 'for example "HIGH:!aNULL:!MD5"'
        )
    return listed


def curves(value: object) -> str:
    """Read a list of groups; OpenSSL judges it where it is used."""
    listed = text(value)
    if NAME.fullmatch(listed) is None:
        raise WrongValueError(
            f"{shown(value)} is not a list of curves",
            'for example "auto", or "X25519:prime256v1"',
        )
    return listed


def text(value: object) -> str:
    """Read a string."""
    if not isinstance(value, str):
        raise WrongValueError(f"{shown(value)} is not a string", 'write "…"')
    return value


def is_number(value: object) -> bool:
    """Whether TOML said an integer; to Python, true is one too."""
    return isinstance(value, int) and not isinstance(value, bool)


def shown(value: object) -> str:
    """Quote a value for a message, in TOML's words and at bearable length."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "a table"
        case list():
            return "an array"
        case str() if value.startswith(DATA) or "-----BEGIN" in value:
            return f'"{DATA}…"'
        case str():
            return quoted(value)
        case _:
            return str(value)[:60]


def suggestion(word: object, known: Collection[str]) -> str:
    """Say what was probably meant; "" if nothing is close."""
    folded = {name.lower(): name for name in known}
    for close in get_close_matches(str(word).lower(), folded, n=1, cutoff=0.7):
        return f"did you mean `{folded[close]}`?"
    return ""


Flag: TypeAlias = Annotated[bool, flag]
Count: TypeAlias = Annotated[int, count]
Seconds: TypeAlias = Annotated[float, seconds]
CommandSize: TypeAlias = Annotated[int, command_size]
Delay: TypeAlias = Annotated[float, delay]
WholeSeconds: TypeAlias = Annotated[int, whole_seconds]
HostName: TypeAlias = Annotated[str, host_name]
FileName: TypeAlias = Annotated[str, file_name]
AddressText: TypeAlias = Annotated[str, address]
Ciphers: TypeAlias = Annotated[str, ciphers]
Curves: TypeAlias = Annotated[str, curves]
