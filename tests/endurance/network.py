"""Connections by the hundred thousand, each of which says something wrong; seeded.

What is sent are mutations of real dialogues: in the clear, behind STARTTLS and in TLS,
in one piece, in lines, in crumbs; and each leaves in its own manner. Meanwhile sessions
of good manners go on, and others come and go.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from ssl import SSLContext
from time import perf_counter

import trio
from attrs import define, field, frozen

from tests.endurance.figures import Held, held_by, print_table
from tests.endurance.gateways import Trial, running, shipped
from tests.endurance.peer import (
    BYE,
    DONE,
    LEAVES,
    NOOP,
    QUIT,
    Peer,
    UnhappyError,
    anybody,
    connected,
)
from tests.fuzz.dialogues import (
    CLIENT_HELLO,
    DIALOGUES,
    INJECTED,
    STARTTLS,
    WORDS,
)
from tests.fuzz.mutation import Mutator
from tests.fuzz.replies import FORMS, wrongs
from tests.interop.gateway import SHIPPED_PORTS, Door, Doors, Security

PROTOCOLS = tuple(DIALOGUES)
AT_ONCE = 100
"""Connections that are open at the same time."""
EVERY = 500
"""Connections between two sessions of good manners."""
DEADLINE = 30.0
"""Seconds after which a connection hangs: penalties, ``timeout`` and a goodbye."""
PATIENCE = 0.03
"""Seconds that a client in lockstep waits for an answer."""
SHORT = 'timeout = "3s"\nproxy_timeout = "5s"'
QUIET = 15.0
"""Seconds in which a gateway has closed what its clients have left."""


@frozen
class Plan:
    """What one connection does; all of it follows from seed and number."""

    door: Door
    manner: str
    """``clear``, ``starttls``, ``tls``, ``glued`` or ``no handshake``."""
    pieces: tuple[bytes, ...]
    pace: str
    leaving: str

    @classmethod
    def of(cls, seed: int, number: int) -> "Plan":
        """Draw it."""
        dice = Random(f"{seed} {number}")
        protocol = PROTOCOLS[number % len(PROTOCOLS)]
        manner = dice.choices(
            ("clear", "starttls", "tls", "glued", "no handshake"), (25, 30, 35, 5, 5)
        )[0]
        security: Security = "tls" if manner in {"tls", "no handshake"} else "starttls"
        pace = dice.choices(("lockstep", "at once", "crumbs"), (50, 40, 10))[0]
        leaving = dice.choices(("end", "reset", "close", "silence"), (80, 12, 6, 2))[0]
        pieces = _pieces(dice, protocol, manner)
        if pace != "lockstep":
            pieces = (b"".join(pieces),)
        if pace == "crumbs":
            pieces = _crumbs(dice, pieces[0])
        return cls((protocol, security), manner, pieces, pace, leaving)


def _pieces(dice: Random, protocol: str, manner: str) -> tuple[bytes, ...]:
    mutator = Mutator(dice, WORDS[protocol])
    if manner == "no handshake":
        return (mutator.mutated(CLIENT_HELLO * 2 + dice.randbytes(64)),)
    pieces = list(dice.choice(DIALOGUES[protocol]))
    for _ in range(dice.choice((1, 1, 2, 3))):
        nth = dice.randrange(len(pieces))
        match dice.randrange(5):
            case 0:
                pieces.insert(nth, dice.choice(WORDS[protocol]))
            case 1:
                pieces[nth : nth + 1] = pieces[nth : nth + 1] * 2
            case _:
                pieces[nth] = mutator.mutated(pieces[nth])
    return tuple(filter(None, pieces)) or (b"\r\n",)


def _crumbs(dice: Random, octets: bytes) -> tuple[bytes, ...]:
    places = sorted(dice.randrange(len(octets) + 1) for _ in range(dice.randint(1, 20)))
    bounds = (0, *places, len(octets))
    pieces = (octets[a:b] for a, b in pairwise(bounds))
    return tuple(filter(None, pieces))


@define
class Siege:
    """All the connections of a run, and what has come of them."""

    trial: Trial
    seed: int
    tls: SSLContext = field(factory=anybody)
    counts: Counter[tuple[str, str]] = field(factory=Counter)
    """By protocol and by what has happened."""
    wrongs: list[str] = field(factory=list)

    @property
    def doors(self) -> Doors:
        """Where to go."""
        return self.trial.doors

    async def besiege(self, first: int, last: int) -> None:
        """Make these connections, so many at a time."""
        numbers = iter(range(first, last))
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._come_again, numbers)

    async def _come_again(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            plan = Plan.of(self.seed, number)
            self._count(plan.door, "connections")
            with trio.move_on_after(DEADLINE) as scope:
                await self._play(number, plan)
            if scope.cancelled_caught:
                self._wrong(number, plan, "hangs")
            if number % EVERY == 0:
                await self._come_politely(tuple(SHIPPED_PORTS)[number // EVERY % 6])

    async def _play(self, number: int, plan: Plan) -> None:
        peer = await connected(plan.door[0], self.doors.port(*plan.door))
        try:
            await self._begin(peer, plan)
            await self._speak(peer, plan)
            await self._leave(peer, plan)
        except UnhappyError as unhappy:
            self._wrong(number, plan, str(unhappy))
        finally:
            await trio.aclose_forcefully(peer.wire)
        for wrong in self._wrongs(peer, plan):
            self._wrong(number, plan, wrong)

    async def _begin(self, peer: Peer, plan: Plan) -> None:
        """Come to where the mutations are said. Raises UnhappyError."""
        begun = True
        match plan.manner:
            case "starttls":
                begun = await peer.listen() and await peer.upgrade(self.tls)
            case "tls":
                begun = await peer.start_tls(self.tls)
            case "glued":
                await peer.listen()
                await peer.say(STARTTLS[peer.protocol] + INJECTED[peer.protocol])
        if not begun:
            raise UnhappyError("no TLS where it is offered")

    async def _speak(self, peer: Peer, plan: Plan) -> None:
        for piece in plan.pieces:
            if not await peer.say(piece):
                break
            if plan.pace != "at once":
                with trio.move_on_after(PATIENCE):
                    await peer.listen()

    def _wrongs(self, peer: Peer, plan: Plan) -> Iterator[str]:
        """Yield what is wrong with what was answered."""
        said, sent = bytes(peer.said), bytes(peer.sent)
        if plan.manner == "glued" and FORMS[peer.protocol].go_ahead in said:
            yield "a go-ahead with something behind STARTTLS"
        if plan.manner != "no handshake":
            self.counts[peer.protocol, "lines"] += said.count(b"\n")
            cut = peer.cut or plan.leaving != "end"
            yield from wrongs(peer.protocol, sent, said, cut=cut)

    async def _leave(self, peer: Peer, plan: Plan) -> None:
        match plan.leaving:
            case "reset":
                peer.reset()
            case "close":
                pass
            case "end":
                with trio.move_on_after(PATIENCE):
                    await peer.listen()
                try:
                    await peer.wire.send_eof()
                except (OSError, *LEAVES):
                    peer.cut = True
                await peer.hear_end()
            case _:
                await peer.hear_end()

    async def _come_politely(self, door: Door) -> None:
        """Do all that a session needs; nobody may be the worse for the others."""
        try:
            with trio.fail_after(DEADLINE):
                peer = await connected(door[0], self.doors.port(*door))
                await peer.log_in(door, self.tls)
                await peer.ask(NOOP[door[0]], DONE[door[0]])
                await peer.ask(QUIT[door[0]], BYE[door[0]])
                await trio.aclose_forcefully(peer.wire)
        except (UnhappyError, trio.TooSlowError, OSError) as hurt:
            self.wrongs.append(f"a session of good manners at {door}: {hurt!r}")
        else:
            self._count(door, "healthy")

    async def stay(self, door: Door, ready: trio.Event, leave: trio.Event) -> None:
        """Be logged in from the start to the end, and say so again and again."""
        try:
            peer = await connected(door[0], self.doors.port(*door))
            await peer.log_in(door, self.tls)
            ready.set()
            while not leave.is_set():
                with trio.fail_after(DEADLINE):
                    await peer.ask(NOOP[door[0]], DONE[door[0]])
                self._count(door, "answers to the long-lived")
                with trio.move_on_after(1):
                    await leave.wait()
            await peer.ask(QUIT[door[0]], BYE[door[0]])
        except (UnhappyError, trio.TooSlowError, OSError) as hurt:
            ready.set()
            self.wrongs.append(f"a long-lived session at {door}: {hurt!r}")

    async def held(self) -> Held:
        """Wait until nothing changes any more, and return what workers hold."""
        before, since = held_by(self.trial.workers), trio.current_time()
        with trio.move_on_after(QUIET):
            while trio.current_time() < since + 4:
                await trio.sleep(0.5)
                now = held_by(self.trial.workers)
                if now.descriptors != before.descriptors:
                    before, since = now, trio.current_time()
        return held_by(self.trial.workers)

    def _count(self, door: Door, what: str) -> None:
        self.counts[door[0], what] += 1

    def _wrong(self, number: int, plan: Plan, what: str) -> None:
        self._count(plan.door, "hang" if what == "hangs" else "wrong")
        where = f"{plan.door}, {plan.manner}, {plan.pace}, {plan.leaving}"
        self.wrongs.append(f"number {number} ({where}): {what}")


async def run(
    trial: Trial, seed: int, first: int, last: int
) -> tuple[Siege, list[Held]]:
    """Make all connections; return what came of them, and what workers held."""
    siege, leave = Siege(trial, seed), trio.Event()
    held = []
    async with trio.open_nursery() as stays:
        for door in SHIPPED_PORTS:
            ready = trio.Event()
            stays.start_soon(siege.stay, door, ready, leave)
            await ready.wait()
        warm = min(first + EVERY, last)
        await siege.besiege(first, warm)  # what is opened once is open from now on
        held.append(await siege.held())
        began, step = perf_counter(), max(EVERY, (last - warm) // 10)
        for start in range(warm, last, step):
            await siege.besiege(start, min(start + step, last))
            trial.log.read()
            held.append(await siege.held())
            _progress(siege, start + step - first, perf_counter() - began, held[-1])
        leave.set()
    return siege, held


def _progress(siege: Siege, done: int, seconds: float, held: Held) -> None:
    rate = done / max(seconds, 0.1)
    print(
        f"{done:,} connections, {rate:.0f} a second; workers hold "
        f"{held.descriptors} descriptors, {held.pss:.1f} MB; "
        f"{len(siege.wrongs)} wrongs, {len(siege.trial.log.alarms)} alarms",
        flush=True,
    )


WHAT = (
    "connections",
    "lines",
    "hang",
    "wrong",
    "healthy",
    "answers to the long-lived",
)


def report(siege: Siege, held: list[Held]) -> bool:
    """Print the table; return whether all was as it must be."""
    rows = [
        [protocol, *(siege.counts[protocol, what] for what in WHAT)]
        for protocol in PROTOCOLS
    ]
    print_table(("protocol", *WHAT), rows)
    before, after = held[0], held[-1]
    print_table(
        ("workers", "before", "after"),
        (
            ("descriptors", before.descriptors, after.descriptors),
            ("threads", before.threads, after.threads),
            ("memory (PSS), MB", before.pss, after.pss),
        ),
    )
    log = siege.trial.log
    print(f"log: {log.lines:,} lines, {len(log.alarms)} alarms; seed {siege.seed}")
    for wrong in (*siege.wrongs[:20], *log.alarms[:20]):
        print(wrong)
    grown = after.descriptors > before.descriptors
    if grown:
        print("descriptors have not come back")
    return not (siege.wrongs or log.alarms or grown)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("connections", nargs="?", type=int, default=300_000)
    parser.add_argument("--quick", action="store_true", help="3,000 in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="show what one did, and do it")
    return parser.parse_args()


def main() -> int:
    """Start a gateway, besiege it, and tell."""
    asked = arguments()
    first, last = 0, 3_000 if asked.quick else asked.connections
    if asked.only is not None:
        first, last = asked.only, asked.only + 1
        print(Plan.of(asked.seed, asked.only))
    with tempfile.TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        configuration, doors = shipped(directory, mail=SHORT)
        with running(directory, configuration, doors) as trial:
            siege, held = trio.run(run, trial, asked.seed, first, last)
        return int(not report(siege, held))


if __name__ == "__main__":
    sys.exit(main())
