"""The units for systemd: right, hard to abuse, and no obstacle to what we do."""

import re
import signal
import sys
from ctypes.util import find_library
from functools import cache
from pathlib import Path

import pytest
import tomli_w

from tests.interop.background import background
from tests.interop.gateway import READY, Doors, mail_table, serve_command
from tests.interop.machine import do_without, run
from tests.process.processes import reload, workers
from tests.process.test_stop import logged_in

pytestmark = pytest.mark.process

UNITS = Path(__file__).parents[2] / "conf" / "systemd"
SERVICE, SOCKET = "mailssl-trio.service", "mailssl-trio.socket"
SANDBOX = Path(__file__).with_name("sandbox.py")
USERS = Path(__file__).parents[2] / "conf" / "users.toml"
PROGRAM = Path(sys.executable).with_name("mailssl-trio")

MOST_EXPOSED = 2.0


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """Return a directory with the units, for the program that is installed here."""
    for name in (SERVICE, SOCKET):
        text = (UNITS / name).read_text()
        installed = text.replace("=/usr/bin/mailssl-trio ", f"={PROGRAM} ")
        (tmp_path / name).write_text(installed)
    return tmp_path


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    said = run(
        *("systemd-analyze", "verify", "--man=no"), units / SERVICE, units / SOCKET
    )
    assert said == ""


def test_service_that_is_taken_over_is_worth_little(units: Path) -> None:
    said = run("systemd-analyze", "security", "--offline=true", units / SERVICE)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    assert float(found[1]) < MOST_EXPOSED, said


def test_exit_codes_that_another_start_would_not_mend_are_known() -> None:
    assert "RestartPreventExitStatus=2 77 78\n" in (UNITS / SERVICE).read_text()


def test_what_the_unit_forbids_is_not_needed(tmp_path: Path) -> None:
    """With its system calls, and no memory that is written and executed.

    So callbacks of ctypes must do without such memory; shared sessions and the embedded
    mailbox work, and so does a reload.
    """
    if find_library("seccomp") is None:
        do_without("libseccomp")
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only("imap", "tls")
    table = mail_table(
        *doors.servers,
        users=str(USERS),
        proxy_pass="embedded",
        ssl_session_cache="shared:SSL:1m",
        ssl_session_tickets=True,
    )
    file = tmp_path / "conf" / "mail.toml"
    file.parent.mkdir()
    file.write_text(tomli_w.dumps({**table, "worker_processes": 2}))
    (tmp_path / "calls").write_text("\n".join(permitted()))
    command = [sys.executable, SANDBOX, tmp_path / "calls", *serve_command(file)]
    with background("gateway", command, tmp_path) as program:
        program.await_words(READY)
        with logged_in(doors) as session:
            message = b"Subject: x\r\n\r\nx\r\n"
            assert session.append("INBOX", "", "", message)[0] == "OK"
            reload(program)
            assert session.noop()[0] == "OK"
        with logged_in(doors) as session:
            assert session.select()[0] == "OK"
        status = Path(f"/proc/{workers(program.process.pid)[0]}/status").read_text()
        assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.logged()
    for word in ("Traceback", "[alert]", "not permitted"):
        assert word not in program.logged()


def permitted() -> set[str]:
    """Return the system calls that the unit's filters leave, each line in turn."""
    calls: set[str] = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", service()):
        names = {
            call for word in line.strip("~").split() for call in members(word.strip())
        }
        calls = calls - names if line.startswith("~") else calls | names
    return calls | set(members("@default")) | {"execve"}  # systemd adds them


def service() -> str:
    return (UNITS / SERVICE).read_text()


def members(word: str) -> set[str]:
    """Return the system calls of a set, or the one that is no set."""
    if not word.startswith("@"):
        return {word}
    return {call for each in sets()[word] for call in members(each)}


@cache
def sets() -> dict[str, list[str]]:
    """Ask systemd for its sets."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in run("systemd-analyze", "syscall-filter").splitlines():
        if line.startswith("@"):
            name = line.split()[0]
            found[name] = []
        elif line.startswith("    ") and "#" not in line:
            found[name].append(line.strip())
    return found
