"""A virtual server with a backend, a client who is there before, and one who comes."""

import gc
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from socket import AF_UNIX, create_server, socket, socketpair
from traceback import extract_tb

import trio
from attrs import Factory, define, evolve, frozen

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.route import Authenticator
from mailssl_trio.gateway import Gateway
from mailssl_trio.limits.counts import Counts, Segments
from mailssl_trio.limits.house import House
from mailssl_trio.limits.policy import LimitPolicy
from mailssl_trio.observer import Crashed, Happening, Observer, Subject
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.server import Server
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import (
    Address,
    EmbeddedAddress,
    TcpAddress,
    UnixAddress,
)
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.client_names import ClientNames
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.resolver import Resolver
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from mailssl_trio.visits import Visits
from tests.faults.awaits import BugError
from tests.faults.peers import Client, GoneError, backend
from tests.test_gateway import Told
from tests.tls_pair import NAME, client_side, server_tls
from tests.transport.dns_server import dns_server

TIMEOUTS = Timeouts(session=60, connect=10, relay=3600, linger=1, close=1)
PATIENCE = 600
"""Virtual seconds in which a connection is over, whatever happens to it."""

IN_LINE = Policy("mx", StartTlsMode.ON)
UNLIMITED = LimitPolicy()

RECORDS = {
    "1.0.0.127.in-addr.arpa. PTR": "1.0.0.127.in-addr.arpa. 60 IN PTR here.example.",
    "here.example. A": "here.example. 60 IN A 127.0.0.1",
}


@frozen
class Scene:
    """What a client does, at what kind of server."""

    name: str
    protocol: str
    play: Callable[["Stage", Client], Awaitable[None]]
    policy: Policy = IN_LINE
    implicit: bool = False
    by_network: bool = False
    """Whether the client comes by TCP, and not by a Unix socket."""
    proxied: bool = False
    behind: str = ":unix"
    """Where the backend is: an address, a name, or a Unix socket."""
    proxy_ssl: ProxySsl = ProxySsl.OFF
    proxy_protocol: ProxyProtocol = ProxyProtocol.OFF
    names: bool = False
    limits: LimitPolicy = UNLIMITED
    judge: Callable[[Upstream], Authenticator] = BackendAuthenticator
    bugs: int = 0
    """Those that it has anyway."""
    reads: bool = True
    """Whether the client reads what it is told, at once."""

    is_whole: bool = False
    """Whether it is played even with bugs that have been tried elsewhere."""

    @property
    def tells_cuts(self) -> bool:
        """Whether a client can tell a session that was cut from one that has ended.

        A Unix socket cannot be reset, so in the clear there is nothing to tell it by.
        """
        return self.by_network or self.implicit

    @property
    def moment(self) -> float:
        """Seconds until it is clear that nobody has anything to do."""
        by_network = self.by_network or self.behind[0].isalnum()
        return 0.02 if by_network else 0.0


@define
class Ear:
    """Hears what is told of the client that comes."""

    log: Observer
    told: Told = Factory(Told)
    bugs: list[Exception] = Factory(list)
    bugs_in_all: int = 0
    events_before: list[str] = Factory(list)
    """What had been told when the first bug was."""

    def tell(self, subject: Subject, happening: Happening) -> None:
        self.log.tell(subject, happening)
        if isinstance(happening, Crashed):
            if not self.bugs:
                self.events_before = list(self.told.events)
            self.bugs.append(happening.bug)
            self.bugs_in_all += 1
        self.told.tell(subject, happening)

    def forget(self) -> None:
        """Begin anew."""
        self.told = Told()
        self.bugs = []
        self.events_before = []


@define
class Stage:
    """Where a scene is played, again and again, before the same neighbour."""

    scene: Scene
    server: Server
    where: str | tuple[str, int]
    ear: Ear
    house: House
    visits: Visits
    neighbour: Client | None = None
    _tasks: int = 0
    _descriptors: int = 0

    async def comes(self) -> Client:
        """Connect a client."""
        match self.where:
            case str(path):
                wire = await trio.open_unix_socket(path)
            case (host, port):
                wire = await trio.open_tcp_stream(host, port)
        return Client(self.scene.protocol, wire, wire)

    async def seat_neighbour(self) -> None:
        """Have somebody log in, and be silent until all is quiet."""
        self.neighbour = client = await self.comes()
        if self.scene.proxied:
            await client.say(b"PROXY TCP4 192.0.2.9 192.0.2.1 999 143\r\n")
        if self.scene.implicit:
            await client.start_tls()
        await client.hear(b"\n")
        await log_in(client, b"neighbour")
        await trio.sleep(5)
        gc.collect()
        self._tasks = trio.lowlevel.current_statistics().tasks_living
        self._descriptors = descriptors()

    async def play(self) -> Client:
        """Have a client come and play; return what it has met with, when it is gone."""
        self.ear.forget()
        client = await self.comes()
        try:
            with trio.move_on_after(PATIENCE):
                await self._play(client)
        finally:
            await trio.aclose_forcefully(client.wire)
        return client

    async def _play(self, client: Client) -> None:
        with suppress(GoneError):
            await self.scene.play(self, client)
        await client.hear_end()

    async def left_behind(self) -> list[str]:
        """Wait a while until nothing is left of a client; return what is."""
        for _ in range(50):
            if not (rest := self._left()):
                return []
            await trio.sleep(1)
        return rest

    def _left(self) -> list[str]:
        counts = (
            ("visits", len(self.visits), 1),
            ("tasks", trio.lowlevel.current_statistics().tasks_living, self._tasks),
            ("descriptors", descriptors(), self._descriptors),
            ("seats", self.house.seats.taken, 2),
        )
        return [
            f"{count} {what} instead of {usual}"
            for what, count, usual in counts
            if count != usual
        ]

    async def neighbour_is_well(self) -> bool:
        """Whether the neighbour is answered, and falls silent again."""
        assert self.neighbour is not None
        with trio.move_on_after(10):
            await self.neighbour.ask(b"n NOOP\r\n", b"\n")
            await trio.sleep(5)
            return True
        return False


