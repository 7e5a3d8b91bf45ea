"""Reading the table of one user, whatever may be wrong with it.

What is wrong with a password is told without quoting any of it, for it may be the
password itself that somebody wrote there.
"""

import re
from difflib import get_close_matches
from ipaddress import ip_network
from typing import TypeAlias, cast

from attrs import define, field, frozen

from mailssl_trio.auth.passwords import parse_hash
from mailssl_trio.auth.schemes import PasswordHash, UnreadableHashError
from mailssl_trio.auth.users import PROTOCOLS, Network, User
from mailssl_trio.transport.address import Address, parse_address

KeyPath: TypeAlias = tuple[str | int, ...]
"""How a value is reached: ``("alice@example.org", "networks", 0)``."""

KEYS = (
    "password",
    "upstream",
    "protocols",
    "networks",
    "upstream_user",
    "upstream_password",
)

NO_PORT = 0
"""One address may serve several protocols, so no port goes without saying."""

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@frozen
class UsersProblem:
    """One thing that is wrong with a users file."""

    keys: KeyPath
    """Where; () is the file itself. Whoever shows the problem finds the line by it."""
    text: str
    remedy: str
    line: int | None = None
    """Set where the file is not TOML, and no key leads there."""
    denied: bool = False
    """Whether the file may not be opened."""

    def __str__(self) -> str:
        where = ".".join(map(str, self.keys))
        return ": ".join(filter(None, (where, f"{self.text}; {self.remedy}")))


