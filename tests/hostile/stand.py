"""A gateway with every door that the tables need, and those who stand behind it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from ssl import SSLContext

import trio
from attrs import define, field

from tests.hostile.client import Client
from tests.hostile.script import Step
from tests.hostile.tables import PLACES, PROTOCOLS, Play
from tests.hostile.witness import Heard, Patience, SurprisedError
from tests.hostile.words import FRESH

MECHANISMS: Mapping[str, str] = {
    "imap": "plain login cram-md5 external xoauth2 oauthbearer",
    "pop3": "plain apop cram-md5 external xoauth2 oauthbearer",
    "smtp": "plain login cram-md5 external xoauth2 oauthbearer",
}
"""Everything that can be had: what is not enabled cannot be attacked."""

DOORS: Mapping[str, Mapping[str, object]] = {
    "off": {},
    "on": {"starttls": "on"},
    "only": {"starttls": "only"},
    "tls": {"ssl": True},
    "none": {"smtp_auth": "none plain"},
    "proxied": {"set_real_ip_from": ["unix:", "127.0.0.1"]},
}

FAILURES = (SurprisedError, trio.BrokenResourceError, trio.TooSlowError)
"""How a case fails that does not stop the others."""

LISTEN: Mapping[str, str] = {"proxied": " proxy_protocol"}
"""What else is said of a door's address."""

FRIENDLY: Mapping[str, str] = {
    "only": "upgraded only",
    "hello": "tls",
    "proxied": "behind proxy",
}
"""Where somebody who means well comes in by the same door."""


def doors() -> Iterator[tuple[str, str]]:
    """Yield the protocol and the kind of every door."""
    for protocol in PROTOCOLS:
        for kind in DOORS:
            if kind != "none" or protocol == "smtp":
                yield protocol, kind


def configuration(
    listen: Mapping[str, str],
    directory: Path,
    log_level: str = "debug",
    **directives: object,
) -> Mapping[str, object]:
    """Return a configuration with these doors, each judged under its own name."""
    servers = [
        {
            "listen": listen[f"{protocol}-{kind}"] + LISTEN.get(kind, ""),
            "protocol": protocol,
            "auth_http": f"unix:{directory}/auth:/{protocol}-{kind}",
            f"{protocol}_auth": MECHANISMS[protocol],
            **DOORS[kind],
        }
        for protocol, kind in doors()
    ]
    return {
        "error_log": f"{directory}/log {log_level}",
        "state_directory": f"{directory}/var",
        "mail": {
            "server_name": "localhost",
            "ssl_certificate": "development",
            "proxy_smtp_auth": True,
            "xclient": False,
            **directives,
            "server": servers,
        },
    }


@define
class Stand:
    """A gateway that runs, and how one comes to its doors."""

    dial: Callable[[str], Awaitable[trio.SocketStream]]
    """Connects to ``imap-only`` and its like."""
    breathe: Callable[[], Awaitable[None]]
    trust: SSLContext
    patience: Patience
    heard: Mapping[str, Heard] = field(
        factory=lambda: {f"{protocol}-{kind}": Heard() for protocol, kind in doors()}
    )

    async def verdicts(self, plays: Sequence[Play]) -> list[str]:
        """Play a case in several ways; return all that was wrong."""
        played = [await self.play(play) for play in plays]
        return [*filter(None, (*played, await self.play_friendly(plays[-1])))]

    async def play(self, play: Play) -> str:
        """Play a case once; return what was wrong, or nothing."""
        try:
            await self._converse(play, play.place, play.case.steps)
        except FAILURES as wrong:
            return f"{play}: {wrong!r}"
        return ""

    async def play_friendly(self, play: Play) -> str:
        """See that the next client finds all as it was before a case."""
        place = FRIENDLY.get(play.place, play.place)
        try:
            steps = FRESH[play.case.protocol]
            await self._converse(Play(play.case, place), place, steps)
        except FAILURES as wrong:
            return f"{play}: the next client: {wrong!r}"
        return ""

    async def _converse(self, play: Play, place: str, steps: tuple[Step, ...]) -> None:
        protocol = play.case.protocol
        door = f"{protocol}-{PLACES[place]}"
        heard = self.heard[door]
        heard.forget()
        stream = await self.dial(door)
        client = Client(
            protocol,
            stream,
            self.trust,
            self.breathe,
            self.patience,
            play.cut,
            play.octets,
        )
        try:
            await client.begin(place)
            await client.play(steps, heard)
        finally:
            await trio.aclose_forcefully(client.stream)
