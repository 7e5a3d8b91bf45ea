"""What a stranger can make a worker keep before login: the worst case, and measured.

Thousands come who send the most that is kept and then stay: half a command, a literal
that is not whole, a line of SASL; in the clear, and in TLS.
"""

import argparse
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from ssl import SSLContext
from tempfile import TemporaryDirectory

import tomli_w
import trio
from attrs import define, field

from tests.endurance.crowds import GONE
from tests.endurance.figures import held_by, print_table
from tests.endurance.peer import Peer, UnhappyError, anybody, connected
from tests.interop.background import background
from tests.interop.gateway import READY, SHIPPED, mail_table, serve_command
from tests.interop.machine import free_port
from tests.process.processes import workers

AT_ONCE = 50

SASL = b64encode(b"x" * 9_000)[:12_200]
"""All but the end of the longest line (RFC 4954 section 4)."""

WORDS: Mapping[str, tuple[str, bytes]] = {
    "nothing": ("imap", b""),
    "half a command": ("imap", b"a " + b"x" * 8_000),
    "half a literal": ("imap", b"a LOGIN {8000}\r\n" + b"x" * 7_900),
    "half a command and literal": (
        "imap", b"a LOGIN {8000}\r\n" + b"x" * 8_000 + b" " * 8_000,
    ),
    "half a line of SASL": ("imap", b"a AUTHENTICATE PLAIN\r\n" + SASL),
}  # fmt: skip
"""What is sent, by whom; the line or literal never ends."""

KEPT = 12_288 + 8_192 + 8_192
"""Octets that a session keeps at most: a line, and a command with its literals."""


@define
class Crowd:
    """Strangers who stay."""

    port: int
    words: bytes
    tls: SSLContext | None
    here: list[Peer] = field(factory=list)
    failed: int = 0

    async def gather(self, many: int) -> None:
        """Have so many come and say their words."""
        numbers = iter(range(many))
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._come, numbers)
        await trio.sleep(1)

    async def _come(self, numbers: Iterator[int]) -> None:
        for _ in numbers:
            try:
                with trio.fail_after(60):
                    peer = await connected("imap", self.port)
                    self.here.append(peer)
                    await peer.listen()
                    if self.tls is not None:
                        await peer.upgrade(self.tls)
                    await peer.say(self.words)
            except (*GONE, UnhappyError, trio.TooSlowError):
                self.failed += 1

    def disperse(self) -> None:
        """Be gone."""
        for peer in self.here:
            with suppress(OSError):
                peer.wire.socket.close()
        self.here.clear()


async def measure(port: int, supervisor: int, many: int) -> list[tuple[object, ...]]:
    """Have each kind come, and look what is held then, and held of it afterwards."""
    rows: list[tuple[object, ...]] = []
    warm = Crowd(port, b"a NOOP\r\n", anybody())
    await warm.gather(20)
    warm.disperse()
    await trio.sleep(3)
    empty = held_by(workers(supervisor))
    for security in (None, anybody()):
        for kind, (_, words) in WORDS.items():
            crowd = Crowd(port, words, security)
            await crowd.gather(many)
            full = held_by(workers(supervisor))
            each = (full.pss - empty.pss) * 1024 / many
            there = full.descriptors - empty.descriptors
            crowd.disperse()
            await trio.sleep(4)
            after = held_by(workers(supervisor))
            how = "clear" if security is None else "TLS"
            rows.append((how, kind, there, each, after.pss - empty.pss, crowd.failed))
            print(*rows[-1], flush=True)
    return rows


def main() -> int:
    """Print what each kind costs; return whether one costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("many", nargs="?", type=int, default=5_000)
    asked = parser.parse_args()
    port = free_port()
    server = {"listen": f"127.0.0.1:{port}", "protocol": "imap", "starttls": "on"}
    users = str(SHIPPED / "users.toml")
    table = mail_table(server, users=users, proxy_pass="embedded", timeout="10m")
    top = {"error_log": "stderr crit", "worker_processes": 2}
    with TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        file = directory / "mail.toml"
        top["worker_login_connections"] = asked.many
        file.write_text(tomli_w.dumps({**table, **top}))
        with background("gateway", serve_command(file), directory) as program:
            program.await_words(READY)
            pid = program.process.pid
            rows = trio.run(partial(measure, port, pid, asked.many))
    head = ("how", "what was sent", "connections", "KB each (PSS)", "MB left", "failed")
    print_table(head, rows)
    worst = max(float(str(row[3])) for row in rows)
    print(f"worst: {worst:.1f} KB; {KEPT / 1024:.0f} KB of it may be what was said")
    return int(worst > 120 or any(row[5] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
