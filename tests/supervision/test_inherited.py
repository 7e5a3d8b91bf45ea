"""Sockets of systemd's are used, by their address or name, and are never ours."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import evolve

from mailssl_trio.building import StartError
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Listen, VirtualServer
from mailssl_trio.supervision.inherited import Inheritance, Inherited
from mailssl_trio.supervision.sockets import Sockets
from mailssl_trio.transport.listening import SocketAddress
from mailssl_trio.transport.socket_options import SocketOptions

SUCCESSOR = """
import os, sys
for number, descriptor in enumerate(sys.argv[1:]):
    os.dup2(int(descriptor), 20 + number)
for number in range(3):
    os.dup2(20 + number, 3 + number)
os.closerange(6, 100)
os.environ["LISTEN_PID"] = str(os.getpid())

from mailssl_trio.supervision.inherited import Inheritance
taken = Inheritance.of()
print([(str(one.address), one.name) for one in taken.sockets])
print(*taken.useless, sep="\\n")
print([os.get_inheritable(one.socket.fileno()) for one in taken.sockets])
print([os.path.exists(f"/proc/self/fd/{number}") for number in (3, 4, 5)])
"""
"""A process whose descriptors from 3 on are what systemd would hand down."""

SHIPPED = Path(__file__).parents[2] / "conf" / "mail.toml"


def servers(*listens: Listen) -> list[VirtualServer]:
    server = load(SHIPPED).servers[0]
    return [evolve(server, name="here", listens=(listen,)) for listen in listens]


def listening(
    where: tuple[str, int] | str = ("127.0.0.1", 0), name: str = "imaps"
) -> Inherited:
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
    ours = socket.socket(family)
    ours.bind(where)
    ours.listen()
    there = ours.getsockname()
    address = there if isinstance(there, tuple) else (there,)
    return Inherited(SocketAddress(family, address), name, ours)


def listen_at(one: Inherited) -> Listen:
    host, port = one.address.name
    return Listen(str(host), int(port))


async def test_socket_of_an_address_takes_the_place_of_one_of_ours() -> None:
    one = listening()
    sockets = Sockets(Inheritance([one]))
    (door,) = await sockets.open(servers(listen_at(one)))
    assert door.descriptor == one.socket.fileno()
    assert list(sockets.useless()) == []
    one.socket.close()


async def test_socket_is_found_by_the_name_that_its_unit_gives_it() -> None:
    first, second, other = listening(), listening(), listening(name="pop3s")
    sockets = Sockets(Inheritance([first, second, other]))
    doors = await sockets.open(servers(Listen("systemd:imaps", 0, ssl=True)))
    assert {door.descriptor for door in doors} == {
        first.socket.fileno(),
        second.socket.fileno(),
    }
    with pytest.raises(StartError, match="no socket named smtp, but imaps, pop3s"):
        await sockets.open(servers(Listen("systemd:smtp", 0)))
    for one in (first, second, other):
        one.socket.close()


async def test_socket_is_open_for_systemd_whatever_we_do(tmp_path: Path) -> None:
    """Also its file: the next start finds whoever has come meanwhile."""
    one = listening(str(tmp_path / "imap"))
    sockets = Sockets(Inheritance([one]))
    listen = Listen(f"unix:{tmp_path}/imap", 0)
    for _ in range(2):  # the second is a reload that has it again
        (door,) = await sockets.open(servers(listen))
        assert door.descriptor == one.socket.fileno()
        sockets.keep(())
        assert one.socket.fileno() >= 0
        assert (tmp_path / "imap").exists()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(tmp_path / "imap"))
    one.socket.close()


async def test_socket_that_nobody_listens_at_is_closed_with_a_line() -> None:
    one, odd = listening(), listening(name="odd")
    sockets = Sockets(Inheritance([one, odd], ["descriptor 5 is nothing"]))
    await sockets.open(servers(listen_at(one)))
    assert list(sockets.useless()) == [
        "descriptor 5 is nothing",
        f"no `listen` has use for {odd.address}, named odd by systemd: it is closed",
    ]
    assert odd.socket.fileno() < 0
    assert one.socket.fileno() >= 0
    one.socket.close()


async def test_backlog_is_the_socket_units_unless_it_is_said(tmp_path: Path) -> None:
    one = listening()
    sockets = Sockets(Inheritance([one]))
    said = evolve(listen_at(one), options=SocketOptions(backlog=7))
    for listen, backlog in ((listen_at(one), 128), (said, 7), (listen_at(one), 7)):
        await sockets.open(servers(listen))
        assert _backlog(one.socket) == min(backlog, 128)
    one.socket.close()


def _backlog(listening: socket.socket) -> int:
    """Return what tcp_info(7) says of a socket that listens: ``tcpi_sacked``."""
    info = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int.from_bytes(info[28:32], "little")


def test_what_is_meant_for_another_process_is_not_taken() -> None:
    meant = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid() + 1)}
    assert Inheritance.of(meant).sockets == []
    assert Inheritance.of({}).sockets == []


def test_descriptors_are_taken_with_their_names_and_others_are_closed(
    tmp_path: Path,
) -> None:
    ours = socket.socket()
    ours.bind(("127.0.0.1", 0))
    ours.listen()
    with (
        ours,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        (tmp_path / "file").open("w") as file,
    ):
        handed = [str(one.fileno()) for one in (ours, datagrams, file)]
        done = subprocess.run(
            [sys.executable, "-c", SUCCESSOR, *handed],
            pass_fds=[int(number) for number in handed],
            env={**os.environ, "LISTEN_FDS": "3", "LISTEN_FDNAMES": "imaps:odd:file"},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        port = ours.getsockname()[1]
    assert done.stdout.splitlines() == [
        f"[('127.0.0.1:{port}', 'imaps')]",
        "descriptor 4, named odd by systemd, is closed: it is no socket that listens"
        " for connections",
        "descriptor 5, named file by systemd, is closed: Socket operation on"
        " non-socket",
        "[False]",
        "[True, False, False]",
    ]
