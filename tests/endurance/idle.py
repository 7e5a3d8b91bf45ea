"""Thousands of sessions over TLS that are held, and how others fare meanwhile.

What counts: that none is lost, how long one waits for an answer, and whether logins
take longer with thousands here than with nobody.
"""

import argparse
import sys
import time
from contextlib import suppress
from functools import partial

import trio

from tests.endurance.crowds import (
    GONE,
    Crowd,
    Ground,
    Person,
    for_a_while,
    ground,
    share,
)
from tests.endurance.figures import held_by, print_table

TALKERS = 50
"""Sessions that say NOOP, the others being silent."""

MANY = 5_000
"""With so many held, logins are timed against those with nobody here."""

SLOWER = 1.1
SLOWEST = 50.0
"""ms that an answer may take, but for one in a hundred."""


async def measure(there: Ground, many: int, seconds: float) -> list[tuple[object, ...]]:
    """Hold so many for so long; return what was seen, and whether it was to be."""
    crowd, others = Crowd(there.port), Crowd(there.port)
    empty = held_by(there.workers)
    await _logins(others)  # who is first pays for what all use
    alone = await _logins(others)
    await crowd.gather(min(many, MANY))
    beside = await _logins(others)
    await crowd.gather(many - len(crowd.people))
    full = held_by(there.workers)
    cost = (full.pss - empty.pss) * 1024 / many
    print(f"{len(crowd.people)} are here; {cost:.1f} KB each (PSS)", flush=True)
    talkers = crowd.people[:: max(1, many // TALKERS)]
    began = time.monotonic()
    await for_a_while(
        seconds, *(partial(_talk, crowd, *each) for each in enumerate(talkers))
    )
    held = time.monotonic() - began
    await _ask_everybody(crowd)
    slow, slower = share(crowd.waits, 99), beside / alone
    lost, refused = crowd.lost, len(crowd.refused) + len(others.refused)
    crowd.disperse()
    return [
        (f"{many} held for {held:.0f} s: lost, refused", f"{lost}, {refused}", "0, 0",
         not lost and not refused),
        ("NOOP p99 meanwhile, ms", f"{slow:.1f}", f"< {SLOWEST:.0f}", slow < SLOWEST),
        (f"login with {min(many, MANY)} held, times", f"{slower:.2f}", f"<= {SLOWER}",
         slower <= SLOWER),
        ("memory of a session, KB (PSS)", f"{cost:.1f}", "stated", True),
    ]  # fmt: skip


async def _talk(crowd: Crowd, number: int, person: Person) -> None:
    """Talk once a second, but not all at once."""
    await trio.sleep(number / TALKERS)
    await crowd.talk(person, 1.0)


async def _logins(others: Crowd) -> float:
    """Return the median of many logins one after the other, in ms."""
    others.logins.clear()
    await for_a_while(10, others.log_in_and_out)
    return share(others.logins, 50)


async def _ask_everybody(crowd: Crowd) -> None:
    """Whoever does not answer any more is lost."""
    for person in crowd.people:
        person.is_lost = True
        with trio.move_on_after(10), suppress(*GONE):
            person.is_lost = not (await person.ask(b"l NOOP\r\n")).startswith(b"l OK")


def main() -> int:
    """Print the figures; return whether one is not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("many", nargs="?", type=int, default=9_000)
    parser.add_argument("seconds", nargs="?", type=float, default=600)
    asked = parser.parse_args()
    with ground() as there:
        rows = trio.run(measure, there, asked.many, asked.seconds)
        alarms = there.alarms
    print_table(("figure", "seen", "target"), [row[:3] for row in rows])
    print(*alarms, sep="\n")
    return int(bool(alarms) or not all(row[3] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
