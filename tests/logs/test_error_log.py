"""The error log: nginx's line, nothing of a peer's raw, and a loop that never waits."""

import errno
import os
import re
import resource
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from trio.testing import MockClock

from mailssl_trio.escaping import escape
from mailssl_trio.logs.file import LogFile
from mailssl_trio.logs.lines import Line, Style
from mailssl_trio.observer import (
    Admitted,
    Connected,
    Crashed,
    Ended,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
    UpstreamFailed,
)
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.events import Authenticate, Goodbye, TlsInfo
from mailssl_trio.transport.listening import ACCEPT_LOOP
from tests.logs.opened import open_error_log


def subject(login: bytes = b"", **facts: object) -> Subject:
    told = Subject(7, "imap", "192.0.2.1", 50_000, "198.51.100.1:143", login=login)
    for name, value in facts.items():
        setattr(told, name, value)
    return told


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "error.log"


def written(target: Path) -> list[str]:
    """The lines, without what changes from run to run."""
    stamp = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (\[\w+\]) \d+#\d+: ")
    return [stamp.sub(r"\1 ", line) for line in target.read_text().splitlines()]


async def test_life_of_a_session_in_four_lines(
    target: Path, autojump_clock: MockClock
) -> None:
    tls = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    told = subject(b"joe", tls=tls, starttls=True, upstream="10.0.0.1:143")
    where = (
        "client: 192.0.2.1 using starttls, server: 198.51.100.1:143, "
        'login: "joe", upstream: 10.0.0.1:143'
    )
    with open_error_log(target, "info") as log:
        log.tell(told, Connected())
        log.tell(told, LoginFailed(Rejected(Reason.AUTHENTICATIONFAILED)))
        log.tell(told, Admitted())
        log.tell(told, Relayed("finished", 12, 345))
    assert written(target) == [
        "[info] *7 client 192.0.2.1:50000 connected to 198.51.100.1:143",
        '[info] *7 client login failed: "authentication failed"'
        f" while in http auth state, {where}",
        f"[info] *7 client logged in, TLSv1.3 TLS_AES_256_GCM_SHA384, {where}",
        "[info] *7 proxied session done: finished, 12 bytes from client, "
        f"345 bytes from upstream, 0.0 s, {where}",
    ]


@pytest.mark.parametrize(
    ("detail", "seen", "said"),
    [
        ("broken header", b"EHLO x", 'broken header: "EHLO x"'),
        ("broken header", b"", 'broken header: ""'),
        (
            "broken header",
            b'", client: 10.0.0.1\x1b[2J\xff',
            r'broken header: "\", client\x3a 10.0.0.1\x1b[2J\\xff"',
        ),
        ("192.0.2.1 is not believed", None, "192.0.2.1 is not believed"),
    ],
)
async def test_what_came_in_place_of_a_proxy_header_is_quoted(
    target: Path, detail: str, seen: bytes | None, said: str, autojump_clock: MockClock
) -> None:
    with open_error_log(target, "error") as log:
        log.tell(subject(), ProxyRefused(detail, seen))
    assert written(target) == [
        f"[error] *7 {said} while reading PROXY protocol, client: 192.0.2.1,"
        " server: 198.51.100.1:143"
    ]


@pytest.mark.parametrize(
    ("reason", "detail", "said"),
    [
        (Goodbye.QUIT, "", "client connection closed: client quit"),
        (
            Goodbye.TIMED_OUT,
            "",
            "client timed out (110: Connection timed out) while in auth state",
        ),
        (Goodbye.LINE_TOO_LONG, "", "client sent too long command while in auth state"),
        (Goodbye.PIPELINED_STARTTLS, "",
         "client sent plaintext behind STARTTLS while in starttls state"),
        (Goodbye.HANDSHAKE_FAILED, "no shared cipher",
         "SSL_do_handshake() failed (no shared cipher) while in starttls state"),
        (Goodbye.BAD_CERTIFICATE, "18:self-signed certificate",
         "client SSL certificate verify error: (18:self-signed certificate)"
         " while in starttls state"),
        (Goodbye.CERTIFICATE_REQUIRED, "",
         "client sent no required SSL certificate while in starttls state"),
    ],
)  # fmt: skip
def test_why_a_connection_ended(
    reason: Goodbye, detail: str, said: str, target: Path
) -> None:
    with open_error_log(target, "info") as log:
        log.tell(subject(starttls=True), Ended(reason, detail))
    assert written(target) == [
        f"[info] *7 {said}, client: 192.0.2.1, server: 198.51.100.1:143"
    ]


