"""Logs that can be written nowhere: mail is served, and an end is an end."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tomli_w

from tests.interop.gateway import READY, Doors, serve_command
from tests.interop.machine import PATIENCE
from tests.process.test_reload import settings
from tests.process.test_stop import logged_in

pytestmark = pytest.mark.process


@contextmanager
def full_pipe() -> Iterator[int]:
    """Open a pipe that nobody reads, and that takes nothing more; return its end."""
    theirs, ours = os.pipe()
    fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, 4096)
    os.write(ours, b"x" * 4096)
    yield ours
    os.close(ours)
    os.close(theirs)


@contextmanager
def fifo(path: Path) -> Iterator[Path]:
    """Make a FIFO at which somebody listens who does not read."""
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 4096)
    os.write(descriptor, b"x" * 4096)
    yield path
    os.close(descriptor)


def test_no_log_holds_up_a_login_or_an_end(tmp_path: Path) -> None:
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem")
    told, gone = tmp_path / "error.log", f"syslog:server=unix:{tmp_path}/gone"
    with full_pipe() as stderr, fifo(tmp_path / "fifo") as pipe:
        table = settings(
            doors,
            worker_processes=1,
            error_log=["stderr debug", f"{gone} debug", f"{told} info"],
            access_log=[f"{pipe}", "/dev/full json", "stderr nginx", gone],
        )
        (tmp_path / "conf").mkdir()
        (tmp_path / "conf" / "mail.toml").write_text(tomli_w.dumps(table))
        command = serve_command(tmp_path / "conf" / "mail.toml")
        with subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as program:
            assert program.stdout is not None
            while READY not in program.stdout.readline():
                pass
            began = time.monotonic()
            for _ in range(3):
                with logged_in(doors) as session:
                    assert session.noop()[0] == "OK"
                    session.logout()
            assert time.monotonic() - began < PATIENCE
            program.send_signal(signal.SIGTERM)
            assert program.wait(PATIENCE) == 0
    lines = told.read_text()
    for target in (pipe, "/dev/full", f"{gone},facility=mail,tag=mailssl_trio"):
        assert lines.count(f"{target} takes no lines, they are lost") == 1, target
    for target in ("stderr", gone):  # of the supervisor too
        assert lines.count(f": {target} takes no lines, they are lost") == 2, target
    assert lines.count("client logged in") == 3
