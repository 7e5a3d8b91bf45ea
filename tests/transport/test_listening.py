"""Listening: addresses of a name, one that is taken, and who comes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from socket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    IPPROTO_MPTCP,
    IPPROTO_TCP,
    SO_KEEPALIVE,
    SO_PROTOCOL,
    SO_RCVBUF,
    SO_SNDBUF,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    create_connection,
    socket,
)

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.transport.listening import (
    DEFAULTS,
    PATIENCE,
    ListenError,
    Newcomer,
    SocketAddress,
    listen,
    resolve,
    serve_wires,
)
from mailssl_trio.transport.socket_options import (
    OWN_KEEPALIVE,
    Keepalive,
    SocketOptions,
    has_multipath,
)

ANYWHERE = SocketAddress(AF_INET, ("127.0.0.1", 0))


async def test_name_is_resolved_to_each_of_its_addresses_once() -> None:
    addresses = await resolve("localhost", 143)
    assert SocketAddress(AF_INET, ("127.0.0.1", 143)) in addresses
    assert len(addresses) == len(set(addresses))


async def test_name_that_nobody_has_is_named() -> None:
    with pytest.raises(ListenError, match=r"to nowhere\.invalid:143 failed") as failed:
        await resolve("nowhere.invalid", 143)
    assert not failed.value.denied


async def test_newcomer_is_known_by_both_addresses() -> None:
    listening = await listen(ANYWHERE)
    address = listening.getsockname()
    met: list[Newcomer] = []
    async with trio.open_nursery() as nursery:

        async def meet(newcomer: Newcomer) -> None:
            met.append(newcomer)
            await newcomer.wire.aclose()
            nursery.cancel_scope.cancel()

        nursery.start_soon(serve_wires, listening, meet, nursery, 0.1)
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


@asynccontextmanager
async def _visitor(
    address: SocketAddress, options: SocketOptions = DEFAULTS
) -> AsyncIterator[Newcomer]:
    """Have a client come to an address, and stay until the end."""
    met, is_here = [], trio.Event()

    async def meet(newcomer: Newcomer) -> None:
        met.append(newcomer)
        is_here.set()
        await trio.sleep_forever()

    listening = await listen(address, options)
    name = listening.getsockname()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve_wires, listening, meet, nursery, 0.1)
        with socket(address.family) as client:
            client.connect(name)
            await is_here.wait()
            yield met[0]
            met[0].wire.close()
        nursery.cancel_scope.cancel()


async def test_options_of_a_socket_are_handed_down_to_its_clients() -> None:
    options = SocketOptions(
        rcvbuf=40_000, sndbuf=50_000, keepalive=Keepalive(idle=7, interval=3)
    )
    async with _visitor(ANYWHERE, options) as newcomer:
        stream = newcomer.wire.socket
        assert stream.getsockopt(SOL_SOCKET, SO_RCVBUF) == 2 * 40_000  # socket(7)
        assert stream.getsockopt(SOL_SOCKET, SO_SNDBUF) == 2 * 50_000
        assert stream.getsockopt(SOL_SOCKET, SO_KEEPALIVE)
        assert stream.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE) == 7
        assert stream.getsockopt(IPPROTO_TCP, TCP_KEEPINTVL) == 3
        assert stream.getsockopt(IPPROTO_TCP, TCP_KEEPCNT) == _systems_probes()


def _systems_probes() -> int:
    with socket() as fresh:
        return fresh.getsockopt(IPPROTO_TCP, TCP_KEEPCNT)


@pytest.mark.parametrize(
    ("keepalive", "idle"), [(OWN_KEEPALIVE, 120), (Keepalive(is_on=False), None)]
)
async def test_silent_clients_are_probed_unless_nobody_wants_it(
    keepalive: Keepalive, idle: int | None
) -> None:
    async with _visitor(ANYWHERE, SocketOptions(keepalive=keepalive)) as newcomer:
        stream = newcomer.wire.socket
        assert bool(stream.getsockopt(SOL_SOCKET, SO_KEEPALIVE)) is (idle is not None)
        if idle is not None:
            assert stream.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE) == idle


async def test_socket_of_both_families_takes_clients_of_ipv4() -> None:
    address = SocketAddress(AF_INET6, ("::", 0))
    with await listen(address, SocketOptions(ipv6only=False)) as both:
        create_connection(("127.0.0.1", both.getsockname()[1])).close()
    with await listen(address) as only, pytest.raises(ConnectionRefusedError):
        create_connection(("127.0.0.1", only.getsockname()[1]))


@pytest.mark.skipif(not has_multipath(), reason="the system has no Multipath TCP")
async def test_multipath_socket_takes_clients_with_and_without_it() -> None:
    options = SocketOptions(multipath=True)
    with await listen(ANYWHERE, options) as listening:
        assert listening.getsockopt(SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP
        with socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP) as able:
            able.connect(listening.getsockname())
    async with _visitor(ANYWHERE, options) as newcomer:
        assert newcomer.client == "127.0.0.1"


async def test_client_of_a_path_has_no_address(tmp_path: Path) -> None:
    path = tmp_path / "imap"
    (address,) = await resolve(f"unix:{path}", 0)
    assert str(address) == f"unix:{path}"
    async with _visitor(address) as newcomer:
        assert (newcomer.client, newcomer.client_port) == ("unix:", 0)
        assert newcomer.door == f"unix:{path}"
    assert path.stat().st_mode & 0o777 == 0o666


async def test_path_that_nobody_listens_at_any_more_is_taken(tmp_path: Path) -> None:
    address = SocketAddress(AF_UNIX, (str(tmp_path / "imap"),))
    (await listen(address)).close()
    with await listen(address) as listening, socket(AF_UNIX) as client:
        client.connect(listening.getsockname())


async def test_path_that_somebody_listens_at_is_left_to_them(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    address = SocketAddress(AF_UNIX, (str(tmp_path / "imap"),))
    with await listen(address), pytest.raises(ListenError, match=r"imap failed \(Addr"):
        await listen(address)


async def test_file_that_is_no_socket_is_left_alone(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "imap"
    path.write_text("letters")
    with pytest.raises(ListenError):
        await listen(SocketAddress(AF_UNIX, (str(path),)))
    assert path.read_text() == "letters"


async def test_path_whose_directory_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "imap"
    with pytest.raises(ListenError, match=f"bind\\(\\) to unix:{path} failed"):
        await listen(SocketAddress(AF_UNIX, (str(path),)))
