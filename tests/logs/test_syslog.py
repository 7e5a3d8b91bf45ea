"""Syslog as nginx writes it (RFC 3164), to daemons that come and go."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import evolve

from mailssl_trio.config.logging_words import access_log as read_access_log
from mailssl_trio.logs.lines import LEVELS, Line
from mailssl_trio.logs.opening import open_logs
from mailssl_trio.logs.syslog import MAX_MESSAGE, Syslog
from mailssl_trio.logs.writer import ErrorLog
from mailssl_trio.observer import Admitted, Subject
from tests.interop.machine import until
from tests.logs.opened import open_error_log

PATIENCE = 10.0


@contextmanager
def daemon(where: str | tuple[str, int]) -> Iterator[socket.socket]:
    """Listen as a syslog daemon does, at a path or at an address."""
    family = socket.AF_UNIX if isinstance(where, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as it:
        it.settimeout(PATIENCE)
        it.bind(where)
        yield it


def target(listening: socket.socket) -> Syslog:
    host, port = listening.getsockname()
    return Syslog(f"{host}:{port}", host, port)


def hear(listening: socket.socket, words: bytes) -> None:
    """Wait until a message ends so; what came before may be lost or not."""
    while not listening.recv(4096).endswith(words):
        pass


def test_line_has_priority_time_host_and_tag() -> None:
    with daemon(("127.0.0.1", 0)) as it:
        with open_error_log(target(it), "info") as log:
            log.write("error", "*1 it burns")
        message = it.recv(4096).decode()
    host = re.escape(socket.gethostname().lower())
    form = (
        r"<187>(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) " + host + r" nginx: "
        r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[error\] \d+#\d+: \*1 it burns"
    )
    found = re.fullmatch(form, message)  # no end of line behind it
    assert found, message
    stamp = f"{time.localtime().tm_year} {found['stamp']}"
    at = time.mktime(time.strptime(stamp, "%Y %b %d %H:%M:%S"))
    assert abs(time.time() - at) < PATIENCE


@pytest.mark.parametrize(
    ("level", "severity"), list(zip(reversed(LEVELS), range(8), strict=True))
)
def test_severity_is_the_level_of_the_line(level: str, severity: int) -> None:
    with daemon(("127.0.0.1", 0)) as it:
        with open_error_log(evolve(target(it), facility="mail"), "debug") as log:
            log.write(level, "something")
        assert it.recv(4096).startswith(b"<%d>" % (2 * 8 + severity))


def test_host_and_tag_are_as_they_are_wanted() -> None:
    with daemon(("127.0.0.1", 0)) as it:
        named = evolve(target(it), tag="mail_1", nohostname=True)
        with open_error_log(named, "info") as log:
            log.write("info", "something")
        assert re.match(rb"<190>\w{3} [ \d]\d [\d:]{8} mail_1: \d{4}/", it.recv(4096))


def test_daemon_at_a_path_is_told_too(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    with daemon(path) as it:
        with open_error_log(Syslog(f"unix:{path}", path, 0), "info") as log:
            log.write("info", "something")
        assert it.recv(4096).endswith(b"something")


def test_daemon_that_is_gone_costs_its_lines_and_one_that_is_back_gets_more(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "log")
    target = Syslog(f"unix:{path}", path, 0)
    with open_error_log(target, "info") as log:
        log.write("info", "lost, as nobody is there yet")
        until(lambda: log.writer.sinks[target].fails, "a line that is lost")
        with daemon(path) as it:
            log.write("info", "first")
            hear(it, b"first")
            hear(it, b"takes lines again, 1 were lost")
        Path(path).unlink()
        with daemon(path) as it:
            log.write("info", "second")
            hear(it, b"second")
    (line,) = capfd.readouterr().err.splitlines()
    assert line.endswith(f": {target} takes no lines, they are lost")


def test_daemon_that_does_not_read_holds_nobody_up(tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    began = time.monotonic()
    with daemon(path), open_error_log(Syslog(f"unix:{path}", path, 0), "info") as log:
        for _ in range(3000):
            log.write("info", "x" * 200)
    assert time.monotonic() - began < PATIENCE


def test_name_that_nobody_has_loses_its_lines() -> None:
    nowhere = Syslog("nowhere.invalid", "nowhere.invalid", 514)
    with open_error_log(nowhere, "info") as log:
        for _ in range(100):
            log.write("info", "lost")


def test_long_line_is_cut() -> None:
    with daemon(("127.0.0.1", 0)) as it:
        with open_error_log(target(it), "info") as log:
            log.writer.put([target(it)], Line("error", "x" * 9000))  # a traceback
        assert len(it.recv(65536)) == MAX_MESSAGE


@pytest.mark.parametrize(
    ("words", "head"),
    [
        ("", r"<22>\w{3} [ \d]\d [\d:]{8} \S+ mailssl_trio: imap-login: Login: user="),
        (
            ",facility=local1,severity=notice,tag=x,nohostname json",
            r'<141>\w{3} [ \d]\d [\d:]{8} x: \{"time": ',
        ),
        (" nginx", r"<22>\w{3} .{11} \S+ mailssl_trio: \d{4}/\d\d/\d\d .{8} \[info\] "),
    ],
)
@pytest.mark.parametrize("way", ["udp", "unix"])
async def test_access_log_is_mail_for_information_unless_told(
    way: str, words: str, head: str, tmp_path: Path
) -> None:
    where = str(tmp_path / "log") if way == "unix" else ("127.0.0.1", 0)
    with daemon(where) as it:
        name = it.getsockname()
        server = f"unix:{name}" if way == "unix" else f"127.0.0.1:{name[1]}"
        chain = read_access_log(f"syslog:server={server}{words}")
        with open_logs((ErrorLog(),), chain) as logs:
            told = Subject(1, "imap", "192.0.2.1", 5, "192.0.2.2:143", login=b"joe")
            logs.of(()).tell(told, Admitted())
        assert re.match(head, it.recv(4096).decode())
