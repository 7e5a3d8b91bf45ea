"""The directive ``user``: workers are never root, and have all that they need."""

import os
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import attrs
import pytest
import tomli_w

from tests.interop.background import Background, background
from tests.interop.gateway import READY, Doors, mail_table
from tests.interop.machine import do_without, need_root, public_directory, run, until
from tests.process.processes import await_workers, kill, reload, workers
from tests.process.test_stop import logged_in

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
NOBODY = pwd.getpwnam("nobody")
PATHS = f"{ROOT}:{Path(attrs.__file__).parents[1]}"
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def directory() -> Iterator[Path]:
    need_root("workers that are somebody else")
    with public_directory() as directory:
        yield directory


def interpreter_for_everybody() -> str:
    """Return an interpreter like ours that everybody may start."""
    for name in (sys.executable, f"/usr/bin/{VERSION}"):
        with suppress(OSError):
            subprocess.run([name, "-c", ""], user=NOBODY.pw_uid, cwd="/", check=True)
            return name
    do_without(f"a {VERSION} that everybody may start")
    raise AssertionError("a test that goes on without what it needs")


def command(directory: Path) -> list[str | Path]:
    file = directory / "conf" / "mail.toml"
    return [interpreter_for_everybody(), "-m", "mailssl_trio", "serve", file]


@contextmanager
def running(directory: Path, table: Mapping[str, object]) -> Iterator[Background]:
    """Run a gateway as root, by an interpreter that everybody may start."""
    configuration(directory, table)
    surroundings = {"PYTHONPATH": PATHS}
    with background(
        "gateway", command(directory), directory, environment=surroundings
    ) as program:
        program.await_words(READY)
        yield program
        assert program.stop() == 0, program.logged()


def refused(directory: Path, table: Mapping[str, object], exit_code: int) -> str:
    """Start what must not start; return what it says."""
    configuration(directory, table)
    return run(*command(directory), environment={"PYTHONPATH": PATHS}, expect=exit_code)


def configuration(directory: Path, table: Mapping[str, object]) -> None:
    (directory / "conf").mkdir(exist_ok=True)
    (directory / "conf" / "mail.toml").write_text(tomli_w.dumps(table))


def settings(directory: Path, **top: object) -> tuple[dict[str, object], Doors]:
    doors = Doors.anywhere(directory / "var/tls/ca.pem")
    users = directory / "conf" / "users.toml"
    users.parent.mkdir(exist_ok=True)
    users.write_bytes((ROOT / "conf" / "users.toml").read_bytes())
    users.chmod(0o600)
    table = mail_table(
        *doors.servers,
        users=str(users),
        proxy_pass="embedded",
        ssl_session_cache="shared:SSL:1m",
    )
    logs = ["../mail.log info", "../container.log info"]
    with suppress(FileExistsError):
        (directory / "container.log").symlink_to("/dev/stderr")  # as in nginx's images
    return {**table, "worker_processes": 2, "error_log": logs, **top}, doors


def status(pid: int, name: str) -> list[str]:
    """Return a line of proc(5)'s ``status``."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line for line in lines if line.startswith(f"{name}:")).split()[1:]


def owner(pid: int) -> int | None:
    """Return whose a process is; None if it has just ended."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}").stat().st_uid
    return None


def test_workers_are_the_user_in_every_respect_and_the_supervisor_stays_root(
    directory: Path,
) -> None:
    table, doors = settings(directory, user="nobody")
    with running(directory, table) as program, logged_in(doors) as session:
        assert session.append("INBOX", "", "", b"Subject: x\r\n\r\nx\r\n")[0] == "OK"
        assert len(workers(program.process.pid)) == 2
        for pid in workers(program.process.pid):
            assert status(pid, "Uid") == [str(NOBODY.pw_uid)] * 4
            assert status(pid, "Gid") == [str(NOBODY.pw_gid)] * 4
            groups = os.getgrouplist("nobody", NOBODY.pw_gid)
            assert sorted(map(int, status(pid, "Groups"))) == sorted(groups)
            for capabilities in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                assert int(status(pid, capabilities)[0], 16) == 0
            assert int(status(pid, "Umask")[0], 8) & 0o027 == 0o027
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert re.search(r"Max core file size +0 +0 ", limits)
            assert re.search(r"Max open files +([0-9]+) +\1 ", limits)
        assert status(program.process.pid, "Uid") == ["0"] * 4


def test_what_workers_write_to_is_theirs_after_deaths_reloads_and_with_another_user(
    directory: Path,
) -> None:
    table, doors = settings(directory, user="nobody", pid="../mail.pid")
    with running(directory, table) as program:
        log = directory / "mail.log"
        assert (log.stat().st_uid, log.stat().st_mode & 0o777) == (
            NOBODY.pw_uid,
            0o640,
        )
        assert (directory / "mail.pid").stat().st_uid == 0
        kill(workers(program.process.pid)[0])
        until(lambda: len(workers(program.process.pid)) == 2, "another worker")
        before = workers(program.process.pid)
        log.rename(directory / "mail.log.1")
        reload(program)
        await_workers(program, before)
        with logged_in(doors) as session:
            assert session.select()[0] == "OK"
        assert log.stat().st_uid == NOBODY.pw_uid
        until(lambda: "client logged in" in log.read_text(), "a line of a worker")
        log.rename(directory / "mail.log.2")
        program.signal(signal.SIGUSR1)
        until(
            lambda: log.exists() and log.stat().st_uid == NOBODY.pw_uid, "his own log"
        )
        with logged_in(doors):
            pass
        until(lambda: "client logged in" in log.read_text(), "a line in the new log")
        assert "is not reopened" not in log.read_text()
        configuration(directory, {**table, "user": "root"})
        reload(program)
        until(
            lambda: {owner(pid) for pid in workers(program.process.pid)} == {0},
            "workers of another user, and the end of the old",
        )
        assert "no session is shared" not in program.logged()


def test_root_does_not_give_away_what_a_link_leads_to(directory: Path) -> None:
    """Whoever may write to a log's directory could else have any file of root's."""
    secret = directory / "secret"
    secret.write_text("root's")
    os.link(secret, directory / "mail.log")
    table, _ = settings(directory, user="nobody", error_log="../mail.log info")
    said = refused(directory, table, 1)
    assert "mail.log" in said
    assert secret.stat().st_uid == 0


def test_mailboxes_of_somebody_else_are_named_at_the_start(directory: Path) -> None:
    (directory / "var/mail/alice").mkdir(parents=True)
    table, _ = settings(directory, user="nobody")
    said = refused(directory, table, 77)
    assert f"chown -R nobody {directory}/var/mail" in said


def test_user_who_cannot_run_the_program_is_named(directory: Path) -> None:
    table, _ = settings(directory, user="nobody")
    hidden = directory / "hidden"
    hidden.mkdir(mode=0o700)
    interpreter, *others = command(directory)
    (hidden / "python").symlink_to(interpreter)
    configuration(directory, table)
    said = run(hidden / "python", *others, environment={"PYTHONPATH": PATHS}, expect=1)
    assert f"nobody may not run {hidden}/python" in said
