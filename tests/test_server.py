"""One virtual server on loopback: it accepts, and it drains."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import create_server, socket, socketpair

import pytest
import trio
from attrs import Factory, define

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.gateway import Gateway
from mailssl_trio.observer import Admitted, Happening, Subject
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.server import Server, contained
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.drain import AT_ONCE, Drain, Pace
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import Upstream
from mailssl_trio.transport.wire import Wire
from mailssl_trio.visits import Visits
from tests.test_gateway import GOOD, Told
from tests.tls_pair import client_side, server_tls

TIMEOUTS = Timeouts(session=5, close=0.2)


@asynccontextmanager
async def serving(
    protocol: str,
    drain: Drain,
    pace: Pace = AT_ONCE,
    upkeep: Callable[[], Awaitable[None]] | None = None,
    visits: Visits | None = None,
    told: Told | None = None,
) -> AsyncIterator[tuple[str, int]]:
    told = told or Told()
    async with trio.open_nursery() as nursery:

        async def dial(protocol: str) -> socket:
            ours, theirs = socketpair()
            nursery.start_soon(GOOD, Wire(theirs, 2))
            return ours

        listening = create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        gateway = Gateway(
            protocol,
            Policy(),
            server_tls(protocol),
            BackendAuthenticator(Upstream(EmbeddedAddress())),
            Dialer(protocol, "gw", TIMEOUTS, client_side(), dial),
            TIMEOUTS,
            told,
        )
        here = Visits() if visits is None else visits
        server = Server(gateway, [listening], [], drain, (), here, upkeep=upkeep)
        nursery.start_soon(server.run)
        host, port = listening.getsockname()
        yield host, port
        drain.begin(pace)


async def rest(stream: trio.abc.Stream) -> bytes:
    received = b""
    while data := bytes(await stream.receive_some()):
        received += data
    return received


async def test_drain_tells_silent_clients_and_takes_no_more() -> None:
    drain = Drain()
    with trio.fail_after(5):
        async with serving("imap", drain) as address:
            client = await trio.open_tcp_stream(*address)
            greeting = bytes(await client.receive_some())
            drain.begin()
            assert greeting.startswith(b"* OK ")
            assert (await rest(client)).startswith(b"* BYE ")
            await client.aclose()
    try:
        await trio.open_tcp_stream(*address)
    except OSError:
        return
    raise AssertionError("it still listens")


async def test_logged_in_session_goes_on_until_its_time_is_over() -> None:
    drain = Drain()
    with trio.fail_after(5):
        async with serving("pop3", drain) as address:
            client = await trio.open_tcp_stream(*address)
            await client.send_all(b"USER joe\r\nPASS x\r\n")
            heard = b""
            while not heard.endswith(b"+OK in\r\n"):
                heard += bytes(await client.receive_some())
            drain.begin(Pace(sessions=0.5))
            await trio.sleep(0.2)
            await client.send_all(b"QUIT\r\n")
            assert await rest(client) == b"+OK bye\r\n"
            await client.aclose()


async def test_logged_in_session_that_does_not_end_is_cut() -> None:
    drain = Drain()
    with trio.fail_after(5):
        async with serving("pop3", drain, Pace(sessions=0.3)) as address:
            client = await trio.open_tcp_stream(*address)
            await client.send_all(b"USER joe\r\nPASS x\r\n")
            heard = b""
            while not heard.endswith(b"+OK in\r\n"):
                heard += bytes(await client.receive_some())
        with pytest.raises(trio.BrokenResourceError):
            await client.receive_some()
        await client.aclose()


async def test_client_that_is_dismissed_hears_why() -> None:
    visits, told = Visits(), Told()
    with trio.fail_after(5):
        async with serving("imap", Drain(), visits=visits, told=told) as address:
            clients = [await trio.open_tcp_stream(*address) for _ in range(2)]
            for client in clients:
                await client.receive_some()
            first, second = visits
            assert visits.get(first.subject.session) is first
            first.dismiss(Goodbye.KICKED)
            first.dismiss(Goodbye.BUSY)  # there is one reason, the first
            assert await rest(clients[0]) == (
                b"* BYE [UNAVAILABLE] ended by an administrator\r\n"
            )
            await clients[1].send_all(b"a NOOP\r\n")
            assert bytes(await clients[1].receive_some()).startswith(b"a OK")
            await clients[0].aclose()
            assert second in list(visits)
            await clients[1].aclose()
    assert "closed KICKED" in told.events
    assert not len(visits)


@define
class Noticing(Told):
    """An observer that says when somebody has logged in."""

    logged_in: trio.Event = Factory(trio.Event)

    def tell(self, subject: Subject, happening: Happening) -> None:
        super().tell(subject, happening)
        if isinstance(happening, Admitted):
            self.logged_in.set()


async def test_session_that_is_dismissed_is_cut_and_its_octets_are_counted() -> None:
    visits, told = Visits(), Noticing()
    with trio.fail_after(5):
        async with serving("pop3", Drain(), visits=visits, told=told) as address:
            client = await trio.open_tcp_stream(*address)
            await client.send_all(b"USER joe\r\nPASS x\r\n")
            heard = b""
            while not heard.endswith(b"+OK in\r\n"):
                heard += bytes(await client.receive_some())
            await told.logged_in.wait()
            (visit,) = visits
            visit.dismiss(Goodbye.KICKED)
            with pytest.raises(trio.BrokenResourceError):
                await client.receive_some()
            await client.aclose()
    assert told.events[-1] == "relayed ended by us 0 0"


async def test_upkeep_goes_on_as_long_as_clients_are_let_in() -> None:
    heard: list[str] = []

    async def upkeep() -> None:
        heard.append("began")
        try:
            await trio.sleep_forever()
        finally:
            heard.append("ended")

    drain = Drain()
    with trio.fail_after(5):
        async with serving("imap", drain, upkeep=upkeep) as address:
            client = await trio.open_tcp_stream(*address)
            await client.receive_some()
            assert heard == ["began"]
            await client.aclose()
    assert heard == ["began", "ended"]


def test_bug_is_contained_and_told() -> None:
    bugs: list[Exception] = []
    with contained(bugs.append):
        raise ZeroDivisionError
    assert isinstance(bugs[0], ZeroDivisionError)


def test_bug_in_a_session_without_a_task_ends_that_session_alone() -> None:
    told, visits = Told(), Visits()
    judge = BackendAuthenticator(Upstream(EmbeddedAddress()))
    dialer = Dialer("imap", "gw", TIMEOUTS)
    gateway = Gateway("imap", Policy(), None, judge, dialer, TIMEOUTS, told)
    server = Server(gateway, [], [], Drain())
    visit = visits.enter(Subject(1, "imap", "192.0.2.1", 1, "192.0.2.2:143"))
    ended: list[str] = []
    visit.ends_by(lambda: ended.append("it is woken to be cut"))

    def buggy_step() -> bool:
        raise ZeroDivisionError

    assert not server._went_well(visit, buggy_step)
    assert visit.dismissal is Goodbye.INTERNAL_ERROR
    assert ended == ["it is woken to be cut"]
    assert told.events == ["crashed ZeroDivisionError()"]
