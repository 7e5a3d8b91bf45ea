"""Refusals of users that there are, and of users that there are not, in turn.

What counts: that nobody can tell by the time that it takes which of them is which, with
the limits of logins and without.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import tomli_w
import trio
from attrs import define, field

from tests.endurance.figures import print_table
from tests.endurance.gateways import users
from tests.interop.background import background
from tests.interop.gateway import READY, mail_table, serve_command
from tests.interop.machine import free_port
from tests.interop.people import ALICE

KNOWN, UNKNOWN = b"alice@example.org", b"alina@example.org"
AT_ONCE = 2
WITHIN = 1.0
"""ms by which the medians may differ."""

SCHEMES: Mapping[str, dict[str, object]] = {
    "no limits": {},
    "limits": {
        "limit_login": ["user+address 1000 delay=0", "address 1000 delay=0"],
        "limit_conn": ["address 1000", "user 1000"],
    },
}


@define
class Times:
    """Seconds that each refusal took, by user."""

    port: int
    taken: dict[bytes, list[float]] = field(factory=lambda: {KNOWN: [], UNKNOWN: []})
    odd: list[bytes] = field(factory=list)

    async def measure(self, many: int) -> None:
        """Be refused so often, half of the time as each of them."""
        numbers = iter(range(many))
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._guess, numbers)

    async def _guess(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            user = (KNOWN, UNKNOWN)[number % 2]
            async with await trio.open_tcp_stream("127.0.0.1", self.port) as client:
                await client.receive_some()
                await client.send_all(b"USER %b\r\n" % user)
                await client.receive_some()
                began = perf_counter()
                await client.send_all(b"PASS guess%d\r\n" % number)
                reply = bytes(await client.receive_some())
                self.taken[user].append(perf_counter() - began)
                if not reply.startswith(b"-ERR [AUTH]"):
                    self.odd.append(reply)

    @property
    def difference(self) -> float:
        """By how many ms the medians differ."""
        known, unknown = map(median, self.taken.values())
        return (known - unknown) * 1e3


def main() -> int:
    """Print the medians; return whether they differ too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("many", nargs="?", type=int, default=400)
    asked = parser.parse_args()
    rows, is_well = [], True
    for name, limits in SCHEMES.items():
        times = _measured(asked.many, limits)
        known, unknown = (median(each) * 1e3 for each in times.taken.values())
        is_well = is_well and abs(times.difference) < WITHIN and not times.odd
        rows.append(
            (name, asked.many, f"{known:.2f}", f"{unknown:.2f}",
             f"{times.difference:+.2f}", len(times.odd))
        )  # fmt: skip
    head = ("", "refusals", "known, ms", "unknown, ms", "difference", "other replies")
    print_table(head, rows)
    return int(not is_well)


def _measured(many: int, limits: dict[str, object]) -> Times:
    port = free_port()
    server = {"listen": f"127.0.0.1:{port}", "protocol": "pop3"}
    table = mail_table(server, users="users.toml", proxy_pass="embedded", **limits)
    with TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        file = directory / "mail.toml"
        (directory / "users.toml").write_text(users([ALICE]))
        file.write_text(tomli_w.dumps({**table, "error_log": "stderr crit"}))
        with background("gateway", serve_command(file), directory) as program:
            program.await_words(READY)
            times = Times(port)
            trio.run(times.measure, many)
    return times


if __name__ == "__main__":
    sys.exit(main())
