"""Hundreds of clients who are slow or silent, all kinds at once, while others log in.

Beside them are backends and auth servers that hang or reset at each step. What counts:
that all are cut off when their time is over, and that logins take no longer than three
times as long as with nobody there.
"""

import argparse
import socket
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import tomli_w
import trio
from attrs import define, field

from tests.endurance.crowds import GONE, share
from tests.endurance.figures import print_table
from tests.endurance.gateways import users
from tests.endurance.peer import Peer, UnhappyError, anybody, connected
from tests.fuzz.dialogues import CLIENT_HELLO, STARTTLS
from tests.interop.background import Background, background
from tests.interop.gateway import READY, Doors, serve_command
from tests.interop.machine import free_port
from tests.interop.people import ALICE

TIMEOUT = 15.0
"""``timeout`` of the gateway, in seconds."""

LATE = 6.0
"""Seconds by which somebody may be cut off late: last words have two of their own."""

SLOWER = 3.0

Kind = Callable[[Peer], Awaitable[None]]


async def says_nothing(peer: Peer) -> None:
    await peer.hear_end()


async def says_half_a_line(peer: Peer) -> None:
    await peer.say(b"a LOGI")
    await peer.hear_end()


async def says_an_octet_a_second(peer: Peer) -> None:
    while await peer.say(b"x") and not peer.cut:
        with trio.move_on_after(1):
            if not await peer.listen():
                return
        await trio.sleep(0.2)


async def announces_a_literal(peer: Peer) -> None:
    await peer.say(b"a LOGIN {100}\r\nx")
    await peer.hear_end()


