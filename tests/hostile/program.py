"""The hostile tables against the program itself, over TCP, in real time.

Each door of the gateway is attacked by a client of its own, one conversation after the
other; the doors side by side. ``scripts/hostile`` runs this.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from ssl import create_default_context
from tempfile import TemporaryDirectory

import trio
from attrs import define, field

from tests.hostile.others import stand_by
from tests.hostile.stand import Stand, configuration, doors
from tests.hostile.tables import PLACES, PROTOCOLS, Case, Play, all_cases
from tests.hostile.witness import Patience
from tests.interop.gateway import serving
from tests.interop.machine import free_port

PATIENCE = Patience(session=6.0)

BREATH = 0.002
"""Seconds that a segment gets to be one."""


@define
class Score:
    """What has been played, and what was wrong with it."""

    cases: int
    conversations: int = 0
    wrong: list[str] = field(factory=list)

    def __str__(self) -> str:
        return (
            f"{self.cases} cases, {self.conversations} conversations, "
            f"{len(self.wrong)} of them wrong"
        )


def plays_by_door(cases: Sequence[Case]) -> Mapping[str, list[Play]]:
    """Sort what is to be played by the door where it is."""
    sorted_out: dict[str, list[Play]] = {}
    for case in cases:
        for play in case.plays:
            door = f"{case.protocol}-{PLACES[play.place]}"
            sorted_out.setdefault(door, []).append(play)
    return sorted_out


async def attack(stand: Stand, plays: Sequence[Play], score: Score) -> None:
    """Play everything that belongs to one door, a friendly client behind each case."""
    for play, following in zip_longest(plays, plays[1:]):
        verdicts = [await stand.play(play)]
        if following is None or following.case is not play.case:
            verdicts.append(await stand.play_friendly(play))
        score.conversations += len(verdicts)
        score.wrong += [f"{play.case}: {wrong}" for wrong in filter(None, verdicts)]


async def attack_all(
    directory: Path, ports: Mapping[str, int], scores: Mapping[str, Score]
) -> None:
    """Attack all doors of a gateway that runs."""

    async def dial(door: str) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", ports[door])

    stand = Stand(
        dial,
        partial(trio.sleep, BREATH),
        create_default_context(cafile=directory / "var/tls/ca.pem"),
        PATIENCE,
    )
    async with trio.open_nursery() as nursery:
        await stand_by(directory, stand.heard, nursery)
        async with trio.open_nursery() as attackers:
            for protocol, score in scores.items():
                for plays in plays_by_door(all_cases(protocol)).values():
                    attackers.start_soon(attack, stand, plays, score)
        nursery.cancel_scope.cancel()


def said_of(log: str) -> Iterator[str]:
    """Yield what must never stand in a log."""
    for word in ("Traceback", "[crit]", "[alert]", "secret", "c2VjcmV0", "t0ken"):
        if word in log:
            yield f"the log says {word}"


def main(protocols: Sequence[str]) -> int:
    """Attack a gateway; return how many conversations went wrong."""
    scores = {it: Score(len(all_cases(it))) for it in protocols or PROTOCOLS}
    with TemporaryDirectory() as name:
        directory = Path(name)
        ports = {f"{protocol}-{kind}": free_port() for protocol, kind in doors()}
        listen = {door: f"127.0.0.1:{port}" for door, port in ports.items()}
        timeout = f"{PATIENCE.session:.0f}s"
        settings = configuration(listen, directory, timeout=timeout)
        with serving(directory, settings):
            trio.run(attack_all, directory, ports, scores)
        wrong = [*said_of((directory / "log").read_text("utf-8", "replace"))]
    for protocol, score in scores.items():
        wrong += score.wrong
        print(f"{protocol}: {score}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return len(wrong)


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
