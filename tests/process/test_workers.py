"""Worker processes: they share the clients, and one that dies is replaced."""

import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomli_w

from tests.interop.gateway import READY, Doors, mail_table, serve_command, serving
from tests.interop.machine import PATIENCE, listens, run, until
from tests.process.processes import await_workers, crowd, kill, lives, workers
from tests.process.test_stop import logged_in

pytestmark = pytest.mark.process

SHARED = {"ssl_session_cache": "shared:SSL:1m"}

USERS = Path(__file__).parents[2] / "conf" / "users.toml"


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path / "var/tls/ca.pem")


def settings(doors: Doors, **top: object) -> dict[str, object]:
    table = mail_table(*doors.servers, users=str(USERS), proxy_pass="embedded")
    return {**table, "worker_processes": 2, **top}


def test_there_are_as_many_workers_as_asked_for(tmp_path: Path, doors: Doors) -> None:
    with serving(tmp_path, settings(doors, worker_processes=3)) as program:
        assert len(workers(program.process.pid)) == 3


def test_command_line_and_environment_of_a_worker_hold_no_secret(
    tmp_path: Path, doors: Doors
) -> None:
    with serving(tmp_path, settings(doors)) as program:
        for pid in workers(program.process.pid):
            *_, command, option, end, last = (
                Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            )
            assert (command, option, last) == (b"worker", b"--channel", b"")
            assert end.isdigit()
            ours = dict(os.environ)
            theirs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
            added = {line for line in theirs if line} - {
                f"{name}={value}" for name, value in ours.items()
            }
            assert {line.partition("=")[0] for line in added} <= {"PYTHONPATH"}


def test_nobody_is_refused_while_workers_are_killed(
    tmp_path: Path, doors: Doors
) -> None:
    with (
        serving(tmp_path, settings(doors)) as program,
        crowd(doors.port("imap", "starttls")) as people,
    ):
        for _ in range(2):
            before = workers(program.process.pid)
            for pid in before:
                kill(pid)
            await_workers(program, before)
            greeted = people.greeted
            until(lambda had=greeted: people.greeted > had + 20, "more clients")  # type: ignore[misc]
        assert people.refused == 0
        assert people.cut <= 4  # who was with a worker when it was killed
        assert f"worker process {before[0]} exited on signal 9" in program.logged()
        with logged_in(doors) as session:
            assert session.noop()[0] == "OK"


def test_session_with_one_worker_survives_the_death_of_another(
    tmp_path: Path, doors: Doors
) -> None:
    with (
        serving(tmp_path, settings(doors)) as program,
        logged_in(doors) as session,
    ):
        until(lambda: "client logged in" in program.logged(), "a login")
        his = next(
            int(line.partition("] ")[2].partition("#")[0])
            for line in program.logged().splitlines()
            if "client logged in" in line
        )
        before = workers(program.process.pid)
        [other] = set(before) - {his}
        kill(other)
        until(lambda: len(workers(program.process.pid)) == 2, "another worker")
        assert session.noop()[0] == "OK"


def test_worker_that_is_told_to_stop_has_a_successor_before_it_ends(
    tmp_path: Path, doors: Doors
) -> None:
    table = settings(doors, worker_processes=1, worker_shutdown_timeout="60s")
    with serving(tmp_path, table) as program, logged_in(doors) as session:
        [first] = workers(program.process.pid)
        os.kill(first, signal.SIGTERM)
        until(lambda: "was told to stop" in program.logged(), "its leaving")
        with logged_in(doors) as another:
            assert another.noop()[0] == "OK"
        assert lives(first)
        assert session.noop()[0] == "OK"
        session.logout()
        until(lambda: not lives(first), "its end")
        until(lambda: len(workers(program.process.pid)) == 1, "its successor alone")


def test_fault_of_a_worker_throws_shared_sessions_away(
    tmp_path: Path, doors: Doors
) -> None:
    """What it has died of may be in their memory, and be the death of the next."""
    table = mail_table(
        *doors.servers, proxy_pass="embedded", users=str(USERS), **SHARED
    )
    with serving(tmp_path, {**table, "worker_processes": 2}) as program:
        before = workers(program.process.pid)
        parts = _parts(before[0])
        assert len(parts) == 2
        os.kill(before[0], signal.SIGSEGV)
        until(lambda: not any(part.exists() for part in parts), "an end to the zone")
        until(lambda: len(workers(program.process.pid)) == 2, "another worker")
        with logged_in(doors) as session:
            assert session.noop()[0] == "OK"


def _parts(worker: int) -> list[Path]:
    """Return the files of the zone's parts."""
    for descriptor in Path(f"/proc/{worker}/fd").iterdir():
        if "mailssl-trio-" in (file := os.readlink(descriptor)):
            directory = Path(file)
            directory = directory if directory.is_dir() else directory.parent
            return list(directory.glob("*.mdb"))
    raise AssertionError("no zone")


