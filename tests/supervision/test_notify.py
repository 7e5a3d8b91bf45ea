"""What systemd hears: sd_notify(3), by a real socket."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.supervision.command import environment
from mailssl_trio.supervision.notify import Notifier, now, watchdog_seconds

OUR_PID = str(os.getpid())


@pytest.fixture(params=["a path", "a name without one"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """Where systemd listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        name = tmp_path / "notify" if request.param == "a path" else token_hex()
        listening.bind(str(name) if isinstance(name, Path) else f"\0{name}")
        listening.settimeout(5)
        yield listening


def name_of(listening: socket.socket) -> str:
    name = listening.getsockname()
    return name if isinstance(name, str) else "@" + name[1:].decode()


async def test_each_is_a_datagram_and_they_come_in_order(
    systemd: socket.socket,
) -> None:
    notifier = Notifier.of({"NOTIFY_SOCKET": name_of(systemd)})
    assert notifier is not None
    notifier.tell("RELOADING=1", now())
    notifier.tell("READY=1", "STATUS=serves")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(notifier.run)
        first = await trio.to_thread.run_sync(systemd.recv, 1000)
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", first)
        second = await trio.to_thread.run_sync(systemd.recv, 1000)
        assert second == b"READY=1\nSTATUS=serves"
        nursery.cancel_scope.cancel()
    assert notifier.failure == ""


async def test_socket_that_is_gone_harms_nobody(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "gone"))
    notifier.tell("READY=1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(notifier.run)
        await trio.testing.wait_all_tasks_blocked(0.1)
        nursery.cancel_scope.cancel()
    assert notifier.failure == "No such file or directory"


async def test_who_does_not_read_is_not_waited_for(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        notifier = Notifier(str(tmp_path / "deaf"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(notifier.run)
            for _ in range(2000):
                notifier.tell("WATCHDOG=1")
                await trio.sleep(0.001)
            await trio.sleep(10)
            assert notifier.failure == "it does not read"
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": OUR_PID}, 30),
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({}, None),
    ],
)
def test_signs_of_life_are_expected_of_us_or_of_nobody(
    told: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_seconds(told) == seconds


def test_nobody_else_is_told_where_nobody_listens() -> None:
    assert Notifier.of({}) is None
    assert Notifier.of({"NOTIFY_SOCKET": ""}) is None


def test_workers_do_not_know_where_systemd_listens() -> None:
    ours = {
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": OUR_PID,
        "LISTEN_FDS": "1",
        "LISTEN_PID": OUR_PID,
        "LISTEN_FDNAMES": "imaps",
    }
    theirs = environment({**ours, "CREDENTIALS_DIRECTORY": "/run/credentials/x"})
    assert theirs.keys() & ours.keys() == set()
    assert theirs["CREDENTIALS_DIRECTORY"] == "/run/credentials/x"