def descriptors() -> int:
    """Return how many descriptors this process has."""
    return len(os.listdir("/proc/self/fd"))


LOGIN = {
    "imap": (b"a LOGIN %b secret\r\n", b"a OK"),
    "pop3": (b"USER %b\r\nPASS secret\r\n", b"+OK did AUTH"),
    "smtp": (b"EHLO %b\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n", b"235 "),
}


async def log_in(client: Client, name: bytes = b"joe") -> None:
    """Log in."""
    command, answer = LOGIN[client.protocol]
    await client.ask(command % name, answer)


@asynccontextmanager
async def staged(scene: Scene, log: Observer, directory: Path) -> AsyncIterator[Stage]:
    """Set the stage, with the neighbour on it."""
    async with trio.open_nursery() as nursery, dns_server(RECORDS) as dns:
        address = await _open_backend(scene, directory, nursery)
        listening = _listening(scene, directory)
        where: str | tuple[str, int] = listening.getsockname()
        names = (
            ClientNames(Resolver((("127.0.0.1", dns.port),))) if scene.names else None
        )
        house = _house()
        tls = BackendTlsPolicy(name=NAME)
        ear = Ear(log)
        gateway = Gateway(
            scene.protocol,
            scene.policy,
            server_tls(scene.protocol),
            scene.judge(Upstream(address, scene.proxy_ssl, tls)),
            Dialer(
                scene.protocol, "gw", TIMEOUTS, client_side(),
                embedded=partial(_embedded, scene, nursery),
                proxy_protocol=scene.proxy_protocol,
            ),
            TIMEOUTS,
            ear,
            names=names,
            limits=scene.limits,
            house=house,
        )  # fmt: skip
        visits = Visits()
        doors = ([], [listening]) if scene.implicit else ([listening], [])
        proxied = [listening] if scene.proxied else []
        server = Server(gateway, *doors, Drain(), proxied, visits)
        nursery.start_soon(server.run)
        stage = Stage(scene, server, where, ear, house, visits)
        try:
            await stage.seat_neighbour()
            yield stage
        finally:
            if stage.neighbour is not None:
                await trio.aclose_forcefully(stage.neighbour.wire)
        nursery.cancel_scope.cancel()


def _house() -> House:
    segments = Segments()
    with segments.lent() as place:
        assert place is not None
        ours = evolve(place, descriptor=os.dup(place.descriptor))
        house = House(counts=Counts(ours, bytes(16)))
    segments.close()
    return house


def _listening(scene: Scene, directory: Path) -> socket:
    if scene.by_network:
        listening = create_server(("127.0.0.1", 0))
    else:
        listening = socket(AF_UNIX)
        listening.bind(str(directory / "gw"))
        listening.listen()
    listening.setblocking(False)
    return listening


async def _open_backend(
    scene: Scene, directory: Path, nursery: trio.Nursery
) -> Address:
    answer = _backend(scene)
    if scene.behind == ":embedded":
        return EmbeddedAddress()
    if scene.behind == ":unix":
        path = directory / "backend"
        with socket(AF_UNIX) as plain:
            plain.bind(str(path))
            plain.listen()
            listener = trio.SocketListener(trio.socket.from_stdlib_socket(plain.dup()))
        nursery.start_soon(trio.serve_listeners, answer, [listener])
        return UnixAddress(path)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, answer, [listener])
    return TcpAddress(scene.behind, listener.socket.getsockname()[1])


def _backend(scene: Scene) -> Callable[[trio.abc.Stream], Awaitable[None]]:
    return partial(backend, scene.protocol, scene.proxy_ssl.value, 30)


async def _embedded(scene: Scene, nursery: trio.Nursery, protocol: str) -> socket:
    await trio.lowlevel.checkpoint()
    ours, theirs = socketpair()
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
    nursery.start_soon(_backend(scene), stream)
    return ours


def innermost(bug: BaseException) -> list[BaseException]:
    """Return the exceptions of a group, and of the groups in it."""
    match bug:
        case BaseExceptionGroup(exceptions=inner):
            return [one for each in inner for one in innermost(each)]
        case _:
            return [bug]


def is_ours(bug: Exception) -> bool:
    """Whether it is the bug that was put in."""
    return any(isinstance(one, BugError) for one in innermost(bug))


def way_of(bug: Exception) -> set[str]:
    """Return the names of the functions that it has come through."""
    return {
        frame.name for one in innermost(bug) for frame in extract_tb(one.__traceback__)
    }