def test_workers_that_cannot_start_are_tried_ever_more_rarely_and_serve_in_the_end(
    tmp_path: Path, doors: Doors
) -> None:
    """Their log has no directory any more; the supervisor's is open still."""
    logs, kept = tmp_path / "logs", tmp_path / "kept.log"
    logs.mkdir()
    table = settings(doors, error_log=f"{logs}/error.log info", worker_processes=1)
    with serving(tmp_path, table) as program:
        kept.hardlink_to(logs / "error.log")
        shutil.rmtree(logs)
        kill(*workers(program.process.pid))
        until(lambda: "starts in 0.4 s" in kept.read_text(), "ever longer pauses")
        assert program.process.poll() is None
        assert listens(doors.port("imap", "tls"))
        lines = [
            line for line in kept.read_text().splitlines() if " starts in " in line
        ]
        pauses = [line.rpartition(" starts in ")[2] for line in lines]
        assert pauses[:3] == ["0.1 s", "0.2 s", "0.4 s"]
        assert all("exited with code 1 (log: " in line for line in lines)
        assert "exited on signal 9; another starts at once" in kept.read_text()
        logs.mkdir()
        with logged_in(doors) as session:
            assert session.noop()[0] == "OK"


def test_killed_supervisor_leaves_no_orphan_and_no_port_and_cuts_no_session(
    tmp_path: Path, doors: Doors
) -> None:
    table = settings(doors, worker_shutdown_timeout="5s")
    file = _written(tmp_path, table)
    program = _started(file, tmp_path)
    orphans = workers(program.pid)
    assert len(orphans) == 2
    with logged_in(doors) as session:
        program.kill()
        program.wait()
        successor = _started(file, tmp_path)
        try:
            assert session.noop()[0] == "OK"
            until(lambda: not any(map(lives, orphans)), "the end of the orphans")
            with logged_in(doors) as another:
                assert another.noop()[0] == "OK"
        finally:
            successor.terminate()
            assert successor.wait(PATIENCE) == 0


def _written(directory: Path, table: Mapping[str, object]) -> Path:
    file = directory / "conf" / "mail.toml"
    file.parent.mkdir()
    file.write_text(tomli_w.dumps(table))
    return file


def _started(file: Path, directory: Path) -> subprocess.Popen[bytes]:
    """Start serving and wait until it does; stderr is where it may well be read."""
    with (directory / "stderr").open("ab") as log:
        program = subprocess.Popen(
            serve_command(file), cwd=directory, stdout=subprocess.PIPE, stderr=log
        )
    assert program.stdout is not None
    with program.stdout as said:
        assert any(line.strip() == READY.encode() for line in said)
    return program


def test_drain_may_take_longer_than_five_seconds(tmp_path: Path, doors: Doors) -> None:
    table = settings(doors, worker_shutdown_timeout="60s")
    with serving(tmp_path, table) as program, logged_in(doors) as session:
        program.signal(signal.SIGTERM)
        time.sleep(6.5)
        assert session.noop()[0] == "OK"
        session.logout()
        assert program.wait() == 0


def test_signal_to_all_processes_is_one_signal(tmp_path: Path, doors: Doors) -> None:
    """systemd stops a service so: the supervisor's words must not count as another."""
    table = settings(doors, worker_shutdown_timeout="60s")
    with serving(tmp_path, table) as program, logged_in(doors) as session:
        for pid in (program.process.pid, *workers(program.process.pid)):
            os.kill(pid, signal.SIGTERM)
        until(lambda: not listens(doors.port("imap", "tls")), "closed doors")
        time.sleep(0.5)
        assert session.noop()[0] == "OK"
        session.logout()
        assert program.wait() == 0


def test_worker_that_does_not_end_in_its_time_is_killed(
    tmp_path: Path, doors: Doors
) -> None:
    table = settings(doors, worker_shutdown_timeout="500ms")
    with serving(tmp_path, table) as program:
        stopped = workers(program.process.pid)[0]
        os.kill(stopped, signal.SIGSTOP)
        program.signal(signal.SIGTERM)
        assert program.wait() == 0
        assert not lives(stopped)


def test_ctrl_c_in_a_terminal_drains(tmp_path: Path, doors: Doors) -> None:
    """The terminal sends SIGINT to all in the foreground: that must not be workers."""
    file = _written(tmp_path, settings(doors, worker_shutdown_timeout="60s"))
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execv(sys.executable, list(map(str, serve_command(file))))
    with os.fdopen(terminal, "rb+", buffering=0) as screen, _ended(pid):
        said = b""
        while READY.encode() not in said:
            said += screen.read(4096)
        foreground = os.getpgid(pid)
        assert all(os.getpgid(worker) != foreground for worker in workers(pid))
        with logged_in(doors) as session:
            screen.write(b"\x03")
            until(lambda: not listens(doors.port("imap", "tls")), "closed doors")
            assert session.noop()[0] == "OK"
            assert len(workers(pid)) >= 1
            screen.write(b"\x03")
            _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@contextmanager
def _ended(pid: int) -> Iterator[None]:
    """Leave no process behind where a test fails."""
    try:
        yield
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise


def test_worker_is_not_for_people(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "mailssl_trio", "worker")
    for arguments in ((), ("--channel", "0"), ("--channel", "999999")):
        said = run(*command, *arguments, cwd=tmp_path, expect=2)
        assert "a worker process of `serve`" in said
    assert "\n  worker" not in run(sys.executable, "-m", "mailssl_trio", "--help")
