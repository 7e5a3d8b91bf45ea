"""Thousands of people who log in by TLS, at a gateway with two workers that goes on to
a backend by TLS; each is one connection here, two in a worker, one in the backend."""

import ssl
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import tomli_w
import trio
from attrs import define, field, frozen

from tests.endurance.many import GREETING
from tests.interop.background import Background, background
from tests.interop.fake_backend import imap_reply
from tests.interop.gateway import READY, mail_table, serve_command
from tests.interop.machine import free_port
from tests.process.processes import workers
from tests.tls_pair import server_side

AT_ONCE = 40
"""Logins that are under way."""

PATIENCE = 60.0
"""Seconds after which an answer does not come any more."""

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, EOFError, OSError)

Stream = trio.SSLStream[trio.SocketStream]


def anybody() -> ssl.SSLContext:
    """Return a client that believes whoever answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def backend(stream: trio.abc.Stream) -> None:
    """Let somebody in, and answer each line."""
    received = b""
    try:
        await stream.send_all(GREETING)
        while data := bytes(await stream.receive_some(65_536)):
            *lines, received = (received + data).split(b"\r\n")
            for line in lines:
                await stream.send_all(imap_reply(line))
    except GONE:
        pass
    finally:
        await trio.aclose_forcefully(stream)


def serve_backend(port: int) -> None:
    """Be a backend, in a process of its own: each session takes a descriptor here."""
    trio.run(trio.serve_ssl_over_tcp, backend, port, server_side())


@frozen
class Ground:
    """A gateway that runs before a backend."""

    program: Background
    directory: Path
    port: int

    @property
    def workers(self) -> list[int]:
        """The processes that meet clients."""
        return workers(self.program.process.pid)

    @property
    def alarms(self) -> list[str]:
        """Lines of the log that should not be there."""
        lines = self.program.logged().splitlines()
        return [line for line in lines if "[crit]" in line or "Traceback" in line]


@contextmanager
def ground(**top: object) -> Iterator[Ground]:
    """Run a gateway and its backend; ``top`` are more directives of the first level."""
    port, behind = free_port(), free_port()
    server = {"listen": f"127.0.0.1:{port}", "protocol": "imap", "ssl": True}
    mail = mail_table(
        server,
        proxy_pass=f"127.0.0.1:{behind}",
        proxy_ssl="on",
        proxy_ssl_verify=False,
    )
    table = {**mail, "error_log": "stderr notice", "worker_processes": 2, **top}
    module = (
        f"from tests.endurance.crowds import serve_backend; serve_backend({behind})"
    )
    with TemporaryDirectory(prefix="mailssl-") as name:
        directory = Path(name)
        file = directory / "conf" / "mail.toml"
        file.parent.mkdir()
        file.write_text(tomli_w.dumps(table))
        with (
            background("backend", [sys.executable, "-c", module], directory) as other,
            background("gateway", serve_command(file), directory) as program,
        ):
            program.await_words(READY)
            other.await_ports(behind)
            yield Ground(program, directory, port)


@define(eq=False)
class Person:
    """Somebody who is logged in."""

    stream: Stream
    is_lost: bool = False

    async def ask(self, line: bytes) -> bytes:
        """Say a command, and return what is answered. Raises one of GONE."""
        await self.stream.send_all(line)
        heard = b""
        while not heard.endswith(b"\r\n"):
            if not (data := bytes(await self.stream.receive_some(4096))):
                raise EOFError(heard)
            heard += data
        return heard

    def leave(self) -> None:
        """Be gone without a word."""
        self.stream.transport_stream.socket.close()


@define
class Crowd:
    """Everybody who is logged in, and how long it took them."""

    port: int
    people: list[Person] = field(factory=list)
    refused: list[str] = field(factory=list)
    """Why somebody could not log in."""
    logins: list[float] = field(factory=list)
    """Seconds from the connection to the last word of a login."""
    waits: list[float] = field(factory=list)
    """Seconds until an answer."""
    _tls: ssl.SSLContext = field(factory=anybody)
    _numbers: Iterator[int] = field(factory=count)

    async def gather(self, many: int) -> None:
        """Have so many people more log in."""
        to_come = iter(range(many))
        async with trio.open_nursery() as nursery:
            for _ in range(min(many, AT_ONCE)):
                nursery.start_soon(self._come, to_come)

    async def _come(self, to_come: Iterator[int]) -> None:
        for _ in to_come:
            if (person := await self.log_in()) is not None:
                self.people.append(person)

    async def log_in(self) -> Person | None:
        """Log in as somebody new; None if that is refused."""
        began = perf_counter()
        try:
            with trio.fail_after(PATIENCE):
                wire = await trio.open_tcp_stream("127.0.0.1", self.port)
                person = Person(trio.SSLStream(wire, self._tls))
                await person.ask(b"")
                login = b"a LOGIN user%d@example.org secret\r\n" % next(self._numbers)
                reply = await person.ask(login)
        except (*GONE, trio.TooSlowError) as failure:
            self.refused.append(repr(failure))
            return None
        self.logins.append(perf_counter() - began)
        if reply.startswith(b"a OK"):
            return person
        self.refused.append(repr(reply))
        person.leave()
        return None

    async def log_in_and_out(self, pause: float = 0.0) -> None:
        """Log in and leave, again and again."""
        while True:
            if (person := await self.log_in()) is not None:
                with suppress(*GONE):
                    await person.ask(b"z LOGOUT\r\n")
                person.leave()
            await trio.sleep(pause)

    async def talk(self, person: Person, pause: float) -> None:
        """Say NOOP for ever, or until somebody is lost."""
        while True:
            began = perf_counter()
            try:
                with trio.fail_after(PATIENCE):
                    reply = await person.ask(b"n NOOP\r\n")
            except (*GONE, trio.TooSlowError):
                person.is_lost = True
                return
            person.is_lost = not reply.startswith(b"n OK")
            self.waits.append(perf_counter() - began)
            await trio.sleep(pause)

    @property
    def lost(self) -> int:
        """How many have been cut off."""
        return sum(person.is_lost for person in self.people)

    def disperse(self) -> None:
        """Have everybody leave."""
        for person in self.people:
            person.leave()
        self.people.clear()


def share(seconds: Sequence[float], percent: int) -> float:
    """Return what so many per cent stay below, in ms."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1e3


async def for_a_while(seconds: float, *deeds: Callable[[], object]) -> None:
    """Do things at the same time, for so long."""
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            for deed in deeds:
                nursery.start_soon(deed)  # type: ignore[arg-type]
            await trio.sleep_forever()
