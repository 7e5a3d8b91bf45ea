"""Endings of a real socket: nothing we sent is lost, and a cut looks like one."""

import socket
from contextlib import suppress

import pytest
import trio

from mailssl_trio.transport.wire import Wire

LINGER = 0.3
MEGABYTES = b"0123456789abcdef" * 65536 * 4


async def pair() -> tuple[Wire, trio.SocketStream]:
    listener = (await trio.open_tcp_listeners(0, host="127.0.0.1"))[0]
    async with listener:
        client = await trio.open_tcp_stream(*listener.socket.getsockname())
        accepted = await listener.accept()
        own = socket.socket(fileno=accepted.socket.detach())
        return Wire(own, LINGER), client


async def rest(stream: trio.SocketStream, pause: float = 0.0) -> bytes:
    received = bytearray()
    while data := await stream.receive_some(262_144):
        received += data
        await trio.sleep(pause)
    return bytes(received)


async def test_wire_has_no_delay_and_keeps_alive() -> None:
    wire, client = await pair()
    assert wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    await client.aclose()
    await wire.aclose()


async def test_all_that_was_sent_arrives_though_the_peer_still_sends() -> None:
    """Unread octets would make the kernel answer close() with a reset."""
    wire, client = await pair()
    await client.send_all(b"unread" * 1000)
    async with trio.open_nursery() as nursery:

        async def send_and_close() -> None:
            await wire.send_all(MEGABYTES)
            await wire.aclose()

        nursery.start_soon(send_and_close)
        assert await rest(client, pause=0.01) == MEGABYTES
        await client.aclose()


async def test_peer_that_never_closes_is_not_waited_for() -> None:
    wire, client = await pair()
    with trio.fail_after(2):
        await wire.aclose()
    assert await rest(client) == b""
    await client.aclose()


async def test_reset_comes_behind_all_that_was_sent() -> None:
    wire, client = await pair()
    received = bytearray()
    async with trio.open_nursery() as nursery:

        async def send_and_reset() -> None:
            await wire.send_all(MEGABYTES)
            await wire.cut()

        nursery.start_soon(send_and_reset)
        with suppress(trio.BrokenResourceError):
            while data := await client.receive_some(65_536):
                received += data
            pytest.fail("an end where a reset should be")
    assert bytes(received) == MEGABYTES
    await client.aclose()


async def test_reset_does_not_wait_for_a_peer_that_reads_nothing() -> None:
    wire, client = await pair()
    with trio.move_on_after(0.2):
        await wire.send_all(MEGABYTES)
    with trio.fail_after(3):
        await wire.cut()
    await client.aclose()


@pytest.mark.parametrize("ending", ["aclose", "cut"])
async def test_ending_a_wire_whose_peer_has_reset_it_is_quiet(ending: str) -> None:
    wire, client = await pair()
    await wire.send_all(b"x" * 1000)
    await trio.sleep(0.01)
    await client.aclose()  # with unread octets: a reset
    await trio.sleep(0.01)
    await getattr(wire, ending)()
    await getattr(wire, ending)()


async def test_cancelled_reset_is_still_a_reset() -> None:
    wire, client = await pair()
    with trio.move_on_after(0.2):
        await wire.send_all(MEGABYTES)
    with trio.CancelScope() as scope:
        scope.cancel()
        await wire.cut()
    with suppress(trio.BrokenResourceError):
        await rest(client)
        pytest.fail("an end where a reset should be")
    await client.aclose()
