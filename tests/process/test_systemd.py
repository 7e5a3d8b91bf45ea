"""Run as systemd runs it: told when it serves, and how it is, and that it lives."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomli_w
from attrs import define, field

from tests.interop.background import Background, background
from tests.interop.gateway import Doors, mail_table, serve_command
from tests.interop.machine import PATIENCE, free_port, listens, until
from tests.process.processes import reload, workers
from tests.process.standstill import stopped

pytestmark = pytest.mark.process

WATCHDOG = 3.0
"""Seconds; half of it is what a worker's loop may stand still."""


@define
class Systemd:
    """The end of a socket that hears how a service is."""

    listening: socket.socket
    told: list[dict[str, str]] = field(factory=list)

    def hear(self, seconds: float) -> bool:
        """Take one datagram more; False if none comes in time."""
        self.listening.settimeout(max(seconds, 0.001))
        try:
            lines = self.listening.recv(4096).decode().split("\n")
        except TimeoutError:
            return False
        self.told.append(dict(line.split("=", 1) for line in lines))
        return True

    def await_word(self, name: str, value: str = "1", *, after: int = 0) -> int:
        """Wait until something is told; return after how many datagrams."""
        deadline = time.monotonic() + PATIENCE
        number = after
        while True:
            while number < len(self.told):
                number += 1
                if value in self.told[number - 1].get(name, "no such word"):
                    return number
            assert self.hear(deadline - time.monotonic()), (name, value, self.told)

    def count(self, name: str, seconds: float) -> int:
        """Return how often something is told from now on, within a time."""
        self.listening.setblocking(False)
        before = len(self.told)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.hear(left)
        return sum(name in datagram for datagram in self.told[before:])


@contextmanager
def service(directory: Path, doors: Doors) -> Iterator[tuple[Background, Systemd]]:
    """Run a gateway with two workers that systemd would have started."""
    file = directory / "conf" / "mail.toml"
    file.parent.mkdir()
    table = mail_table(*doors.servers, proxy_pass="127.0.0.1:1")
    file.write_text(tomli_w.dumps({**table, "worker_processes": 2}))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(directory / "notify"))
        surroundings = {
            "NOTIFY_SOCKET": str(directory / "notify"),
            "WATCHDOG_USEC": str(int(WATCHDOG * 1e6)),
        }
        with background(
            "gateway", serve_command(file), directory, environment=surroundings
        ) as program:
            yield program, Systemd(listening)


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    everywhere = Doors.anywhere(tmp_path / "var/tls/ca.pem")
    return everywhere.only("imap", "tls")


def test_systemd_is_told_of_start_reloads_and_stop(
    tmp_path: Path, doors: Doors
) -> None:
    with service(tmp_path, doors) as (program, systemd):
        ready = systemd.await_word("READY")
        assert systemd.told[ready - 1]["MAINPID"] == str(program.process.pid)
        assert len(workers(program.process.pid)) == 2
        systemd.await_word("STATUS", "2 workers, 0 clients", after=ready)
        for pid in workers(program.process.pid):
            theirs = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"NOTIFY_SOCKET" not in theirs
            assert b"WATCHDOG" not in theirs
        program.signal(signal.SIGHUP)
        reloading = systemd.await_word("RELOADING", after=ready)
        assert systemd.told[reloading - 1]["MONOTONIC_USEC"].isdecimal()
        again = systemd.await_word("READY", after=reloading)
        (tmp_path / "conf" / "mail.toml").write_text("broken")
        program.signal(signal.SIGHUP)
        reloading = systemd.await_word("RELOADING", after=again)
        again = systemd.await_word("READY", after=reloading)
        systemd.await_word("STATUS", "not reconfigured", after=again)
        program.signal(signal.SIGTERM)
        stopping = systemd.await_word("STOPPING", after=again)
        extension = int(systemd.told[stopping - 1]["EXTEND_TIMEOUT_USEC"])
        assert 5_000_000 < extension < 60_000_000
        assert program.wait() == 0


def test_watchdog_is_fed_while_every_loop_turns_and_one_that_stands_is_replaced(
    tmp_path: Path, doors: Doors
) -> None:
    with service(tmp_path, doors) as (program, systemd):
        systemd.await_word("READY")
        assert systemd.count("WATCHDOG", WATCHDOG / 2) >= 1
        first, second = workers(program.process.pid)
        with stopped(first):
            silent = systemd.await_word(
                "STATUS", "1 worker does not answer", after=len(systemd.told)
            )
            until(
                lambda: "its loop has stood still for 2 s" in program.logged(),
                "a line about the one",
            )
        assert f"worker process {first} exited on signal 9" in program.logged()
        until(lambda: len(workers(program.process.pid)) == 2, "its successor")
        assert second in workers(program.process.pid)
        other = systemd.await_word("STATUS", "0 clients", after=silent)
        meanwhile = systemd.told[silent : other - 1]
        assert not any("WATCHDOG" in datagram for datagram in meanwhile)
        systemd.await_word("STATUS", "2 workers, 0 clients", after=silent)
        assert systemd.count("WATCHDOG", WATCHDOG / 2) >= 1
        os.kill(program.process.pid, signal.SIGTERM)
        assert program.wait() == 0


def test_socket_of_systemds_serves_before_a_reload_and_behind_it(
    tmp_path: Path, doors: Doors
) -> None:
    """Systemd's own tool holds it; its first client has the service started."""
    file = tmp_path / "conf" / "mail.toml"
    file.parent.mkdir()
    table = mail_table(
        {"listen": "systemd:imap", "protocol": "imap", "starttls": "only"},
        proxy_pass="127.0.0.1:1",
    )
    file.write_text(tomli_w.dumps(table))
    port, useless = doors.port("imap", "tls"), free_port()
    addresses = [f"--listen=127.0.0.1:{number}" for number in (port, useless)]
    starter = ["systemd-socket-activate", *addresses, "--fdname=imap:other"]
    command = [*starter, *serve_command(file)]
    with background("gateway", command, tmp_path) as program:
        until(lambda: listens(useless), "systemd's tool")
        assert greeting(port).startswith(b"* OK")
        closed = f"no `listen` has use for 127.0.0.1:{useless}"
        until(lambda: closed in program.logged(), "a line of what is closed")
        assert not listens(useless)
        reload(program)
        assert greeting(port).startswith(b"* OK")
        assert program.stop() == 0


def greeting(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        return client.recv(1000)
