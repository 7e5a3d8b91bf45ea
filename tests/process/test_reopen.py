"""SIGUSR1: every log goes on in the file of its name, and nothing else changes."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import tomli_w

from tests.interop.background import Background
from tests.interop.gateway import Doors, serve_command, serving
from tests.interop.machine import run, until
from tests.process.processes import lives, workers
from tests.process.test_reload import settings
from tests.process.test_stop import connected, logged_in

pytestmark = pytest.mark.process

NAMES = ("error.log", "access.log", "access.json")


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log")


@pytest.fixture(scope="module")
def doors(logs: Path) -> Doors:
    return Doors.anywhere(logs.parent / "var/tls/ca.pem")


@pytest.fixture(scope="module")
def program(doors: Doors, logs: Path) -> Iterator[Background]:
    """Serve with two workers and three logs."""
    table = settings(
        doors,
        error_log=[f"{logs}/error.log info", "stderr info"],
        access_log=[f"{logs}/access.log", f"{logs}/access.json json"],
    )
    with serving(logs.parent, table) as it:
        yield it


def told(program: Background, words: str, count: int) -> None:
    """Wait until it has been told so often: by the supervisor and both workers."""
    until(lambda: program.logged().count(words) == count, f"{count} times {words!r}")


def open_files(pids: list[int]) -> set[str]:
    """Return the names of what is open somewhere."""
    found = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it is closed meanwhile
                found.add(os.readlink(descriptor))
    return found


def test_all_logs_go_on_in_new_files_and_sessions_where_they_were(
    program: Background, doors: Doors, logs: Path
) -> None:
    everybody = [program.process.pid, *workers(program.process.pid)]
    with logged_in(doors) as session:
        for name in NAMES:
            (logs / name).rename(logs / f"{name}.1")
        os.kill(everybody[-1], signal.SIGUSR1)  # by who sends it to all
        program.signal(signal.SIGUSR1)
        old = {str(logs / f"{name}.1") for name in NAMES}
        until(lambda: not open_files(everybody) & old, "files that are let go")
        assert everybody[1:] == workers(program.process.pid)
        assert session.noop()[0] == "OK"
        session.logout()
    until(lambda: '"end"' in (logs / "access.json").read_text(), "the end")
    assert "reconfiguring" not in program.logged()
    assert program.logged().count("reopening logs") == 3


def test_file_that_cannot_be_opened_is_told_and_the_old_one_goes_on(
    program: Background, doors: Doors, logs: Path
) -> None:
    gone, before = logs.with_name("gone"), program.logged().count("reopening logs")
    logs.rename(gone)
    size = (gone / "access.log").stat().st_size
    program.signal(signal.SIGUSR1)
    told(program, "is not reopened, the old file goes on: No such file", 9)
    with logged_in(doors) as session:
        session.logout()
    until(lambda: (gone / "access.log").stat().st_size > size, "a line")
    gone.rename(logs)
    program.signal(signal.SIGUSR1)
    told(program, "reopening logs", before + 6)
    assert program.logged().count("is not reopened") == 9


def test_log_directory_that_goes_costs_nothing(
    program: Background, doors: Doors, logs: Path
) -> None:
    shutil.rmtree(logs)
    with logged_in(doors) as session:
        assert session.noop()[0] == "OK"
        session.logout()
    assert "takes no lines" not in program.logged()
    logs.mkdir()
    program.signal(signal.SIGUSR1)
    until((logs / "access.log").exists, "another file")


def test_usr2_ends_nobody(program: Background, doors: Doors) -> None:
    everybody = [program.process.pid, *workers(program.process.pid)]
    for pid in everybody:
        os.kill(pid, signal.SIGUSR2)
    told(program, "SIGUSR2 means nothing here, it is ignored", 1)
    with connected(doors):
        assert all(map(lives, everybody))


def test_log_that_cannot_be_opened_at_the_start_is_77(
    tmp_path: Path, doors: Doors
) -> None:
    table = settings(doors, access_log=f"{tmp_path} json")
    (tmp_path / "mail.toml").write_text(tomli_w.dumps(table))
    said = run(*serve_command("mail.toml"), cwd=tmp_path, expect=77)
    assert f"log: [Errno 21] Is a directory: '{tmp_path}'" in said
