"""The hostile tables: which cases there are, where each is played, and how.

A table is a TOML file beside this one. Each ``[[threat]]`` names a threat of
docs/security.md, says where its cases are played and how their octets are cut, and
has them by name, in the notation of ``script.py``:

    [[threat]]
    name = "starttls-injection"
    protocols = ["imap"]
    at = "on only"
    sent = "whole cuts"
    cites = "RFC 3207 section 6"

    [threat.cases]
    "NOOP behind it" = '''
    C: a STARTTLS
    …
    '''
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from attrs import frozen

from tests.hostile.script import Step, read_script, spoken

TABLES = Path(__file__).parent

PROTOCOLS = ("imap", "pop3", "smtp")

PLACES: Mapping[str, str] = {
    "off": "off",
    "on": "on",
    "only": "only",
    "upgraded": "on",
    "upgraded only": "only",
    "tls": "tls",
    "hello": "tls",
    "none": "none",
    "proxied": "proxied",
    "behind proxy": "proxied",
}
"""Where a conversation can begin, and the door by which one comes there: in the clear
(``starttls`` off, on, only; ``none`` takes mail without a login), behind STARTTLS, in
implicit TLS, and there before the handshake; in front of a PROXY header. Names of two
words are the runner's own."""

SEVERAL: Mapping[str, str] = {
    "clear": "off on",
    "secret": "upgraded tls",
    "open": "off on upgraded tls",
    "anywhere": "off on only upgraded tls",
}
"""Names for several places: ``open`` is where logins are taken."""

WAYS = frozenset({"whole", "octets", "cuts"})
"""How octets are sent: as they stand, one by one, and cut in two at every place."""


@frozen
class Case:
    """A conversation that somebody begins with bad intentions."""

    table: str
    protocol: str
    threat: str
    name: str
    places: tuple[str, ...]
    ways: tuple[str, ...]
    cites: str
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return f"{self.table}: {self.threat}: {self.name}"

    @property
    def plays(self) -> "Iterator[Play]":
        """Every way in which it is to be played."""
        for place in self.places:
            yield Play(self, place)
            if "cuts" in self.ways:
                first = next(spoken(self.steps))
                yield from (Play(self, place, cut=at) for at in range(1, len(first)))
        if "octets" in self.ways:
            yield Play(self, self.places[0], octets=True)


SECRET = frozenset({"upgraded", "tls"})
"""Places in TLS."""


def sample(cases: Sequence[Case]) -> Iterator[tuple[Case, list["Play"]]]:
    """Yield each case and what suffices of its plays, where time is short.

    Where a case belongs to several places in clear, or in TLS, they take turns.
    """
    for number, case in enumerate(cases):
        kinds = [
            [at for at in case.places if (at in SECRET) is tls] for tls in (False, True)
        ]
        places = {kind[number % len(kind)] for kind in kinds if kind}
        if len(case.places) <= 2:
            places = set(case.places)
        yield case, [play for play in case.plays if play.octets or play.place in places]


@frozen
class Play:
    """A case at one place, in one way."""

    case: Case
    place: str
    cut: int = 0
    """Where the first of what is said is cut in two."""
    octets: bool = False
    """Whether all is said octet by octet."""

    def __str__(self) -> str:
        way = f", cut at {self.cut}" if self.cut else ", octet by octet"
        return f"at {self.place}{way if self.cut or self.octets else ''}"


def cases(protocol: str, table: Path) -> Iterator[Case]:
    """Yield the cases of one protocol in a table."""
    for threat in tomllib.loads(table.read_text())["threat"]:
        if protocol not in threat.get("protocols", [table.stem.partition("-")[0]]):
            continue
        for name, script in threat["cases"].items():
            yield Case(
                table.stem,
                protocol,
                threat["name"],
                name,
                tuple(_places(threat.get("at", "open"))),
                tuple(threat.get("sent", "whole octets").split()),
                threat.get("cites", ""),
                read_script(script),
            )


def all_cases(protocol: str) -> list[Case]:
    """Return the cases of one protocol, out of all tables."""
    tables = sorted(TABLES.glob("*.toml"))
    return [case for table in tables for case in cases(protocol, table)]


def _places(words: str) -> Iterator[str]:
    for word in words.split():
        yield from SEVERAL.get(word, word).split()