@define
class UserTables:
    """Reads users one by one, and notes all that is wrong with any of them.

    Once a problem is noted it does not matter what a method returns: no users will
    come of this file.
    """

    problems: list[UsersProblem] = field(factory=list)

    def user(self, name: str, entry: object) -> User | None:
        """Read a user's table."""
        if not name or CONTROL.search(name):
            self.note((name,), "no user can present this name", "write a plain name")
        if not isinstance(entry, dict):
            self.note(
                (name,),
                f"a user is a table, not {_kind(entry)}",
                'write it below a line like ["alice@example.org"]',
            )
            return None
        table = cast("dict[str, object]", entry)
        for key in table:
            if key not in KEYS:
                self.unknown((name, key), table[key])
        password = self.password((name, "password"), table.get("password"))
        upstreams = self.upstreams((name, "upstream"), table.get("upstream"))
        protocols = self.protocols((name, "protocols"), table.get("protocols"))
        networks = self.networks((name, "networks"), table.get("networks"))
        presented = [
            self.presented((name, key), table.get(key))
            for key in ("upstream_user", "upstream_password")
        ]
        if presented[0] is not None and "upstream_password" not in table:
            self.note(
                (name, "upstream_user"),
                "has a name for the backend, and no password",
                "add `upstream_password`",
            )
        if password is None:
            return None
        return User(name, password, upstreams, protocols, networks, *presented)

    def unknown(self, keys: KeyPath, value: object) -> None:
        """Note a key that means nothing, with the one that may have been meant."""
        name, key = map(str, keys)
        if similar := get_close_matches(key, KEYS, n=1):
            remedy = f"did you mean `{similar[0]}`?"
        elif isinstance(value, dict):
            remedy = f'a name with a dot needs quotes: ["{name}.{key}"]'
        else:
            remedy = f"known are {', '.join(KEYS)}"
        self.note(keys, "unknown key", remedy)

    def password(self, keys: KeyPath, value: object) -> PasswordHash | None:
        """Read a hash."""
        match value:
            case None:
                self.note(
                    keys[:1], "no password", "add one: `mailssl-trio hash-password`"
                )
            case str():
                try:
                    return parse_hash(value)
                except UnreadableHashError as unreadable:
                    self.note(keys, unreadable.text, unreadable.remedy)
            case _:
                self.note(
                    keys,
                    f"a password is a string, not {_kind(value)}",
                    "write the hash in quotes",
                )
        return None

    def presented(self, keys: KeyPath, value: object) -> bytes | None:
        """Read what a backend is told; never quoted, for it may be a password."""
        match value:
            case None:
                return None
            case str() if value and not CONTROL.search(value):
                return value.encode()
            case str():
                self.note(keys, "no login can present this", "write printed characters")
            case _:
                wrong = f"a string is needed, not {_kind(value)}"
                self.note(keys, wrong, "write it in quotes")
        return None

    def upstreams(self, keys: KeyPath, value: object) -> dict[str, Address]:
        """Read one address for all protocols, or a table of them."""
        match value:
            case None:
                return {}
            case dict():
                return self.upstream_table(keys, cast("dict[str, object]", value))
            case _:
                address = self.address(keys, value)
                return dict.fromkeys(PROTOCOLS, address) if address else {}

    def upstream_table(
        self, keys: KeyPath, table: dict[str, object]
    ) -> dict[str, Address]:
        """Read addresses by protocol."""
        upstreams = {}
        if not table:
            self.note(keys, "names no protocol", "leave it out, or fill it")
        for protocol, value in table.items():
            self.protocol((*keys, protocol), protocol)
            if address := self.address((*keys, protocol), value):
                upstreams[protocol] = address
        return upstreams

    def address(self, keys: KeyPath, value: object) -> Address | None:
        """Read where a backend is."""
        try:
            if isinstance(value, str):
                return parse_address(value, NO_PORT)
            wrong = f"an address is a string, not {_kind(value)}"
        except ValueError as unreadable:
            wrong = f'"{value}" is no address with a port: {unreadable}'
        self.note(keys, wrong, "write HOST:PORT, [IPv6]:PORT, unix:PATH or embedded")
        return None

    def protocols(self, keys: KeyPath, value: object) -> tuple[str, ...]:
        """Read which protocols a user may use; all, if the file says nothing."""
        if value is None:
            return PROTOCOLS
        words = self.words(keys, value)
        return tuple(
            word
            for index, word in enumerate(words)
            if self.protocol((*keys, index), word)
        )

    def protocol(self, keys: KeyPath, word: str) -> bool:
        """Say whether a word is a protocol's name."""
        if word not in PROTOCOLS:
            self.note(keys, f'unknown protocol "{word}"', "known: imap, pop3, smtp")
        return word in PROTOCOLS

    def networks(self, keys: KeyPath, value: object) -> tuple[Network, ...]:
        """Read whence a user may come; from anywhere, if the file says nothing."""
        if value is None:
            return ()
        words = self.words(keys, value)
        networks = (
            self.network((*keys, index), word) for index, word in enumerate(words)
        )
        return tuple(network for network in networks if network is not None)

    def network(self, keys: KeyPath, word: str) -> Network | None:
        """Read an address or a prefix."""
        try:
            return ip_network(word)
        except ValueError:
            self.note(keys, f'"{word}" is no network', _network_meant(word))
        return None

    def words(self, keys: KeyPath, value: object) -> tuple[str, ...]:
        """Read an array of strings, with something in it."""
        if not isinstance(value, list):
            wrong = f"an array of strings is needed, not {_kind(value)}"
        elif not value:
            wrong = "an empty array would keep the user out"
        elif strange := [each for each in value if not isinstance(each, str)]:
            wrong = f"an array of strings is needed, not of {_kind(strange[0])}"
        else:
            return tuple(value)
        self.note(keys, wrong, f'write {keys[-1]} = ["…"], or leave it out')
        return ()

    def note(self, keys: KeyPath, text: str, remedy: str) -> None:
        """Note a problem."""
        self.problems.append(UsersProblem(keys, text, remedy))


def _network_meant(word: str) -> str:
    """Suggest the network around an address that was given with its host's bits."""
    try:
        return f"did you mean {ip_network(word, strict=False)}?"
    except ValueError:
        return "write it as in 192.0.2.0/24, 192.0.2.1 or 2001:db8::/32"


def _kind(value: object) -> str:
    """Name a value's type as TOML does."""
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return "a date or time"
