"""Sessions that talk all the time, logins all the time; reloads, and processes killed.

What counts: that nobody is refused, and nobody lost but those of the worker that died.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import trio
from attrs import define, field

from tests.endurance.crowds import Crowd, Ground, Person, ground, share
from tests.endurance.figures import print_table
from tests.interop.background import background
from tests.interop.gateway import READY, serve_command
from tests.process.processes import reload

PAUSE = 2.0
"""Seconds between two words of a session."""

RELOADS = 10
LOGINS = 4
"""Clients who log in and out all the time."""

Row = tuple[object, ...]


@define
class Load:
    """Those who talk, and those who come and go."""

    there: Ground
    crowd: Crowd
    comers: Crowd
    of_worker: dict[int, list[Person]] = field(factory=dict)

    @asynccontextmanager
    async def goes_on(self) -> AsyncIterator[None]:
        """Have everybody talk, and others come and go."""
        async with trio.open_nursery() as nursery:
            for number, person in enumerate(self.crowd.people):
                nursery.start_soon(self._talk, number, person)
            for _ in range(LOGINS):
                nursery.start_soon(partial(self.comers.log_in_and_out, 0.05))
            yield
            await trio.sleep(2 * PAUSE)  # so that everybody has said something
            nursery.cancel_scope.cancel()

    async def _talk(self, number: int, person: Person) -> None:
        await trio.sleep(PAUSE * number / len(self.crowd.people))
        await self.crowd.talk(person, PAUSE)

    def row(self, what: str, *, may_be_lost: int = 0) -> Row:
        """Return what has come of it, and forget it."""
        lost, refused = self.crowd.lost, self.comers.refused
        is_well = lost <= may_be_lost and not refused
        row = (
            what, len(self.crowd.people), lost, may_be_lost, len(self.comers.logins),
            len(refused), f"{share(self.comers.logins, 95):.0f}",
            f"{share(self.crowd.waits, 99):.0f}", is_well,
        )  # fmt: skip
        print(*refused[:5], sep="\n", end="\n" if refused else "")
        self.crowd.people = [each for each in self.crowd.people if not each.is_lost]
        self.comers.refused.clear()
        self.comers.logins.clear()
        self.crowd.waits.clear()
        return row


async def measure(there: Ground, many: int) -> list[Row]:
    """Let it go on, and then let things happen."""
    load = Load(there, Crowd(there.port), Crowd(there.port))
    await load.crowd.gather(many)
    print(f"{len(load.crowd.people)} are here", flush=True)
    rows = []
    async with load.goes_on():
        await trio.sleep(5)
    rows.append(load.row("nothing"))
    async with load.goes_on():
        for _ in range(RELOADS):
            await trio.to_thread.run_sync(reload, there.program)
            await trio.sleep(1)
    rows.append(load.row(f"{RELOADS} reloads"))
    await load.crowd.gather(many - len(load.crowd.people))
    victim, sessions = _largest(there.workers)
    async with load.goes_on():
        os.kill(victim, signal.SIGKILL)
        await trio.sleep(3)
    rows.append(load.row("kill -9 of a worker", may_be_lost=sessions // 2))
    rows.append(await _without_supervisor(load))
    load.crowd.disperse()
    return rows


def _largest(pids: Sequence[int]) -> tuple[int, int]:
    """Return the worker that has most sockets, and how many."""
    sockets = {pid: _sockets(pid) for pid in pids}
    victim = max(sockets, key=lambda pid: sockets[pid])
    return victim, sockets[victim]


def _sockets(pid: int) -> int:
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found += os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:")
        except FileNotFoundError:
            continue
    return found


async def _without_supervisor(load: Load) -> Row:
    """Kill the first process, and start another at once; sessions go on."""
    there, file = load.there, load.there.directory / "conf" / "mail.toml"
    os.kill(there.program.process.pid, signal.SIGKILL)
    there.program.process.wait()
    began = time.monotonic()
    with background("second", serve_command(file), there.directory) as second:
        await trio.to_thread.run_sync(second.await_words, READY)
        started = time.monotonic() - began
        async with load.goes_on():
            await trio.sleep(3)
        row = load.row(f"kill -9 of the supervisor, ready again in {started:.1f} s")
        await trio.to_thread.run_sync(second.stop)
    return row


def _end_orphans(there: Ground) -> None:
    """End those whose first process was killed, by where they are."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == there.directory:
                os.kill(int(process.name), signal.SIGKILL)


def main() -> int:
    """Print the figures; return whether one is not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("many", nargs="?", type=int, default=2_000)
    asked = parser.parse_args()
    with ground(worker_shutdown_timeout="1h") as there:
        try:
            rows = trio.run(measure, there, asked.many)
        finally:
            _end_orphans(there)
        alarms = there.alarms
    head = (
        "what", "sessions", "lost", "may be", "logins", "refused", "login p95, ms",
        "NOOP p99, ms",
    )  # fmt: skip
    print_table(head, [row[:-1] for row in rows])
    print(*alarms, sep="\n")
    return int(bool(alarms) or not all(row[-1] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
