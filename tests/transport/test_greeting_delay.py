"""The driver lets time pass before the greeting, in virtual time."""

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.protocol.events import Closed, Goodbye
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.protocol.smtp.server import SmtpServer
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.timeouts import Timeouts
from tests.wire_pair import wire_pair

GREETING = b"220 mx ESMTP ready\r\n"
TOO_EARLY = b"503 5.5.0 Improper use of SMTP command pipelining\r\n"


class Visit:
    """A client at a server that waits five seconds, and gives it ten."""

    def __init__(self) -> None:
        ours, self.stream = wire_pair()
        self.drain = Drain()
        session = SmtpServer(Policy("mx", greeting_delay=5))
        timeouts = Timeouts(session=10)
        self.driver = Connection(session, ours, None, timeouts, self.drain)

    async def serve(self, ending: Goodbye) -> None:
        assert await self.driver.next_event() == Closed(ending)
        await self.driver.close()

    async def hear(self) -> bytes:
        return bytes(await self.stream.receive_some())


async def test_client_that_waits_is_greeted_and_has_its_whole_time_then(
    autojump_clock: MockClock,
) -> None:
    visit = Visit()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit.serve, Goodbye.TIMED_OUT)
        assert await visit.hear() == GREETING
        assert trio.current_time() == pytest.approx(5)
        assert await visit.hear() == b"421 4.4.2 mx timed out\r\n"
        assert trio.current_time() == pytest.approx(15)


async def test_client_that_does_not_wait_is_sent_away_at_once(
    autojump_clock: MockClock,
) -> None:
    visit = Visit()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit.serve, Goodbye.EARLY_TALKER)
        await trio.sleep(3)
        await visit.stream.send_all(b"HELO x\r\n")
        assert await visit.hear() == TOO_EARLY
        assert trio.current_time() == pytest.approx(3)


async def test_client_that_leaves_meanwhile_is_not_waited_for(
    autojump_clock: MockClock,
) -> None:
    visit = Visit()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit.serve, Goodbye.PEER_GONE)
        await trio.sleep(1)
        await visit.stream.aclose()
    assert trio.current_time() == pytest.approx(1)


async def test_stop_does_not_wait_for_the_greeting(autojump_clock: MockClock) -> None:
    visit = Visit()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(visit.serve, Goodbye.SHUTTING_DOWN)
        await trio.sleep(1)
        visit.drain.begin()
        assert await visit.hear() == b"421 4.3.2 mx shutting down\r\n"
        assert trio.current_time() == pytest.approx(1)
