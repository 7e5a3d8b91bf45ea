"""SIGHUP: another configuration, and nobody who is refused, cut or forgotten."""

import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import tomli_w

from tests.interop.clients import imap, pop3
from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.machine import PATIENCE, free_port, listens, until
from tests.interop.people import ALICE
from tests.process.processes import crowd, lives, reload, workers
from tests.process.test_stop import closing, connected, logged_in

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"

Settings = dict[str, object]


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path / "var/tls/ca.pem")


def settings(doors: Doors, **top: object) -> Settings:
    table = mail_table(*doors.servers, users=str(USERS), proxy_pass="embedded")
    return {**table, "worker_processes": 2, "worker_shutdown_timeout": "60s", **top}


def write(directory: Path, table: Settings | str) -> None:
    text = table if isinstance(table, str) else tomli_w.dumps(table)
    (directory / "conf" / "mail.toml").write_text(text)


@contextmanager
def wire(port: int) -> Iterator[tuple[socket.socket, "socket.SocketIO"]]:
    """Connect, without TLS or a word."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as it:
        yield it, it.makefile("rb", buffering=0)


def test_ten_reloads_lose_no_session_and_refuse_nobody(
    tmp_path: Path, doors: Doors
) -> None:
    table = settings(doors)
    del table["worker_shutdown_timeout"]
    with serving(tmp_path, table) as program, ExitStack() as clients:
        people = clients.enter_context(crowd(doors.port("pop3", "starttls")))
        sessions = [clients.enter_context(logged_in(doors))]
        for _ in range(10):
            reload(program)
            sessions.append(clients.enter_context(logged_in(doors)))
        for session in sessions:
            assert session.noop()[0] == "OK"
        assert len(workers(program.process.pid)) > 2
        for session in sessions:
            session.logout()
        until(lambda: len(workers(program.process.pid)) == 2, "the end of old workers")
        until(lambda: people.greeted > 100, "many clients")
        assert people.refused == 0
        assert people.cut == 0


def test_who_is_silent_is_told_and_who_has_begun_may_finish(
    tmp_path: Path, doors: Doors
) -> None:
    with (
        serving(tmp_path, settings(doors)) as program,
        wire(doors.port("imap", "starttls")) as (_, silent),
        wire(doors.port("pop3", "tls")) as (_, before_tls),
        connected(doors) as told,
        closing(imap(doors, "tls")) as midway,
        logged_in(doors) as session,
    ):
        silent.readline()
        user = pop3(doors, "tls")
        user.user(ALICE.name)
        midway.send(b"a AUTHENTICATE PLAIN\r\n")
        assert midway.readline() == b"+ \r\n"
        time.sleep(1.2)
        reload(program)
        began = time.monotonic()
        assert silent.readline() == b"* BYE server is shutting down\r\n"
        assert told.readline() == b"* BYE server is shutting down\r\n"
        assert before_tls.readline() == b""
        assert time.monotonic() - began < 4
        user.pass_(ALICE.password)
        midway.send(ALICE.sasl_plain.encode() + b"\r\n")
        said = midway.readline()
        assert said.startswith((b"a OK", b"* CAPABILITY")), said
        assert user.noop().startswith(b"+OK")
        user.quit()
        assert session.noop()[0] == "OK"


def test_who_has_begun_and_does_not_finish_is_told_after_five_seconds(
    tmp_path: Path, doors: Doors
) -> None:
    with (
        serving(tmp_path, settings(doors, worker_processes=1)) as program,
        closing(imap(doors, "tls")) as midway,
    ):
        midway.send(b"a AUTHENTICATE PLAIN\r\n")
        assert midway.readline() == b"+ \r\n"
        program.signal(signal.SIGHUP)
        until(lambda: "gracefully shutting down" in program.logged(), "a reload")
        began = time.monotonic()
        assert midway.readline() == b"* BYE server is shutting down\r\n"
        assert 4 < time.monotonic() - began < 7


def test_wrong_configuration_is_told_whole_and_changes_nothing(
    tmp_path: Path, doors: Doors
) -> None:
    with serving(tmp_path, settings(doors)) as program, logged_in(doors) as session:
        before = workers(program.process.pid)
        write(tmp_path, "worker_processes = 0\n[mail]\nstartls = 1\n")
        reload(program)
        said = program.logged()
        assert "[error]" in said
        assert "mail.toml:1: worker_processes" in said
        assert "did you mean `starttls`?" in said
        assert "not reconfigured: what was served goes on" in said
        assert workers(program.process.pid) == before
        assert session.noop()[0] == "OK"
        write(tmp_path, settings(doors))
        reload(program)
        assert session.noop()[0] == "OK"
        session.logout()


def test_addresses_are_added_and_dropped(tmp_path: Path, doors: Doors) -> None:
    ours = doors.only("imap", "tls")
    new = Doors({("imap", "tls"): free_port()}, doors.ca)
    with serving(tmp_path, settings(ours)) as program:
        table = settings(
            Doors({**doors.only("pop3", "tls").ports, **new.ports}, doors.ca)
        )
        with logged_in(ours) as session:
            write(tmp_path, table)
            reload(program)
            until(lambda: not listens(ours.port("imap", "tls")), "a dropped address")
            assert session.noop()[0] == "OK"
        with logged_in(new) as session:
            assert session.noop()[0] == "OK"
        assert listens(doors.port("pop3", "tls"))


def test_address_that_cannot_be_added_leaves_all_as_it_was(
    tmp_path: Path, doors: Doors
) -> None:
    ours = doors.only("imap", "tls")
    with (
        serving(tmp_path, settings(ours)) as program,
        socket.create_server(("127.0.0.1", doors.port("smtp", "tls"))),
    ):
        before = workers(program.process.pid)
        write(tmp_path, settings(doors))
        reload(program)
        taken = f"127.0.0.1:{doors.port('smtp', 'tls')} failed (Address already in use)"
        assert taken in program.logged()
        assert not listens(doors.port("pop3", "tls"))
        assert workers(program.process.pid) == before
        with logged_in(ours) as session:
            assert session.noop()[0] == "OK"


def test_generation_that_does_not_start_leaves_the_old_one_serving(
    tmp_path: Path, doors: Doors
) -> None:
    """The supervisor may open no more files: there is no channel to a new worker."""
    with serving(tmp_path, settings(doors)) as program, logged_in(doors) as session:
        pid = program.process.pid
        before = workers(pid)
        highest = max(int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir())
        few = highest + 3, highest + 3  # the soft one alone would be raised again
        resource.prlimit(pid, resource.RLIMIT_NOFILE, few)
        reload(program)
        assert "Too many open files" in program.logged()
        assert workers(pid) == before
        assert session.noop()[0] == "OK"
        session.logout()


def test_log_and_number_of_workers_are_exchanged(tmp_path: Path, doors: Doors) -> None:
    log = tmp_path / "other.log"
    with serving(tmp_path, settings(doors, worker_processes=3)) as program:
        write(tmp_path, settings(doors, worker_processes=1, error_log=f"{log} info"))
        reload(program)
        until(lambda: len(workers(program.process.pid)) == 1, "one worker")
        before = program.logged()
        with logged_in(doors) as session:
            session.logout()
        until(lambda: "client logged in" in log.read_text(), "a line in the new log")
        assert program.logged() == before


def test_certificate_that_is_renewed_by_reload_is_served(
    tmp_path: Path, doors: Doors
) -> None:
    with serving(tmp_path, settings(doors)) as program, logged_in(doors) as session:
        first = doors.ca.read_bytes()
        for name in ("ca.pem", "ca-key.pem", "cert.pem", "key.pem"):
            (doors.ca.parent / name).unlink()
        reload(program)
        assert doors.ca.read_bytes() != first
        with logged_in(doors) as another:  # who believes the new CA
            assert another.noop()[0] == "OK"
        assert session.noop()[0] == "OK"


def test_stop_in_the_middle_of_a_reload_ends_both_generations(
    tmp_path: Path, doors: Doors
) -> None:
    with serving(tmp_path, settings(doors)) as program:
        pid = program.process.pid
        program.signal(signal.SIGHUP)
        until(lambda: len(workers(pid)) > 2, "a second generation")
        both = workers(pid)
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert not any(map(lives, both))
        assert not any(map(listens, doors.ports.values()))


def test_many_signals_are_a_few_reloads(tmp_path: Path, doors: Doors) -> None:
    with serving(tmp_path, settings(doors)) as program, logged_in(doors) as session:
        for _ in range(20):
            program.signal(signal.SIGHUP)
            time.sleep(0.01)
        reload(program)
        assert 2 <= program.logged().count("reconfiguring") <= 8
        until(lambda: len(workers(program.process.pid)) <= 4, "two generations at most")
        assert session.noop()[0] == "OK"
        session.logout()
        until(lambda: len(workers(program.process.pid)) == 2, "one generation")
