"""Sockets are opened once, share a port where they may, and outlive reloads."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from socket import (
    AF_UNIX,
    SO_RCVBUF,
    SOL_SOCKET,
    create_connection,
    fromfd,
    socket,
)

import pytest
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.building import StartError
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Listen, VirtualServer
from mailssl_trio.messages import Door
from mailssl_trio.supervision.sockets import Sockets
from mailssl_trio.transport.socket_options import SocketOptions

SHIPPED = Path(__file__).parents[2] / "conf" / "mail.toml"


def _servers(*listens: Listen) -> list[VirtualServer]:
    """A server for each address."""
    server = load(SHIPPED).servers[0]
    return [evolve(server, name="here", listens=(listen,)) for listen in listens]


def _free_port() -> int:
    with socket() as free:
        free.bind(("", 0))
        return int(free.getsockname()[1])


def _free_neighbours() -> int:
    """Return the first of two ports in a row that nobody has."""
    while True:
        port = _free_port()
        with socket() as second, suppress(OSError):
            second.bind(("", port + 1))
            return port


def _as_a_worker_has_it(door: Door) -> socket:
    inherited = fromfd(door.descriptor, AF_UNIX, 1)
    inherited.setblocking(False)
    return inherited


def _arrives(door: Door, knock: Callable[[], socket]) -> bool:
    """Whether who knocks comes by this door."""
    with _as_a_worker_has_it(door) as listening, knock():
        try:
            listening.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@pytest.mark.parametrize("order", [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])
async def test_client_comes_by_the_most_exact_address(order: tuple[str, str]) -> None:
    sockets, port = Sockets(), _free_port()
    doors = await sockets.open(_servers(*(Listen(host, port) for host in order)))
    by_host = dict(zip(order, doors, strict=True))
    exact, wildcard = by_host["127.0.0.1"], by_host["0.0.0.0"]
    assert _arrives(exact, lambda: create_connection(("127.0.0.1", port)))
    assert _arrives(wildcard, lambda: create_connection(("127.0.0.2", port)))
    assert not _arrives(wildcard, lambda: create_connection(("127.0.0.1", port)))
    sockets.keep(())


async def test_second_program_is_still_refused_the_port(
    autojump_clock: MockClock,
) -> None:
    first, second, port = Sockets(), Sockets(), _free_port()
    servers = _servers(Listen("0.0.0.0", port), Listen("127.0.0.1", port))
    await first.open(servers)
    with pytest.raises(StartError, match=rf"^here: bind\(\) to 0\.0\.0\.0:{port} fail"):
        await second.open(servers)
    first.keep(())


async def test_every_port_of_a_range_has_a_socket() -> None:
    sockets, port = Sockets(), _free_neighbours()
    listen = Listen("127.0.0.1", port, last_port=port + 1)
    doors = await sockets.open(_servers(listen))
    assert [_port(door) for door in doors] == [port, port + 1]
    sockets.keep(())


def _port(door: Door) -> int:
    with _as_a_worker_has_it(door) as listening:
        return int(listening.getsockname()[1])


async def test_name_whose_address_is_another_servers_is_refused() -> None:
    sockets, port = Sockets(), _free_port()
    servers = _servers(Listen("127.0.0.1", port), Listen("localhost", port))
    with pytest.raises(StartError) as refused:
        await sockets.open(servers)
    assert str(refused.value) == (
        f"here: 127.0.0.1:{port}, of localhost:{port}, has another `listen` already"
    )
    others = Sockets()
    await others.open(servers[:1])  # since nothing was left open
    others.keep(())


async def test_reload_keeps_a_socket_and_gives_it_its_new_parameters() -> None:
    sockets, port = Sockets(), _free_port()
    before = await sockets.open(_servers(Listen("127.0.0.1", port)))
    with create_connection(("127.0.0.1", port)) as waiting:
        options = SocketOptions(rcvbuf=40_000, backlog=3)
        listen = Listen("127.0.0.1", port, options=options)
        after = await sockets.open(_servers(listen))
        sockets.keep(after)
        assert after == before
        with _as_a_worker_has_it(after[0]) as listening:
            assert listening.getsockopt(SOL_SOCKET, SO_RCVBUF) == 2 * 40_000
            accepted, client = listening.accept()
            accepted.close()
            assert client == waiting.getsockname()
    sockets.keep(())


async def test_socket_that_cannot_change_is_replaced() -> None:
    sockets, port = Sockets(), _free_port()
    (before,) = await sockets.open(_servers(Listen("::", port)))
    both = Listen("::", port, options=SocketOptions(ipv6only=False))
    (after,) = await sockets.open(_servers(both))
    sockets.keep((after,))
    assert after != before
    assert _arrives(after, lambda: create_connection(("127.0.0.1", port)))
    assert _arrives(after, lambda: create_connection(("::1", port)))
    sockets.keep(())


def _knock_at(path: Path) -> socket:
    visitor = socket(AF_UNIX)
    visitor.connect(str(path))
    return visitor


async def test_path_goes_when_nobody_listens_any_more(tmp_path: Path) -> None:
    sockets, path = Sockets(), tmp_path / "imap"
    doors = await sockets.open(_servers(Listen(f"unix:{path}", 0)))
    assert _arrives(doors[0], lambda: _knock_at(path))
    assert await sockets.open(_servers(Listen(f"unix:{path}", 0))) == doors
    sockets.keep(())
    assert not path.exists()


async def test_path_that_somebody_has_removed_is_there_again_after_a_reload(
    tmp_path: Path,
) -> None:
    sockets, path = Sockets(), tmp_path / "imap"
    await sockets.open(_servers(Listen(f"unix:{path}", 0)))
    path.unlink()
    doors = await sockets.open(_servers(Listen(f"unix:{path}", 0)))
    sockets.keep(doors)
    assert _arrives(doors[0], lambda: _knock_at(path))
    sockets.keep(())
