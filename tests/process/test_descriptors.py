"""Descriptors run out: nobody who is here notices, and nothing spins meanwhile."""

import os
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.machine import PATIENCE, until
from tests.process.processes import workers
from tests.process.test_stop import logged_in

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"
LIMIT = 256
CROWD = 1000

WATCHED = 2.0
"""Seconds in which a worker without descriptors is looked at."""

MOST_BUSY = 0.2
"""Of a processor, meanwhile."""

RELIEF = 1.0
"""Seconds after which somebody who waits is let in when others have gone."""


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path / "var/tls/ca.pem")


@contextmanager
def crowd(port: int, size: int) -> Iterator[list[socket.socket]]:
    """Have clients come who say nothing; most of them wait in the kernel."""
    with ExitStack() as leaving:
        clients: list[socket.socket] = []
        for _ in range(size):
            client = leaving.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            clients.append(client)
        yield clients


def seconds_of_work(pid: int) -> float:
    """Return the processor's time that a process has had: proc(5), utime and stime."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def greeted(clients: list[socket.socket], seconds: float = 0) -> list[socket.socket]:
    """Return those who have heard something, as soon as somebody has."""
    waiting = select.poll()
    for client in clients:
        waiting.register(client, select.POLLIN)
    heard = {descriptor for descriptor, _ in waiting.poll(seconds * 1000)}
    return [client for client in clients if client.fileno() in heard]


def test_accepting_pauses_and_goes_on_by_itself(tmp_path: Path, doors: Doors) -> None:
    table = mail_table(*doors.servers, users=str(USERS), proxy_pass="embedded")
    port = doors.port("imap", "starttls")
    with (
        serving(tmp_path, {**table, "worker_rlimit_nofile": LIMIT}) as program,
        logged_in(doors) as session,
    ):
        (worker,) = workers(program.process.pid)
        with crowd(port, CROWD) as clients:
            until(lambda: "accepting pauses" in program.logged(), "a pause")
            before, began = seconds_of_work(worker), time.monotonic()
            while time.monotonic() < began + WATCHED:
                assert session.noop()[0] == "OK"
                time.sleep(0.1)
            share = (seconds_of_work(worker) - before) / (time.monotonic() - began)
            served = greeted(clients)
            assert LIMIT / 2 < len(served) < LIMIT
            others = [client for client in clients if client not in served]
            for client in served:
                client.close()
            left = time.monotonic()
            assert greeted(others, PATIENCE)
            relief = time.monotonic() - left
        assert program.logged().count("accepting pauses") == 1
    print(f"busy {share:.0%}, relieved after {relief:.2f} s")
    assert share < MOST_BUSY
    assert relief < RELIEF