async def shakes_half_a_hand(peer: Peer) -> None:
    await peer.say(STARTTLS[peer.protocol])
    await trio.sleep(0.5)
    await peer.say(CLIENT_HELLO[: len(CLIENT_HELLO) // 2])
    await peer.hear_end()


async def says_nothing_in_tls(peer: Peer) -> None:
    await peer.upgrade(anybody())
    await peer.hear_end()


async def begins_a_login_in_tls(peer: Peer) -> None:
    await peer.upgrade(anybody())
    await peer.say(b"a AUTHENTICATE PLAIN\r\n" if peer.protocol == "imap" else b"AUTH ")
    await peer.hear_end()


async def never_reads(peer: Peer) -> None:
    """Ask for much, until nobody takes any more questions."""
    with trio.move_on_after(TIMEOUT):
        while await peer.say(b"a CAPABILITY\r\nCAPA\r\nEHLO x\r\n" * 100):
            pass
    await trio.sleep(TIMEOUT + LATE)  # nothing is read until then
    await peer.hear_end()


async def resets(peer: Peer) -> None:
    await trio.sleep(1)
    peer.reset()
    peer.cut = True


KINDS: Mapping[str, Kind] = {
    kind.__name__.replace("_", " "): kind
    for kind in (
        says_nothing, says_half_a_line, says_an_octet_a_second, announces_a_literal,
        shakes_half_a_hand, says_nothing_in_tls, begins_a_login_in_tls, never_reads,
        resets,
    )
}  # fmt: skip


def answers_http(steps: int) -> bytes:
    """Return so much of an auth server's answer."""
    whole = b"HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\n"
    return whole[: steps * 12]


IMAP = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"
BAD: Mapping[str, Sequence[bytes]] = {
    "hangs at once": (),
    "hangs within the greeting": (IMAP[:9],),
    "hangs after the greeting": (IMAP,),
    "hangs within the reply": (IMAP, b"* OK"),
}
"""What backends say, a piece for each thing that they hear, and no more."""


@define
class BadServer:
    """Says so much, and then hangs, or resets the connection."""

    pieces: Sequence[bytes]
    is_reset: bool
    port: int = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        with suppress(*GONE):
            for piece in self.pieces:
                await stream.send_all(piece)
                await stream.receive_some(4096)
            if self.is_reset:
                linger = b"\1\0\0\0\0\0\0\0"
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                await trio.aclose_forcefully(stream)
                return
            while await stream.receive_some(4096):
                pass
        await trio.aclose_forcefully(stream)


@define
class Report:
    """Who was there for how long, by kind."""

    seconds: dict[str, list[float]] = field(factory=dict)
    failures: Counter[str] = field(factory=Counter)

    def note(self, kind: str, seconds: float) -> None:
        """Note how long it took until somebody was cut off."""
        self.seconds.setdefault(kind, []).append(seconds)


async def stay(kind: str, protocol: str, port: int, report: Report) -> None:
    """Be a client of a kind until one is cut off."""
    began = time.monotonic()
    try:
        peer = await connected(protocol, port)
        with trio.fail_after(4 * TIMEOUT):
            await KINDS[kind](peer)
    except (*GONE, UnhappyError):
        pass  # cut off, too
    except trio.TooSlowError:
        report.failures[f"{kind}: not cut off"] += 1
    report.note(kind, time.monotonic() - began)
    with suppress(*GONE):
        await trio.aclose_forcefully(peer.wire)


async def meet(kind: str, port: int, report: Report) -> None:
    """Log in where the backend, or the judge, is a bad one, again and again."""
    for _ in range(5):
        began = time.monotonic()
        try:
            peer = await connected("imap", port)
            with trio.fail_after(4 * TIMEOUT):
                await peer.listen()
                await peer.ask(b"a LOGIN alice@example.org wonderland\r\n", b"a NO")
        except (*GONE, UnhappyError, trio.TooSlowError) as failure:
            report.failures[f"{kind}: {failure!r}"[:150]] += 1
        report.note(kind, time.monotonic() - began)
        with suppress(*GONE):
            await trio.aclose_forcefully(peer.wire)


async def logins(port: int, taken: list[float], failures: Counter[str]) -> None:
    """Log in by TLS, again and again."""
    while True:
        began = time.monotonic()
        try:
            peer = await connected("imap", port)
            with trio.fail_after(4 * TIMEOUT):
                await peer.log_in(("imap", "tls"), anybody())
        except (*GONE, UnhappyError, trio.TooSlowError) as failure:
            failures[f"login: {failure!r}"[:150]] += 1
        taken.append(time.monotonic() - began)
        with suppress(*GONE):
            await trio.aclose_forcefully(peer.wire)
        await trio.sleep(0.05)


@define
class House:
    """A gateway, good doors and bad ones."""

    program: Background
    doors: Doors
    bad: Mapping[str, int]
    """Ports behind which a backend or a judge is a bad one."""
    servers: Sequence[BadServer]


@contextmanager
def house() -> Iterator[House]:
    """Run the gateway; the bad servers are to be served by who measures."""
    servers, bad, more = [], {}, []
    for judge in (False, True):
        for how, pieces in BAD.items():
            for is_reset in (False, True):
                says = (answers_http(len(pieces)),) if judge else pieces
                server = BadServer(says, is_reset, free_port())
                port = free_port()
                name = how.replace("hangs", "resets") if is_reset else how
                bad[f"{'auth server' if judge else 'backend'} {name}"] = port
                where = (
                    {"auth_http": f"http://127.0.0.1:{server.port}/"}
                    if judge
                    else {"proxy_pass": f"127.0.0.1:{server.port}"}
                )
                servers.append(server)
                more.append(
                    {"listen": f"127.0.0.1:{port}", "protocol": "imap", **where}
                )
    with TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        doors = Doors.anywhere(directory / "var/tls/ca.pem")
        good = [
            {
                **server,
                "starttls": "on",
                "users": "users.toml",
                "proxy_pass": "embedded",
            }
            if "starttls" in server
            else {**server, "users": "users.toml", "proxy_pass": "embedded"}
            for server in doors.servers
        ]
        (directory / "conf").mkdir()
        (directory / "conf" / "users.toml").write_text(users([ALICE]))
        file = directory / "conf" / "mail.toml"
        mail = {
            "server_name": "localhost",
            "ssl_certificate": "development",
            "timeout": f"{TIMEOUT:.0f}s",
            "proxy_connect_timeout": f"{TIMEOUT:.0f}s",
            "auth_http_timeout": f"{TIMEOUT:.0f}s",
            "server": [*good, *more],
        }
        table = {"error_log": "stderr notice", "worker_processes": 2, "mail": mail}
        file.write_text(tomli_w.dumps(table))
        with background("gateway", serve_command(file), directory) as program:
            program.await_words(READY)
            yield House(program, doors, bad, servers)


async def measure(there: House, many: int) -> tuple[Report, list[float], list[float]]:
    """Have all of them come, and others log in before and meanwhile."""
    report, quiet, meanwhile = Report(), list[float](), list[float]()
    port = there.doors.port("imap", "tls")
    async with trio.open_nursery() as nursery:
        for server in there.servers:
            nursery.start_soon(trio.serve_tcp, server.serve, server.port)
        await trio.sleep(0.5)
        with trio.move_on_after(10):
            await logins(port, quiet, report.failures)
        async with trio.open_nursery() as others:
            others.start_soon(logins, port, meanwhile, report.failures)
            async with trio.open_nursery() as crowd:
                kinds = tuple(KINDS)
                for number in range(many):
                    kind = kinds[number % len(kinds)]
                    protocol = ("imap", "pop3", "smtp")[number // len(kinds) % 3]
                    door = there.doors.port(protocol, "starttls")
                    crowd.start_soon(stay, kind, protocol, door, report)
                for kind, bad in there.bad.items():
                    crowd.start_soon(partial(meet, kind, bad, report))
            others.cancel_scope.cancel()
        nursery.cancel_scope.cancel()
    return report, quiet, meanwhile


def main() -> int:
    """Print the table; return whether something is not as it has to be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("many", nargs="?", type=int, default=500)
    asked = parser.parse_args()
    with house() as there:
        report, quiet, meanwhile = trio.run(measure, there, asked.many)
        logged = there.program.logged()
    bound = {"never reads": 2 * (TIMEOUT + LATE)}
    rows = [
        (kind, len(seconds), max(seconds), bound.get(kind, TIMEOUT + LATE))
        for kind, seconds in sorted(report.seconds.items())
    ]
    print_table(("kind", "clients", "longest, s", "at most, s"), rows)
    before, beside = share(quiet, 95), share(meanwhile, 95)
    print(
        f"login p95: {before:.0f} ms alone ({len(quiet)} logins), {beside:.0f} ms "
        f"meanwhile ({len(meanwhile)}), {beside / before:.2f} times; target {SLOWER}"
    )
    print(*(f"{times} x {what}" for what, times in report.failures.items()), sep="\n")
    alarms = [line for line in logged.splitlines() if "[crit]" in line]
    print(*alarms, sep="\n")
    late = [kind for kind, _, seconds, most in rows if seconds > most]
    print(*(f"{kind}: cut off late" for kind in late), sep="\n")
    return int(bool(late or alarms or report.failures) or beside > SLOWER * before)


if __name__ == "__main__":
    sys.exit(main())
