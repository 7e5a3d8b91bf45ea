"""The control socket of a program that runs, by the commands for it."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import chdir
from imaplib import IMAP4
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import tomli_w
from click.testing import CliRunner

from mailssl_trio.cli import main
from tests.interop.background import background
from tests.interop.gateway import READY, Doors, mail_table, serve_command, serving
from tests.interop.machine import until
from tests.interop.people import ALICE
from tests.process.processes import await_workers, kill, workers
from tests.process.test_stop import connected, logged_in

pytestmark = pytest.mark.process

USERS = Path(__file__).parents[2] / "conf" / "users.toml"


@pytest.fixture
def directory() -> Iterator[Path]:
    """Not pytest's own: its name may be too long for a socket."""
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def doors(directory: Path) -> Doors:
    every = Doors.anywhere(directory / "var/tls/ca.pem")
    return every.only("imap", "tls")


def settings(doors: Doors, **top: object) -> dict[str, object]:
    table = mail_table(*doors.servers, users=str(USERS), proxy_pass="embedded")
    return {**table, "worker_processes": 2, "worker_shutdown_timeout": "60s", **top}


def ask(directory: Path, *words: str, expect: int = 0) -> str:
    """Give a command where the program was started, and return what it says."""
    with chdir(directory):
        done = CliRunner().invoke(main, words)
    assert done.exit_code == expect, done.output
    return done.output


def told(directory: Path, *words: str) -> dict[str, list[dict[str, object]]]:
    """Return the same as JSON."""
    said: dict[str, list[dict[str, object]]] = json.loads(
        ask(directory, *words, "--json")
    )
    return said


def total(workers: list[dict[str, object]], what: str) -> int:
    return sum(int(str(one[what])) for one in workers)


def test_administrator_sees_who_is_here_and_sends_somebody_away(
    directory: Path, doors: Doors
) -> None:
    with (
        serving(directory, settings(doors)) as program,
        logged_in(doors) as session,
        connected(doors) as other,
    ):
        status = told(directory, "status")
        assert total(status["workers"], "sessions") == 1
        assert total(status["workers"], "before_login") == 1
        pids = sorted(int(str(one["pid"])) for one in status["workers"])
        assert pids == workers(program.process.pid)
        assert status["certificates"][0]["days_left"]
        assert "serving" in ask(directory, "status")

        (alice,) = told(directory, "who")["sessions"]
        assert (alice["user"], alice["tls"]) == (ALICE.name, "TLSv1.3")
        assert alice["client"] == "127.0.0.1"
        assert len(told(directory, "who", "--all")["sessions"]) == 2
        assert told(directory, "who", "127.0.0.0/8")["sessions"] == [alice]
        assert told(directory, "who", "10.0.0.0/8")["sessions"] == []
        assert str(alice["session"]) in ask(directory, "who", ALICE.name)

        assert ask(directory, "kick", "bob@example.org") == "0 ended\n"
        assert session.noop()[0] == "OK"
        assert ask(directory, "kick", ALICE.name.upper()) == "1 ended\n"
        with pytest.raises((OSError, session.abort)):
            session.noop()
        until(lambda: not told(directory, "who")["sessions"], "the session's end")
        assert other.noop()[0] == "OK"
        assert ask(directory, "kick", "127.0.0.1") == "1 ended\n"
        assert b"ended by an administrator" in other.readline()
        assert f'kick "{ALICE.name.upper()}": 1 ended, for uid' in program.logged()
        ask(directory, "kick", "x" * 4000)  # whoever asks is told of in any case
        assert f'kick "{"x" * 400}": 0 ended, for uid' in program.logged()