@pytest.mark.parametrize("reason", [Goodbye.TIMED_OUT, Goodbye.HANDSHAKE_FAILED])
def test_client_of_tls_from_the_start_ends_in_its_handshake(
    reason: Goodbye, target: Path
) -> None:
    with open_error_log(target, "info") as log:
        log.tell(subject(), Ended(reason))
    (line,) = written(target)
    assert " while SSL handshaking, client: " in line


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        (None, "no TLS"),
        (TlsInfo("TLSv1.2", "AES128-SHA"), "TLSv1.2 AES128-SHA"),
        (TlsInfo("TLSv1.2", "AES128-SHA", resumed=True), "TLSv1.2 AES128-SHA, resumed"),
    ],
)
def test_login_tells_how_it_is_encrypted(
    tls: TlsInfo | None, said: str, target: Path
) -> None:
    with open_error_log(target, "info") as log:
        log.tell(subject(tls=tls), Admitted())
    assert written(target) == [
        f"[info] *7 client logged in, {said}, "
        "client: 192.0.2.1, server: 198.51.100.1:143"
    ]


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        (b'x"\n2026/01/01 [info] forged', '"x\\"\\x0a2026/01/01 [info] forged"'),
        (b"\x1b[2J\x00", '"\\x1b[2J\\x00"'),
        (b"back\\slash", '"back\\\\slash"'),
        (b"x, client: 192.0.2.9, x", '"x, client\\x3a 192.0.2.9, x"'),
        ("grüße".encode(), '"grüße"'),
        (b"\xff", '"\\\\xff"'),
        ("\u202e\u2028".encode(), '"\\xe2\\x80\\xae\\xe2\\x80\\xa8"'),
    ],
)
def test_user_names_cannot_forge_lines_or_move_a_terminal(
    raw: bytes, escaped: str, target: Path
) -> None:
    with open_error_log(target, "info") as log:
        log.tell(subject(raw), LoginFailed(Rejected(Reason.UNAVAILABLE)))
    (line,) = written(target)
    assert line.endswith(f"login: {escaped}")
    assert escape(raw).isprintable()
    assert line.count("client: ") == 1


def test_what_a_backend_said_is_escaped_too(target: Path) -> None:
    with open_error_log(target, "error") as log:
        told = subject(action="reading response from upstream")
        log.tell(told, UpstreamFailed('upstream sent invalid response: "\x1b[2J\n"'))
    assert written(target)[0].startswith(
        '[error] *7 upstream sent invalid response: "\\x1b[2J\\x0a"'
        " while reading response from upstream, client:"
    )


def test_octets_of_a_path_are_told_as_they_are() -> None:
    assert escape(os.fsdecode(b"/run/\xfc")) == r"/run/\xfc"


def test_path_that_an_auth_server_named_is_escaped_too(target: Path) -> None:
    where = subject()
    where.upstream = "unix:/run/\x1b[2J"
    with open_error_log(target, "error") as log:
        log.tell(where, UpstreamFailed("upstream timed out"))
    assert written(target)[0].endswith(", upstream: unix:/run/\\x1b[2J")


@pytest.mark.parametrize(
    ("level", "count"), [("debug", 3), ("warn", 2), ("error", 1), ("emerg", 0)]
)
def test_level_is_the_least_that_is_written(
    level: str, count: int, target: Path
) -> None:
    with open_error_log(target, level) as log:
        for each in ("debug", "warn", "error"):
            log.write(each, each)
    assert len(written(target)) == count


def test_bug_leaves_its_traceback(target: Path) -> None:
    try:
        raise ZeroDivisionError("bug")
    except ZeroDivisionError as bug:
        with open_error_log(target, "error") as log:
            log.tell(subject(), Crashed(bug))
    text = target.read_text()
    assert "[crit]" in text
    assert "ZeroDivisionError: bug" in text
    assert "test_bug_leaves_its_traceback" in text


def test_traceback_shows_no_credentials_and_begins_no_line_of_ours(
    target: Path,
) -> None:
    """Even where what is at hand stands in the words of a bug, or a line end does."""
    at_hand = Authenticate(Password(b"joe", b"cNry-secret"))
    try:
        raise ValueError(f"{at_hand}\n2026/01/01 00:00:00 [info] 1#1: \x1b[2J forged")
    except ValueError as bug:
        with open_error_log(target, "error") as log:
            log.tell(subject(), Crashed(bug))
    head, *behind = target.read_text().splitlines()
    assert head.endswith(
        "*7 internal error, client: 192.0.2.1, server: 198.51.100.1:143"
    )
    assert all(line.startswith(" ") for line in behind)
    assert "cNry-secret" not in target.read_text()
    assert "authcid=b'joe'" in target.read_text()
    assert "\x1b" not in target.read_text()


def test_accept_loop_that_fails_is_told_once_a_minute(
    target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_error_log(target, "error"):
        for _ in range(100):
            ACCEPT_LOOP.error("accept() failed")
    assert written(target) == ["[alert] accepting pauses: accept() failed"]
    assert capsys.readouterr().err == ""


def test_full_disk_costs_lines_and_is_told_once(
    target: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_error_log(Path("/dev/full"), "info") as log:
        for _ in range(3):
            log.write("notice", "lost")
    (line,) = capfd.readouterr().err.splitlines()
    full = os.strerror(errno.ENOSPC)
    assert line.endswith(f": /dev/full takes no lines, they are lost: {full}")


def bare(text: str) -> Line:
    return Line("info", text, Style.BARE)


@contextmanager
def room(octets: int) -> Iterator[None]:
    """Let no file grow beyond this; like a full disk, it may tear a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_when_there_is_room_again_the_lines_that_were_lost_are_counted(
    target: Path,
) -> None:
    texts = ("first", "torn in two", "lost", "lost too")
    with closing(LogFile(target)) as file:
        with room(13):
            said = [file.write(bare(text)) for text in texts]
        said.append(file.write(bare("last")))
    told = [each.text.split(": ")[0] for each in said if each is not None]
    assert told == [
        f"{target} takes no lines, they are lost",
        f"{target} takes lines again, 2 were lost",
    ]
    assert [each is None for each in said] == [True, True, False, True, False]
    assert target.read_text().splitlines() == ["first", "torn in two", "last"]


def test_pipe_that_nobody_reads_is_refused_and_not_waited_for(target: Path) -> None:
    os.mkfifo(target)
    with pytest.raises(OSError, match=re.escape(os.strerror(errno.ENXIO))):
        LogFile(target)
