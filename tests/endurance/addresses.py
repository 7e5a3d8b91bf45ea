"""A flood of guesses from thousands of addresses, and a user who logs in meanwhile.

What limits keep of strangers must have a bound: a second flood costs no more memory
than the first, and the user notices neither.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import tomli_w
import trio
from attrs import define, field

from tests.endurance.figures import Held, held_by, print_table
from tests.endurance.gateways import users
from tests.interop.background import Background, background
from tests.interop.gateway import READY, mail_table, serve_command
from tests.interop.machine import free_port
from tests.interop.people import ALICE
from tests.process.processes import workers

AT_ONCE = 400
GUESSES = (b"123456", b"password")
PATIENCE = 60.0
GROWTH = 10.0
"""MB by which a second flood may leave more in memory than the first."""

LIMITS = {
    "limit_conn": ["address 20", "user 20"],
    "limit_login": ["user+address 5 delay=0", "address 20"],
}


@define
class Flood:
    """What came of it."""

    port: int
    guesses: int = 0
    refused: int = 0
    """Connections that were not let in, or sent away."""
    logins: list[float] = field(factory=list)
    """Seconds that each login of the user took."""
    lost: int = 0

    async def run(self, addresses: Iterator[str]) -> None:
        """Guess from all of the addresses, so many at a time."""
        async with trio.open_nursery() as meanwhile:
            meanwhile.start_soon(self._log_in_now_and_then)
            async with trio.open_nursery() as strangers:
                for _ in range(AT_ONCE):
                    strangers.start_soon(self._guess, addresses)
            meanwhile.cancel_scope.cancel()

    async def _guess(self, addresses: Iterator[str]) -> None:
        for address in addresses:
            try:
                await self._guess_from(address)
            except (OSError, trio.BrokenResourceError):
                self.refused += 1

    async def _guess_from(self, address: str) -> None:
        with trio.fail_after(PATIENCE):
            async with await self._connect(address) as stream:
                if not (await _line(stream)).startswith(b"+OK"):
                    self.refused += 1
                    return
                for password in GUESSES:
                    reply = await _log_in(stream, b"alice", password)
                    self.guesses += reply.startswith(b"-ERR [AUTH]")

    async def _log_in_now_and_then(self) -> None:
        name, password = ALICE.octets
        while True:
            began = time.monotonic()
            with trio.fail_after(PATIENCE):
                async with await self._connect("127.0.0.1") as stream:
                    await _line(stream)
                    reply = await _log_in(stream, name, password)
            self.lost += not reply.startswith(b"+OK")
            self.logins.append(time.monotonic() - began)
            await trio.sleep(0.2)

    async def _connect(self, address: str) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port, local_address=address)


async def _line(stream: trio.SocketStream) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        if not (data := await stream.receive_some(200)):
            return line
        line += bytes(data)
    return line


async def _log_in(stream: trio.SocketStream, name: bytes, password: bytes) -> bytes:
    await stream.send_all(b"USER %s\r\n" % name)
    await _line(stream)
    await stream.send_all(b"PASS %s\r\n" % password)
    return await _line(stream)


def addresses(count: int) -> Iterator[str]:
    """Yield addresses of this machine's own, each once."""
    first = int(ip_address("127.1.0.0"))
    return (str(ip_address(first + number)) for number in range(count))


def held(program: Background) -> tuple[Held, Held]:
    """Return what the first process holds, and what its workers do."""
    supervisor = program.process.pid
    return held_by([supervisor]), held_by(workers(supervisor))


@click.command()
@click.argument("count", default=10_000)
def main(count: int) -> None:
    """Guess from COUNT addresses (10000), twice."""
    port = free_port()
    server = {"listen": f"127.0.0.1:{port}", "protocol": "pop3"}
    table = mail_table(server, users="users.toml", proxy_pass="embedded", **LIMITS)
    table = {**table, "error_log": "stderr notice", "worker_processes": 2}
    with TemporaryDirectory() as directory:
        place = Path(directory)
        (place / "conf").mkdir()
        (place / "conf" / "users.toml").write_text(users([ALICE]))
        (place / "conf" / "mail.toml").write_text(tomli_w.dumps(table))
        command = serve_command(place / "conf" / "mail.toml")
        with background("gateway", command, place) as program:
            program.await_words(READY)
            sys.exit(_flood_twice(program, port, count))


def _flood_twice(program: Background, port: int, count: int) -> int:
    """Print what it costs; return what the program ends with."""
    rows: list[Sequence[object]] = [("before", *_figures(program), "", "", "")]
    workers_held, lost = list[float](), 0
    for name in ("first flood", "second flood"):
        flood, began = Flood(port), time.monotonic()
        trio.run(flood.run, addresses(count))
        seconds = time.monotonic() - began
        logins = sorted(flood.logins)
        p95 = f"{logins[len(logins) * 95 // 100]:.2f} s"
        took = f"{seconds:.0f} s"
        rows.append((name, *_figures(program), flood.guesses, took, p95))
        workers_held.append(sum(each.pss for each in held(program)))
        lost += flood.lost
    head = ("", "supervisor MB", "workers MB", "guesses", "took", "login p95")
    print_table(head, rows)
    growth = workers_held[1] - workers_held[0]
    print(f"{lost} logins lost; the second flood left {growth:+.1f} MB")
    return int(lost > 0 or growth > GROWTH)


def _figures(program: Background) -> tuple[str, str]:
    supervisor, others = held(program)
    return f"{supervisor.pss:.1f}", f"{others.pss:.1f}"


if __name__ == "__main__":
    main()