def test_reload_waits_and_says_what_is_wrong(directory: Path, doors: Doors) -> None:
    with (
        serving(directory, settings(doors)) as program,
        logged_in(doors) as session,
    ):
        before = workers(program.process.pid)
        assert ask(directory, "reload") == "reloaded\n"
        states = {
            one["pid"]: one["state"] for one in told(directory, "status")["workers"]
        }
        assert set(states.values()) == {"leaving", "serving"}
        assert all(states.get(pid, "leaving") == "leaving" for pid in before)
        assert len(told(directory, "who")["sessions"]) == 1  # in a worker that leaves
        assert session.noop()[0] == "OK"

        file = directory / "conf" / "mail.toml"
        right = file.read_text()
        file.write_text(right.replace("worker_processes", "worker_prozesses") + "x=1\n")
        said = ask(directory, "reload", "-c", str(file), expect=78)
        assert "worker_prozesses: unknown directive; did you mean" in said
        assert "mail.x: unknown directive" in said
        assert "refused at" in ask(directory, "status")

        file.write_text(tomli_w.dumps(settings(doors, control="../elsewhere.sock")))
        assert ask(directory, "reload") == "reloaded\n"
        assert "nobody is at" in ask(directory, "status", expect=1)
        found = told(directory, "status", "-c", str(file))
        assert found["program"]["reloads"] == 2  # type: ignore[call-overload]
        (directory / "elsewhere.sock").rename(directory / "var/control.sock")


def test_ban_is_known_to_all_workers_and_survives_a_reload(
    directory: Path, doors: Doors
) -> None:
    with serving(directory, settings(doors)), logged_in(doors) as session:
        assert "is banned until" in ask(directory, "ban", "127.0.0.0/8")
        until(lambda: not is_let_in(doors), "a closed door")
        assert not any(is_let_in(doors) for _ in range(8))  # whoever of them accepts
        assert session.noop()[0] == "OK"
        assert ask(directory, "reload") == "reloaded\n"
        assert not any(is_let_in(doors) for _ in range(8))
        assert "by an administrator" in ask(directory, "bans")
        assert ask(directory, "unban", "0.0.0.0/0") == "1 ended\n"
        until(lambda: all(is_let_in(doors) for _ in range(8)), "an open door")


def is_let_in(doors: Doors) -> bool:
    """Whether somebody who connects is greeted."""
    try:
        with connected(doors):
            return True
    except (OSError, IMAP4.error):
        return False


def test_stop_that_takes_its_time_can_be_watched_and_hastened(
    directory: Path, doors: Doors
) -> None:
    with serving(directory, settings(doors)) as program, logged_in(doors) as session:
        assert ask(directory, "stop") == "stopping in good order\n"
        assert ", stopping" in ask(directory, "status")
        assert "the program is stopping" in ask(directory, "reload", expect=1)
        assert session.noop()[0] == "OK"
        assert ask(directory, "stop", "--now") == "stopping at once\n"
        assert program.wait() == 0
        assert not (directory / "var/control.sock").exists()


def test_worker_that_is_silent_is_named_and_the_others_answer(
    directory: Path, doors: Doors
) -> None:
    with (
        serving(directory, settings(doors)) as program,
        logged_in(doors),
    ):
        (alice,) = told(directory, "who")["sessions"]
        (silent,) = {*workers(program.process.pid)} - {alice["worker"]}
        os.kill(silent, signal.SIGSTOP)
        began = time.monotonic()
        said = ask(directory, "who", expect=1)
        assert 2 <= time.monotonic() - began < 6
        os.kill(silent, signal.SIGCONT)
        assert ALICE.name in said
        assert f"worker process {silent} does not answer" in said


def test_killed_program_leaves_a_socket_that_its_successor_replaces(
    directory: Path, doors: Doors
) -> None:
    file = directory / "mail.toml"
    table = settings(doors, state_directory=str(directory / "var"))
    file.write_text(tomli_w.dumps(table))
    with background("killed", serve_command(file), directory) as program:
        program.await_words(READY)
        kill(program.process.pid)
    assert (directory / "var/control.sock").is_socket()
    with serving(directory, settings(doors)) as successor:
        pid = told(directory, "status")["program"]["pid"]  # type: ignore[call-overload]
        assert pid == successor.process.pid


def test_orders_go_by_the_pid_file_where_there_is_no_socket(
    directory: Path, doors: Doors
) -> None:
    pid = directory / "mail.pid"
    table = settings(doors, control="off", pid=str(pid))
    with serving(directory, table) as program:
        file = str(directory / "conf" / "mail.toml")
        assert "has no control socket" in ask(directory, "status", "-c", file, expect=1)
        before = workers(program.process.pid)
        assert "SIGHUP is sent" in ask(directory, "reload", "-c", file)
        await_workers(program, before)
        assert "SIGUSR1 is sent" in ask(directory, "reopen", "--pid", str(pid))
        assert "stopping in good order" in ask(directory, "stop", "--pid", str(pid))
        assert program.wait() == 0
