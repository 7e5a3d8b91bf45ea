"""Sessions without a task: what they must not miss, and who can be one."""

import ssl

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from mailssl_trio.transport.parked import Parked, Sleeper
from mailssl_trio.transport.relay import Ending, Outcome, Relay
from mailssl_trio.transport.secure import SecureStream, TlsLayer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire
from tests.sleeping import relay_to_the_end
from tests.tls_pair import NAME, client_side, server_side
from tests.wire_pair import wire_pair

TIMEOUTS = Timeouts(relay=3600, linger=5)


async def secured() -> tuple[SecureStream, SecureStream]:
    """Return a client's end of TLS and ours."""
    theirs, ours = wire_pair()
    ends: list[SecureStream] = []

    async def upgrade(layer: TlsLayer, wire: Wire) -> None:
        ends.append((await layer.upgrade(wire)).stream)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(upgrade, TlsLayer(client_side(), False, NAME), theirs)
        nursery.start_soon(upgrade, TlsLayer(server_side()), ours)
    client = next(end for end in ends if not end.socket.server_side)
    return client, next(end for end in ends if end.socket.server_side)


async def test_close_notify_ends_a_silent_session_though_its_socket_stays_open(
    autojump_clock: MockClock,
) -> None:
    client, ours = await secured()
    theirs, backend = wire_pair()
    endings: list[Ending] = []

    async def run(relay: Relay) -> None:
        endings.append(await relay_to_the_end(relay))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, Relay(ours, theirs, TIMEOUTS))
        await trio.sleep(60)
        assert client.has_said_end()
        assert await backend.receive_some() == b""
        await backend.aclose()
    assert endings == [Ending(Outcome.FINISHED, 0, 0)]
    assert trio.current_time() < 70


async def test_close_notify_behind_a_command_ends_the_session(
    autojump_clock: MockClock,
) -> None:
    client, ours = await secured()
    theirs, backend = wire_pair()
    await client.send_all(b"a NOOP\r\n")
    client.has_said_end()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(relay_to_the_end, Relay(ours, theirs, TIMEOUTS))
        assert await backend.receive_some() == b"a NOOP\r\n"
        assert await backend.receive_some() == b""
        await backend.aclose()


@pytest.mark.parametrize("reader", ["backend", "client"])
async def test_what_stands_behind_a_login_in_one_record_is_not_left_there(
    reader: str, autojump_clock: MockClock
) -> None:
    speaker, ours = await secured()
    other, listener = wire_pair()
    await speaker.send_all(b"login\r\n" + b"much" * 2000)
    assert await ours.receive_some(7) == b"login\r\n"
    client, upstream = (ours, other) if reader == "backend" else (other, ours)
    relay = Relay(client, upstream, TIMEOUTS)
    assert not relay.begin()
    heard = b""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(relay_to_the_end, relay)
        while len(heard) < 8000:
            heard += await listener.receive_some()
        nursery.cancel_scope.cancel()
    assert heard == b"much" * 2000


async def test_a_read_goes_no_further_than_a_message_of_tls(
    autojump_clock: MockClock,
) -> None:
    client, ours = await secured()  # and two tickets, RFC 8446 section 4.6.1
    await ours.send_all(b"* OK\r\n")
    for _ in range(2):
        with pytest.raises(ssl.SSLWantReadError):
            client.socket.recv(100)
    assert await client.receive_some() == b"* OK\r\n"


async def test_reader_and_writer_may_both_wait_for_room(
    autojump_clock: MockClock,
) -> None:
    client, ours = await secured()
    while not ours.send_now(bytes(4096)):
        pass
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ours.wait_send_all_might_not_block)
        nursery.start_soon(ours.wait_send_all_might_not_block)
        await wait_all_tasks_blocked()
        for _ in range(100):  # records, and tickets
            client.receive_now(memoryview(bytearray(65536)))


async def test_who_cannot_be_watched_is_not_parked_by_halves() -> None:
    parked = Parked()
    (one, backend), (other, another) = wire_pair(), wire_pair()

    def park(client: Wire, upstream: Wire) -> bool:
        relay = Relay(client, upstream, TIMEOUTS)
        return parked.park(Sleeper(relay, relay.pass_on, lambda: None))

    assert park(one, backend)
    assert not park(other, backend), "the system watches no descriptor twice"
    assert park(other, another)
    assert len(parked) == 2
    parked.close()
    assert not park(*wire_pair()), "nobody watches any more"
