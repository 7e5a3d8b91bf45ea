"""Listening: addresses of a name, one that is taken, and who comes."""

from socket import AF_INET, socket

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.transport.listening import (
    PATIENCE,
    ListenError,
    Newcomer,
    SocketAddress,
    listen,
    resolve,
    serve_wires,
)


async def test_name_is_resolved_to_each_of_its_addresses_once() -> None:
    addresses = await resolve("localhost", 143)
    assert SocketAddress(AF_INET, ("127.0.0.1", 143)) in addresses
    assert len(addresses) == len(set(addresses))


async def test_name_that_nobody_has_is_named() -> None:
    with pytest.raises(ListenError, match=r"to nowhere\.invalid:143 failed") as failed:
        await resolve("nowhere.invalid", 143)
    assert not failed.value.denied


async def test_newcomer_is_known_by_both_addresses() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    address = listener.socket.getsockname()
    met: list[Newcomer] = []
    async with trio.open_nursery() as nursery:

        async def meet(newcomer: Newcomer) -> None:
            met.append(newcomer)
            await newcomer.wire.aclose()
            nursery.cancel_scope.cancel()

        nursery.start_soon(serve_wires, [listener], meet, nursery, 0.1)
        client = await trio.open_tcp_stream(*address)
        own = client.socket.getsockname()
        await client.aclose()
        await trio.sleep_forever()
    assert (met[0].client, met[0].client_port) == own
    assert (met[0].server, met[0].server_port) == address
    assert met[0].door == f"127.0.0.1:{address[1]}"


async def test_port_that_is_taken_is_tried_for_a_moment_and_then_named(
    autojump_clock: MockClock,
) -> None:
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        name = taken.getsockname()
        with pytest.raises(ListenError, match=rf"{name[1]} failed \(Address") as failed:
            await listen(SocketAddress(AF_INET, name))
    assert not failed.value.denied
    assert PATIENCE < trio.current_time() < PATIENCE + 1


async def test_port_that_becomes_free_meanwhile_is_taken(
    autojump_clock: MockClock,
) -> None:
    taken = socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    async with trio.open_nursery() as nursery:

        async def leave() -> None:
            await trio.sleep(PATIENCE / 2)
            taken.close()

        nursery.start_soon(leave)
        (await listen(SocketAddress(AF_INET, taken.getsockname()))).close()
