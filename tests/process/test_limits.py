"""Limits that hold for all workers, and outlive them and their configuration."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from tests.interop.background import Background
from tests.interop.gateway import Table, mail_table, serving
from tests.interop.machine import PATIENCE, free_port, until
from tests.interop.people import ALICE, BOB
from tests.process.processes import await_workers, kill, reload, workers

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"

BARRED = b"-ERR [SYS/TEMP] too many failed logins, try again later\r\n"
SHUT_OUT = b"-ERR [SYS/TEMP] your address is banned for a time\r\n"


@pytest.fixture
def port() -> int:
    return free_port()


def settings(port: int, **limits: object) -> Table:
    server = {"listen": f"127.0.0.1:{port}", "protocol": "pop3"}
    table = mail_table(server, users=str(USERS), proxy_pass="embedded", **limits)
    return {**table, "worker_processes": 2, "worker_shutdown_timeout": "60s"}


@contextmanager
def client(port: int) -> Iterator["Client"]:
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as wire,
        wire.makefile("rb") as lines,
    ):
        yield Client(wire, lines)


class Client:
    """One that speaks POP3 in the clear."""

    def __init__(self, wire: socket.socket, lines: BinaryIO) -> None:
        self.wire, self.lines = wire, lines
        self.greeting = lines.readline()

    def logs_in(self, user: str, password: str) -> bytes:
        """Return the reply to the password."""
        self.wire.sendall(f"USER {user}\r\nPASS {password}\r\n".encode())
        self.lines.readline()
        return self.lines.readline()


def guess(port: int, user: str, password: str) -> bytes:
    """Return what becomes of one login, or why there is none."""
    with client(port) as it:
        return it.logs_in(user, password) if it.greeting[:3] == b"+OK" else it.greeting


def fill(port: int, clients: ExitStack, count: int) -> int:
    """Come so many times; return how often there was a greeting."""
    came = [clients.enter_context(client(port)) for _ in range(count)]
    return sum(each.greeting.startswith(b"+OK") for each in came)


def test_limit_conn_counts_in_all_workers_of_all_generations(
    tmp_path: Path, port: int
) -> None:
    table = settings(port, limit_conn=["address 12", "user 9"])
    with serving(tmp_path, table) as program, ExitStack() as clients:
        before = workers(program.process.pid)
        sessions = [clients.enter_context(client(port)) for _ in range(9)]
        alice = (ALICE.name, ALICE.password)
        replies = [each.logs_in(*alice) for each in sessions]
        assert all(reply.startswith(b"+OK") for reply in replies)
        reload(program)
        with client(port) as tenth:
            assert tenth.logs_in(*alice).startswith(b"-ERR [IN-USE] too many sessions")
            assert tenth.logs_in(BOB.name, BOB.password).startswith(b"+OK")
            assert fill(port, clients, 6) == 2
        for pid in before:
            kill(pid)
        lost = [each for each in sessions if each.lines.read(1) == b""]
        assert len(lost) == 9
        with ExitStack() as others:
            until(lambda: bool(fill(port, others, 1)), "what was counted is forgotten")
            assert guess(port, *alice).startswith(b"+OK")


def test_worker_that_is_killed_leaves_its_share_to_others(
    tmp_path: Path, port: int
) -> None:
    table = settings(port, limit_conn="address 10")
    with serving(tmp_path, table) as program, ExitStack() as clients:
        assert fill(port, clients, 20) == 10
        before = workers(program.process.pid)
        for pid in before:
            kill(pid)
        await_workers(program, before)
        assert fill(port, clients, 20) == 10


def test_banned_user_is_banned_in_all_workers_and_after_a_reload(
    tmp_path: Path, port: int
) -> None:
    table = settings(port, limit_login="user+address 3 delay=0")
    with serving(tmp_path, table) as program:
        for password in ("wrong-one", "wrong-two", "wrong-two", "wrong-three"):
            assert guess(port, ALICE.name, password).startswith(b"-ERR [AUTH]")
        alice = (ALICE.name, ALICE.password)
        until(lambda: guess(port, *alice) == BARRED, "the ban")
        assert [guess(port, *alice) for _ in range(10)] == [BARRED] * 10
        assert guess(port, BOB.name, BOB.password).startswith(b"+OK")
        reload(program)
        assert [guess(port, *alice) for _ in range(4)] == [BARRED] * 4
        said = f'limit_login: "{ALICE.name}" at 127.0.0.1/32 is banned for 1h: 3'
        assert said in program.logged()
        assert "wrong-" not in program.logged()


def test_banned_address_is_not_let_in_by_any_worker_however_new(
    tmp_path: Path, port: int
) -> None:
    with serving(tmp_path, settings(port, limit_login="address 3 ban=1m")) as program:
        for user in ("one", "two", "three"):
            guess(port, user, "123456")
        until(lambda: guess(port, "x", "y") == SHUT_OUT, "the ban")
        before = workers(program.process.pid)
        for pid in before:
            kill(pid)
        await_workers(program, before)
        assert [guess(port, "x", "y") for _ in range(6)] == [SHUT_OUT] * 6
        assert _bans(program) == ["127.0.0.1/32 is banned for 1m"]


def _bans(program: Background) -> list[str]:
    return re.findall(r"limit_login: (.* is banned for \S+):", program.logged())


def test_flood_that_says_nothing_keeps_nobody_out(tmp_path: Path, port: int) -> None:
    table = {**settings(port), "worker_login_connections": 20, "worker_processes": 1}
    with serving(tmp_path, table), ExitStack() as flood:
        came = [flood.enter_context(client(port)) for _ in range(60)]
        assert all(each.greeting.startswith(b"+OK") for each in came)
        busy = b"-ERR [SYS/TEMP] too many connections\r\n"
        assert came[0].lines.readline() == busy
        assert guess(port, ALICE.name, ALICE.password).startswith(b"+OK")


def test_worker_connections_are_said_once_not_to_be_enough(
    tmp_path: Path, port: int
) -> None:
    table = {**settings(port), "worker_connections": 10, "worker_processes": 1}
    with serving(tmp_path, table) as program, ExitStack() as clients:
        assert fill(port, clients, 15) == 10
        said = "[alert]"
        lines = [line for line in program.logged().splitlines() if said in line]
        assert len(lines) == 1
        assert lines[0].endswith("10 worker_connections are not enough")
