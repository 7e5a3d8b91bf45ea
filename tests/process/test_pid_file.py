"""The pid file: there while the program serves, and nobody else's."""

import errno
import os
import resource
import sys
from pathlib import Path

import pytest
import tomli_w

from mailssl_trio.supervision.pid_file import PidFile
from tests.interop.background import background
from tests.interop.gateway import Doors, mail_table, serve_command, serving
from tests.interop.machine import need_root, public_directory, run
from tests.process.test_serve import AS_NOBODY, DENIED

pytestmark = pytest.mark.process


def settings(pid: Path) -> dict[str, object]:
    doors = Doors.anywhere(Path()).only("imap", "tls")
    return {**mail_table(*doors.servers, proxy_pass="127.0.0.1:1"), "pid": str(pid)}


def write(directory: Path, table: dict[str, object]) -> Path:
    file = directory / "mail.toml"
    file.write_text(tomli_w.dumps(table))
    return file


def test_pid_file_names_the_supervisor_while_it_serves(tmp_path: Path) -> None:
    pid = tmp_path / "gateway.pid"
    with serving(tmp_path, settings(pid)) as program:
        assert pid.read_text() == f"{program.process.pid}\n"
        assert pid.stat().st_mode & 0o777 == 0o644
    assert not pid.exists()


def test_second_program_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    pid = tmp_path / "gateway.pid"
    with serving(tmp_path, settings(pid)) as program:
        number = program.process.pid
        second = write(tmp_path, settings(pid))
        said = run(*serve_command(second), cwd=tmp_path, expect=1)
        assert f"{pid} belongs to process {number}" in said
        assert pid.read_text() == f"{number}\n"


def test_what_a_killed_program_left_is_noticed_and_overwritten(tmp_path: Path) -> None:
    pid = tmp_path / "gateway.pid"
    pid.write_text("4711\n")
    with serving(tmp_path, settings(pid)) as program:
        assert pid.read_text() == f"{program.process.pid}\n"
        assert f"{pid} was left by process 4711" in program.logged()
    assert not pid.exists()


LOCK = """\
import fcntl, os, sys, time
os.setresuid(65534, 65534, 65534)
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""
"""A stranger may, since he may read it."""


def test_lock_of_a_stranger_keeps_nobody_out_and_stops_nobody(tmp_path: Path) -> None:
    need_root("being two users")
    with public_directory() as directory:
        pid = directory / "gateway.pid"
        pid.write_text(f"{os.getpid()}\n")  # of a killed program, and now it is ours
        stranger: list[str | Path] = [sys.executable, "-c", LOCK, pid]
        with background("stranger", stranger, directory) as locking:
            locking.await_words("locked")
            command = (sys.executable, "-m", "mailssl_trio", "stop", "--pid", str(pid))
            said = run(*command, cwd=tmp_path, expect=1)
            assert f"names process {os.getpid()}, and is locked by others" in said
            with serving(tmp_path, settings(pid)) as program:
                assert pid.read_text() == f"{program.process.pid}\n"
                said = f"{pid} was locked by process {locking.process.pid}"
                assert said in program.logged()


def test_other_file_is_not_taken_for_a_pid_file(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("years of work\n")
    said = run(
        *serve_command(write(tmp_path, settings(precious))), cwd=tmp_path, expect=1
    )
    assert f"{precious} is no pid file" in said
    assert precious.read_text() == "years of work\n"


def test_what_is_no_regular_file_is_not_taken_for_one_either(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/null")):
        file = write(tmp_path, settings(path))
        said = run(*serve_command(file), cwd=tmp_path, expect=1)
        assert f"{path} is not a regular file" in said


def test_pid_that_a_full_disk_does_not_take_is_a_line_in_the_log(
    tmp_path: Path,
) -> None:
    said: list[tuple[str, str]] = []
    pid_file = PidFile(tmp_path / "pid", lambda *line: said.append(line))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        pid_file.write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    pid_file.remove()
    text = f"pid: {pid_file.path} stays empty: {os.strerror(errno.EFBIG)}"
    assert said == [("alert", text)]


def test_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    precious, link = tmp_path / "precious", tmp_path / "gateway.pid"
    precious.write_text("")
    link.symlink_to(precious)
    said = run(
        *serve_command(write(tmp_path, settings(link))), cwd=tmp_path, expect=DENIED
    )
    assert "symbolic link" in said
    assert precious.read_text() == ""


def test_directory_that_may_not_be_written_exits_with_77() -> None:
    need_root("giving root up")
    with public_directory() as directory:
        (directory / "var").mkdir(mode=0o777)
        (directory / "var").chmod(0o777)
        table = settings(directory / "gateway.pid")
        table["state_directory"] = "var"
        write(directory, table)
        command = (sys.executable, "-c", AS_NOBODY, "serve", "mail.toml")
        said = run(*command, cwd=directory, expect=DENIED)
    assert "gateway.pid" in said
    assert "Permission denied" in said


def test_pid_file_that_somebody_replaced_is_left_alone(tmp_path: Path) -> None:
    pid = tmp_path / "gateway.pid"
    file = write(tmp_path, settings(pid))
    with background("gateway", serve_command(file), tmp_path) as program:
        program.await_words("ready")
        pid.unlink()
        pid.write_text("4711\n")
        assert program.stop() == 0
    assert pid.read_text() == "4711\n"
    os.unlink(pid)
