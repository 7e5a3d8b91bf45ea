"""The relay: octets as they are, and endings that say what they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from mailssl_trio.transport.relay import Ending, Outcome, Relay, Side
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire
from tests.sleeping import relay_to_the_end
from tests.wire_pair import clog, wire_pair

TIMEOUTS = Timeouts(relay=3600, linger=5)

MUCH = b"much" * 500_000


@frozen
class Session:
    """Both peers of a relay that is running, and the place its ending goes to."""

    client: trio.abc.HalfCloseableStream
    backend: trio.abc.HalfCloseableStream
    endings: list[Ending]
    over: list[float]
    """When it ended."""


@asynccontextmanager
async def relayed(
    to_upstream: bytes = b"", to_client: bytes = b""
) -> AsyncIterator["Session"]:
    client, ours = wire_pair()
    theirs, backend = wire_pair()
    session = Session(client, backend, [], [])

    async def run() -> None:
        ending = await relay_to_the_end(
            Relay(ours, theirs, TIMEOUTS, to_upstream, to_client)
        )
        session.endings.append(ending)
        session.over.append(trio.current_time())
        await ours.aclose()
        await theirs.aclose()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        yield session


async def rest(stream: trio.abc.Stream) -> bytes:
    received = b""
    while data := bytes(await stream.receive_some()):
        received += data
    return received


async def test_what_was_received_ahead_goes_first(autojump_clock: MockClock) -> None:
    async with relayed(b"STAT\r\n", b"+OK early\r\n") as session:
        await session.client.send_all(b"QUIT\r\n")
        await session.client.send_eof()
        assert await rest(session.backend) == b"STAT\r\nQUIT\r\n"
        await session.backend.send_all(b"+OK 0 0\r\n")
        await session.backend.aclose()
        assert await rest(session.client) == b"+OK early\r\n+OK 0 0\r\n"
    assert session.endings == [Ending(Outcome.FINISHED, 12, 20)]


async def test_half_closed_client_gets_the_replies_still_under_way(
    autojump_clock: MockClock,
) -> None:
    async with relayed() as session:
        await session.client.send_all(b"FETCH\r\n")
        await session.client.send_eof()
        for _ in range(10):
            await trio.sleep(4)
            await session.backend.send_all(b"more\r\n")
        await session.backend.aclose()
        assert await rest(session.client) == b"more\r\n" * 10


async def test_backend_that_ignores_the_end_gets_linger_and_no_more(
    autojump_clock: MockClock,
) -> None:
    async with relayed() as session:
        await session.client.send_eof()
        assert await rest(session.client) == b""
    assert session.endings == [Ending(Outcome.FINISHED, 0, 0)]
    assert session.over == [pytest.approx(TIMEOUTS.linger, abs=0.2)]


async def test_half_closed_client_that_reads_slowly_gets_all(
    autojump_clock: MockClock,
) -> None:
    async with relayed() as session:
        await session.client.send_eof()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.backend.send_all, MUCH)
            received = 0
            while received < len(MUCH):
                await trio.sleep(TIMEOUTS.linger / 2)
                received += len(await session.client.receive_some(len(MUCH) // 8))
        await session.backend.aclose()
        assert await rest(session.client) == b""
    assert session.over[0] > 3 * TIMEOUTS.linger
    assert session.endings == [Ending(Outcome.FINISHED, 0, len(MUCH))]


async def test_client_that_stops_reading_is_cut_and_not_finished(
    autojump_clock: MockClock,
) -> None:
    client, ours = wire_pair()
    theirs, backend = wire_pair()
    clog(ours)
    await backend.send_all(b"unread")
    ending = await relay_to_the_end(Relay(ours, theirs, TIMEOUTS))
    assert ending.outcome is Outcome.TRUNCATED
    assert trio.current_time() == pytest.approx(TIMEOUTS.relay, abs=0.2)
    await client.aclose()


async def test_end_of_the_backend_ends_the_session(autojump_clock: MockClock) -> None:
    async with relayed() as session:
        await session.backend.send_all(b"* BYE\r\n")
        await session.backend.send_eof()
        assert await rest(session.client) == b"* BYE\r\n"
    assert session.endings == [Ending(Outcome.FINISHED, 0, 7)]
    assert session.over == [0]


async def test_silence_in_both_directions_ends_it(autojump_clock: MockClock) -> None:
    async with relayed() as session:
        await trio.sleep(3000)
        await session.backend.send_all(b"* 1 EXISTS\r\n")
        assert await session.client.receive_some() == b"* 1 EXISTS\r\n"
        assert await rest(session.client) == b""
    assert session.endings[0].outcome is Outcome.IDLE
    assert session.over == [pytest.approx(6600, abs=0.2)]


class Breaking(Wire):
    """A wire whose end is an error, as an end without close_notify is."""

    async def receive_into(self, room: memoryview) -> int:
        if not (size := await super().receive_into(room)):
            raise trio.BrokenResourceError
        return size


@pytest.mark.parametrize("side", ["client", "upstream"])
async def test_broken_stream_never_looks_finished(
    side: str, autojump_clock: MockClock
) -> None:
    client, ours = wire_pair()
    theirs, backend = wire_pair()
    broken, other = (client, backend) if side == "client" else (backend, client)
    relay = Relay(Breaking(ours.socket, 1), Breaking(theirs.socket, 1), TIMEOUTS)
    await broken.send_all(b"half a lit")
    await broken.send_eof()
    ending = await relay_to_the_end(relay)
    assert ending.outcome is Outcome.TRUNCATED
    assert bytes(await other.receive_some()) == b"half a lit"


async def test_upload_arrives_though_its_client_no_longer_reads(
    autojump_clock: MockClock,
) -> None:
    """A client that closes right behind its last octet cannot be answered."""
    async with relayed() as session:
        for _ in range(100):
            await session.client.send_all(b"x" * 1000)
        await session.client.aclose()
        received = 0
        while data := await session.backend.receive_some(500):
            received += len(data)
            await session.backend.send_all(b"* OK Still here\r\n" * 100)
        await session.backend.aclose()
    assert received == 100_000
    assert session.endings[0].outcome is Outcome.FINISHED


async def test_last_words_of_a_backend_arrive_though_it_no_longer_reads(
    autojump_clock: MockClock,
) -> None:
    async with relayed() as session:
        await session.backend.send_all(b"* BYE too much\r\n")
        await session.backend.aclose()
        await session.client.send_all(b"x" * 100_000)
        assert await rest(session.client) == b"* BYE too much\r\n"


@pytest.mark.parametrize(
    ("first", "side"), [("client", Side.CLIENT), ("backend", Side.UPSTREAM)]
)
async def test_ending_says_who_was_the_first_to_end(
    first: str, side: Side, autojump_clock: MockClock
) -> None:
    async with relayed() as session:
        ends = {"client": session.client, "backend": session.backend}
        await ends.pop(first).send_eof()
        await trio.sleep(1)
        for other in ends.values():
            await other.send_eof()
    assert [ending.ended_by for ending in session.endings] == [side]


async def test_ending_by_silence_is_by_nobody_but_us(autojump_clock: MockClock) -> None:
    async with relayed() as session:
        await trio.sleep(TIMEOUTS.relay + 1)
    assert [ending.ended_by for ending in session.endings] == [Side.US]
