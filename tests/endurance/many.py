"""Thousands of logged-in sessions in two workers, and an administrator who asks who.

What counts: how long he waits, whether he is told of everybody once, and how long
others wait meanwhile for an answer from their backend.
"""

import json
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import tomli_w
import trio
from attrs import define, field

from tests.endurance.figures import print_table
from tests.interop.background import Background, background
from tests.interop.fake_backend import imap_reply
from tests.interop.gateway import READY, serve_command
from tests.interop.machine import free_port, run

AT_ONCE = 40
"""Logins that are under way."""

ASKED = 5
"""Times that each question is asked."""

TALKERS = 10
PAUSE = 0.1
"""Sessions that talk all the time, and seconds between two words of each."""

GREETING = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"

Client = trio.SocketStream


async def backend(stream: trio.SocketStream) -> None:
    """Let somebody in, and answer each line."""
    received = b""
    try:
        await stream.send_all(GREETING)
        while data := bytes(await stream.receive_some()):
            *lines, received = (received + data).split(b"\r\n")
            for line in lines:
                await stream.send_all(imap_reply(line))
    except trio.BrokenResourceError:
        pass
    finally:
        await trio.aclose_forcefully(stream)


def serve_backend(port: int) -> None:
    """Be a backend, in a process of its own: each session takes a descriptor here."""
    trio.run(trio.serve_tcp, backend, port)


async def ask(client: Client, line: bytes) -> bytes:
    """Say a command, and return what is answered to it."""
    await client.send_all(line)
    heard = b""
    while not heard.endswith(b"\r\n"):
        if not (data := bytes(await client.receive_some())):
            raise EOFError(heard)
        heard += data
    return heard


@define
class Crowd:
    """Everybody who is logged in."""

    port: int
    clients: list[Client] = field(factory=list)
    waits: list[float] = field(factory=list)
    """Seconds that talkers waited for an answer."""

    async def gather(self, many: int) -> None:
        """Have so many people log in."""
        numbers = iter(range(many))
        async with trio.open_nursery() as nursery:
            for _ in range(AT_ONCE):
                nursery.start_soon(self._log_in, numbers)

    async def _log_in(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            client = await trio.open_tcp_stream("127.0.0.1", self.port)
            self.clients.append(client)
            await client.receive_some()
            login = b"a LOGIN user%d@example.org secret\r\n" % number
            assert (await ask(client, login)).startswith(b"a OK")

    async def talk(self, client: Client) -> None:
        """Say NOOP for ever."""
        while True:
            began = perf_counter()
            assert (await ask(client, b"n NOOP\r\n")).startswith(b"n OK")
            self.waits.append(perf_counter() - began)
            await trio.sleep(PAUSE)

    def waited(self) -> tuple[float, float]:
        """Return the 99th of a hundred waits and the longest, in ms; forget them."""
        waits, self.waits = sorted(self.waits), []
        return waits[len(waits) * 99 // 100] * 1e3, waits[-1] * 1e3


def question(path: Path, **fields: object) -> int:
    """Ask at the control socket; return how many lines came before the last."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(json.dumps({"v": 1, **fields}).encode() + b"\n")
        connection.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(2**20), b""))
    return said.count(b"\n") - 1  # counted at once: talkers are in this process, too


def command(directory: Path) -> int:
    """Ask as an administrator does; return how many he is told of."""
    words = (sys.executable, "-m", "mailssl_trio", "who", "--json")
    told = run(*words, cwd=directory, expect=None)
    return len(json.loads(told)["sessions"])


async def measure(directory: Path, port: int, many: int) -> list[tuple[object, ...]]:
    """Return a row for each question: what, how many, how long, who waited how long."""
    crowd, path = Crowd(port), directory / "var/control.sock"
    began = perf_counter()
    await crowd.gather(many)
    print(f"{many} logged in within {perf_counter() - began:.1f} s", flush=True)
    rows: list[tuple[object, ...]] = []
    async with trio.open_nursery() as nursery:
        for client in crowd.clients[:: max(1, many // TALKERS)]:
            nursery.start_soon(crowd.talk, client)
        await trio.sleep(5)
        crowd.waited()
        await trio.sleep(5)
        rows.append(("nothing", "", "", *crowd.waited()))
        for name, how in (
            ("who at the socket", lambda: question(path, verb="who")),
            (
                "who of a network",
                lambda: question(path, verb="who", network="10.0.0.0/8"),
            ),
            (
                "who of a user",
                lambda: question(path, verb="who", user="user7@example.org"),
            ),
            ("status", lambda: question(path, verb="status")),
            ("mailssl-trio who --json", lambda: command(directory)),
        ):
            times: list[float] = []
            for _ in range(ASKED):
                began = perf_counter()
                found = await trio.to_thread.run_sync(how)
                times.append(perf_counter() - began)
                await trio.sleep(0.3)
            rows.append((name, found, sorted(times)[ASKED // 2], *crowd.waited()))
        nursery.cancel_scope.cancel()
    for client in crowd.clients:
        await trio.aclose_forcefully(client)
    return rows


def gateway(directory: Path, port: int, behind: int) -> dict[str, object]:
    """Return what a gateway in the clear serves, which leaves the judging to others."""
    server = {"listen": f"127.0.0.1:{port}", "protocol": "imap"}
    mail = {"proxy_pass": f"127.0.0.1:{behind}", "server": [server]}
    return {"worker_processes": 2, "error_log": "stderr warn", "mail": mail}


def started(directory: Path, port: int, behind: int) -> Path:
    """Write the configuration."""
    file = directory / "conf" / "mail.toml"
    file.parent.mkdir()
    file.write_text(tomli_w.dumps(gateway(directory, port, behind)))
    return file


def main() -> int:
    """Print what was measured; return whether somebody was not told of."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    port, behind = free_port(), free_port()
    backend_command: list[str | Path] = [
        sys.executable,
        "-c",
        f"from tests.endurance.many import serve_backend; serve_backend({behind})",
    ]
    with tempfile.TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        file = started(directory, port, behind)
        with (
            background("backend", backend_command, directory) as other,
            background("gateway", serve_command(file), directory) as program,
        ):
            program.await_words(READY)
            other.await_ports(behind)
            rows = trio.run(measure, directory, port, many)
            alarms = _alarms(program)
    head = ("asked", "found", "median, s", "others' p99, ms", "longest, ms")
    print_table(head, rows)
    print(*alarms, sep="\n")
    return int(bool(alarms) or {rows[1][1], rows[-1][1]} != {many})


def _alarms(program: Background) -> list[str]:
    return [line for line in program.logged().splitlines() if "[warn]" not in line]


if __name__ == "__main__":
    sys.exit(main())
