"""What differs by chance: challenges, numbered as they come, and what answers them."""

import hashlib
import hmac
import re
from collections.abc import Sequence

from attrs import define, field

from tests.interop.differential.client import decoded
from tests.interop.differential.dialogue import Dialogue

CHALLENGE = re.compile(r"<[^<>@\s]+@front\.test>")

SECRET = b"secret"
"""The password that digests are made of, where they are right."""


PORT = re.compile(r"(B: PROXY TCP\d \S+ \S+) (1234|\d{5}) \d{5}")
"""The ports of a PROXY header for the backend; 1234 is what a proxy told."""

TOLD = (
    (re.compile(r'("x-originating-port" )"\d+"'), r"\1(its port)"),
    (re.compile(r'("x-connected-port" )"\d+"'), r"\1(here)"),
    (re.compile(r'("x-session-id" )"[^"]+"'), r"\1(session)"),
    (re.compile(r"PORT=\d+ SESSION=\S+"), "PORT=(its port) SESSION=(session)"),
)
"""What backends are told of a client, and differs each time."""


def masked(lines: Sequence[str], dialogue: Dialogue) -> list[str]:
    """Put a name in the place of each challenge, right digest, and own address."""
    mask = _Mask()
    return [_without_addresses(mask.over(line), dialogue) for line in lines]


def _without_addresses(line: str, dialogue: Dialogue) -> str:
    line = PORT.sub(_without_ports, line)
    for told, name in TOLD:
        line = told.sub(name, line)
    for address, name in (
        (dialogue.client, "(client)"),
        (dialogue.far_client, "(far client)"),
        (dialogue.far_client_6, "(far client 6)"),
        (dialogue.backend_host, "(backend)"),
    ):
        line = re.sub(rf"\b{re.escape(address)}\b", name, line)
    return line


def _without_ports(found: re.Match[str]) -> str:
    return f"{found[1]} {'(its port)' if found[2] != '1234' else found[2]} (here)"


@define
class _Mask:
    known: dict[str, str] = field(factory=dict)

    def over(self, line: str) -> str:
        if found := CHALLENGE.search(line):
            return line.replace(found[0], self._name(found[0]))
        if line.startswith(("S: + ", "S: 334 ")):
            inside = decoded(line.encode("latin-1")).decode("latin-1")
            if CHALLENGE.fullmatch(inside):
                return line.replace(
                    line.rsplit(" ", maxsplit=1)[-1], self._name(inside)
                )
        return self._digest(line)

    def _name(self, challenge: str) -> str:
        return self.known.setdefault(challenge, f"(challenge {len(self.known) + 1})")

    def _digest(self, line: str) -> str:
        for challenge, name in self.known.items():
            salt = challenge.encode()
            for way, digest in (
                ("apop", hashlib.md5(salt + SECRET).hexdigest()),
                ("cram-md5", hmac.digest(SECRET, salt, "md5").hex()),
            ):
                line = line.replace(digest, f"({way} of {name})")
        return line
