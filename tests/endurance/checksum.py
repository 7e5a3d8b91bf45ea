"""Plain octets through the relay, both ways at once, summed where they start and end.

Between a client that sends and a backend that sends meanwhile: in the clear and in TLS
on either leg, in chunks of odd sizes. What arrives must be what was sent.
"""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import product
from pathlib import Path
from random import Random
from ssl import CERT_NONE, Purpose, SSLContext, create_default_context
from time import perf_counter
from typing import TYPE_CHECKING

import tomli_w
import trio
from attrs import define, field, frozen
from trustme import CA

from tests.endurance.figures import print_table
from tests.endurance.gateways import running
from tests.interop.gateway import Doors, mail_table
from tests.interop.machine import free_port
from tests.interop.people import ALICE

if TYPE_CHECKING:
    from _hashlib import HASH

CHUNKS = (1, 2, 7, 255, 1459, 4095, 8193, 16_383, 16_385, 65_537, 131_071, 262_147)
BLOCK = 2**22
READ = 262_144
SILENCE = 60.0
"""Seconds in which something must move."""

LOGIN = b"AUTH PLAIN " + ALICE.sasl_plain.encode() + b"\r\n"


def octets(seed: str, total: int) -> Iterator[memoryview]:
    """Yield so many octets in chunks that fit nowhere."""
    dice = Random(seed)
    block = memoryview(dice.randbytes(BLOCK))
    while total > 0:
        size = min(dice.choice(CHUNKS), total)
        start = dice.randrange(BLOCK - size)
        yield block[start : start + size]
        total -= size


@define
class Sum:
    """How many octets have passed a place, and which."""

    octets: int = 0
    _hash: "HASH" = field(factory=sha256)

    def add(self, data: bytes | bytearray | memoryview) -> None:
        """Count them."""
        self.octets += len(data)
        self._hash.update(data)

    def __str__(self) -> str:
        return self._hash.hexdigest()


@define
class Side:
    """One end of the session: it sends so much, and takes what comes."""

    name: str
    total: int
    sent: Sum = field(factory=Sum)
    came: Sum = field(factory=Sum)

    async def exchange(self, stream: trio.abc.Stream) -> None:
        """Send all, and receive all; both at once."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send, stream)
            nursery.start_soon(self._receive, stream)

    async def _send(self, stream: trio.abc.Stream) -> None:
        for chunk in octets(self.name, self.total):
            with trio.fail_after(SILENCE):
                await stream.send_all(chunk)
            self.sent.add(chunk)

    async def _receive(self, stream: trio.abc.Stream) -> None:
        while self.came.octets < self.total:
            with trio.fail_after(SILENCE):
                data = await stream.receive_some(READ)
            if not data:
                break
            self.came.add(data)


@frozen
class Legs:
    """What is spoken with the client, and with the backend."""

    client: bool
    backend: bool
    door: int = field(factory=free_port, kw_only=True)
    behind: int = field(factory=free_port, kw_only=True)

    @property
    def server(self) -> dict[str, object]:
        """Return the virtual server of these."""
        return {
            "listen": f"127.0.0.1:{self.door}",
            "protocol": "pop3",
            "ssl": self.client,
            "proxy_pass": f"127.0.0.1:{self.behind}",
            "proxy_ssl": "on" if self.backend else "off",
            **({"proxy_ssl_verify": False} if self.backend else {}),
        }

    def __str__(self) -> str:
        words = ("clear", "TLS")
        return f"client {words[self.client]}, backend {words[self.backend]}"


async def line(stream: trio.abc.Stream) -> bytes:
    """Read a line; nobody says more than one unasked."""
    said = b""
    while not said.endswith(b"\n"):
        data = await stream.receive_some(4096)
        assert data, said
        said += bytes(data)
    return said


async def backend(stream: trio.abc.Stream, side: Side, done: trio.Event) -> None:
    """Let the gateway log in, and exchange."""
    async with stream:
        await stream.send_all(b"+OK ready\r\n")
        assert await line(stream) == b"CAPA\r\n"
        await stream.send_all(b"+OK\r\nSASL PLAIN\r\n.\r\n")
        assert (await line(stream)).startswith(b"AUTH PLAIN ")
        await stream.send_all(b"+OK logged in\r\n")
        await side.exchange(stream)
        done.set()


@asynccontextmanager
async def client(legs: Legs) -> AsyncIterator[trio.abc.Stream]:
    """Connect and log in."""
    stream: trio.abc.Stream = await trio.open_tcp_stream("127.0.0.1", legs.door)
    if legs.client:
        anybody = create_default_context()
        anybody.check_hostname = False
        anybody.verify_mode = CERT_NONE
        stream = trio.SSLStream(stream, anybody)
    async with stream:
        assert (await line(stream)).startswith(b"+OK")
        await stream.send_all(LOGIN)
        said = b""
        while b"\n" not in said:  # octets of the relay must not be read along
            said += bytes(await stream.receive_some(1))
        assert said.startswith(b"+OK"), said
        yield stream


async def through(legs: Legs, total: int, tls: SSLContext) -> tuple[Side, Side]:
    """Send so many octets through one pair of legs, each way."""
    ours, theirs = Side("client", total), Side("backend", total)
    done = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        secured = trio.SSLStream(stream, tls, server_side=True)
        await backend(secured if legs.backend else stream, theirs, done)

    async with trio.open_nursery() as nursery:
        host = "127.0.0.1"
        listeners = await trio.open_tcp_listeners(legs.behind, host=host)
        nursery.start_soon(trio.serve_listeners, serve, listeners)
        async with client(legs) as stream:
            await ours.exchange(stream)
            with trio.fail_after(SILENCE):
                await done.wait()
        nursery.cancel_scope.cancel()
    return ours, theirs


def main() -> int:
    """Print what has passed; return whether anything was not as it was sent."""
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    total = int(gigabytes * 1e9 / 4)
    tls = create_default_context(Purpose.CLIENT_AUTH)
    CA().issue_cert("localhost").configure_cert(tls)
    every = [Legs(*pair) for pair in product((False, True), repeat=2)]
    users = {"users": "users.toml"}
    table = mail_table(*(legs.server for legs in every), **users)
    rows, wrong = [], 0
    with tempfile.TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        doors = Doors({}, directory)
        with running(directory, tomli_w.dumps(table), doors) as trial:
            for legs in every:
                began = perf_counter()
                sides = trio.run(through, legs, total, tls)
                rate = 2 * total / 1e6 / (perf_counter() - began)
                for one, other in (sides, sides[::-1]):
                    same = (one.sent.octets, str(one.sent)) == (
                        other.came.octets,
                        str(other.came),
                    )
                    wrong += not same
                    verdict = "identical" if same else f"NOT {other.came}"
                    sums = (one.sent.octets, rate, str(one.sent)[:16], verdict)
                    rows.append((str(legs), f"from {one.name}", *sums))
    print_table(("legs", "way", "octets", "MB/s", "SHA-256", "arrived"), rows)
    for alarm in trial.log.alarms:
        print(alarm)
    return int(bool(wrong or trial.log.alarms))


if __name__ == "__main__":
    sys.exit(main())
