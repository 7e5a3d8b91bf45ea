"""The access log: a line for each login and each end, in three formats."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.escaping import LONGEST_NAME
from mailssl_trio.logs.access_log import AccessLog, Format, Writing
from mailssl_trio.logs.formats.as_json import as_json
from mailssl_trio.logs.formats.endings import BY_GOODBYE
from mailssl_trio.logs.formats.like_dovecot import WORDS, like_dovecot
from mailssl_trio.logs.formats.like_nginx import like_nginx
from mailssl_trio.logs.opening import open_logs
from mailssl_trio.logs.syslog import MAX_MESSAGE
from mailssl_trio.logs.writer import ErrorLog
from mailssl_trio.observer import (
    Admitted,
    Connected,
    Crashed,
    Ended,
    Happening,
    JudgeFailed,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
    Unnamed,
    UpstreamFailed,
)
from mailssl_trio.protocol.credentials import Reason, Rejected
from mailssl_trio.protocol.events import Goodbye, TlsInfo
from mailssl_trio.protocol.failures import Failure

DOCS = Path(__file__).parents[2] / "docs" / "logs.md"

TLS = TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", server_name="mx.example.org")
REFUSED = LoginFailed(Rejected(Reason.AUTHENTICATIONFAILED))
ALL: tuple[Writing, ...] = (like_dovecot, like_nginx, as_json)


def bob(**facts: object) -> Subject:
    """Return somebody who has tried to log in three times."""
    told = Subject(
        5, "imap", "203.0.113.7", 50_000, "192.0.2.1:993",
        session="AbCd1234", tls=TLS, login=b"bob@example.com", mechanism="PLAIN",
        attempts=3, failure=Failure.AUTH_FAILED, server_address="192.0.2.1",
        server_port=993,
    )  # fmt: skip
    for name, value in facts.items():
        setattr(told, name, value)
    return told


def stranger(**facts: object) -> Subject:
    """Return somebody who has tried nothing."""
    nothing = {"login": b"", "mechanism": "", "attempts": 0}
    return bob(**{"failure": Failure.NO_ATTEMPTS, **nothing, **facts})


@pytest.mark.parametrize(
    ("subject", "happening", "line"),
    [
        (
            bob(upstream="10.0.0.5:143"),
            Admitted(),
            "imap-login: Login: user=<bob@example.com>, method=PLAIN, rip=203.0.113.7,"
            " lip=192.0.2.1, TLS, upstream=10.0.0.5:143, session=<AbCd1234>",
        ),
        (
            bob(),
            REFUSED,
            "imap-login: Aborted login (auth failed, 3 attempts in 6 secs):"
            " user=<bob@example.com>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.1,"
            " TLS, reason=auth_failed, session=<AbCd1234>",
        ),
        (
            bob(),
            Ended(Goodbye.PEER_GONE),
            "imap-login: Login aborted: Connection closed (auth failed, 3 attempts in"
            " 6 secs) (auth_failed): user=<bob@example.com>, method=PLAIN,"
            " rip=203.0.113.7, lip=192.0.2.1, TLS, session=<AbCd1234>",
        ),
        (
            stranger(protocol="pop3", tls=None, starttls=True),
            Ended(Goodbye.TIMED_OUT),
            "pop3-login: Disconnected: Inactivity (no auth attempts in 6 secs):"
            " user=<>, rip=203.0.113.7, lip=192.0.2.1, reason=no_auth_attempts,"
            " session=<AbCd1234>",
        ),
        (
            stranger(protocol="smtp", tls=None),
            Ended(Goodbye.HANDSHAKE_FAILED, "no shared cipher (_ssl.c:1006)"),
            "submission-login: Disconnected: TLS handshake failed, no shared cipher"
            " [_ssl.c:1006]: disconnected during TLS handshake (no auth attempts in"
            " 6 secs): user=<>, rip=203.0.113.7, lip=192.0.2.1, TLS handshaking,"
            " reason=tls_handshake_not_finished, session=<AbCd1234>",
        ),
        (
            stranger(tls=None, starttls=True, failure=Failure.CLEARTEXT_DISABLED),
            Ended(Goodbye.QUIT),
            "imap-login: Disconnected: Logged out (tried to use disallowed cleartext"
            " auth): user=<>, rip=203.0.113.7, lip=192.0.2.1,"
            " reason=cleartext_auth_disabled, session=<AbCd1234>",
        ),
        (
            stranger(tls=None, client="unix:", client_port=0, server="unix:/run/imap",
                     server_address="unix:", server_port=0,
                     failure=Failure.PROXY_HEADER_REFUSED),
            ProxyRefused("broken header", b"secret"),
            "imap-login: Login aborted: broken header (PROXY header refused, 0 attempts"
            " in 6 secs) (proxy_header_refused): user=<>, session=<AbCd1234>",
        ),
        (
            bob(),
            Relayed("finished", 311, 20480, "upstream"),
            "imap-login: Disconnected: Connection closed by server (finished, 6 secs,"
            " in=311, out=20480): user=<bob@example.com>, method=PLAIN,"
            " rip=203.0.113.7, lip=192.0.2.1, TLS, session=<AbCd1234>",
        ),
    ],
)  # fmt: skip
async def test_line_as_dovecot_writes_it(
    subject: Subject, happening: Happening, line: str, autojump_clock: MockClock
) -> None:
    subject.began = trio.current_time()
    await trio.sleep(6.7)
    assert like_dovecot(subject, happening) == line


async def test_line_as_nginx_writes_it() -> None:
    where = 'client: 203.0.113.7, server: 192.0.2.1:993, login: "bob@example.com"'
    assert like_nginx(bob(), REFUSED) == (
        '*5 client login failed: "authentication failed" while in http auth state,'
        f" {where}, session: AbCd1234"
    )
    assert like_nginx(bob(), Admitted()) == (
        f"*5 client logged in, {TLS.version} {TLS.cipher}, {where}, session: AbCd1234"
    )


Facts = Mapping[str, object]


async def facts(subject: Subject, happening: Happening) -> Facts:
    line = as_json(subject, happening)
    assert line is not None
    return cast("Facts", json.loads(line))


async def test_line_of_json_has_all_that_is_known(autojump_clock: MockClock) -> None:
    subject = bob(began=trio.current_time(), upstream="10.0.0.5:143")
    await trio.sleep(42.5)
    told = dict(await facts(subject, Relayed("finished", 311, 20480, "client")))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}\+00:00", str(told["time"]))
    assert isinstance(told.pop("pid"), int)
    del told["time"]
    assert told == {
        "event": "end", "reason": None, "detail": "finished", "ended_by": "client",
        "bytes_in": 311, "bytes_out": 20480, "session": "AbCd1234", "connection": 5,
        "protocol": "imap", "client": "203.0.113.7", "client_port": 50_000,
        "server": "192.0.2.1:993", "tls": "TLSv1.3", "cipher": TLS.cipher,
        "resumed": False, "server_name": "mx.example.org", "starttls": False,
        "user": "bob@example.com", "mechanism": "PLAIN", "attempts": 3,
        "upstream": "10.0.0.5:143", "duration": 42.5,
    }  # fmt: skip


BUG = ZeroDivisionError()

HAPPENINGS = (
    (Admitted(), "login", None),
    (REFUSED, "login_failed", "auth_failed"),
    (Ended(Goodbye.SHUTTING_DOWN), "disconnect", "shutting_down"),
    (ProxyRefused("broken header"), "disconnect", "proxy_header_refused"),
    (Relayed("timed out", 1, 2), "end", None),
)


@pytest.mark.parametrize(("happening", "event", "reason"), HAPPENINGS)
async def test_every_line_of_json_has_the_keys_that_the_docs_explain(
    happening: Happening, event: str, reason: str | None
) -> None:
    told = await facts(bob(), happening)
    assert (told["event"], told["reason"]) == (event, reason)
    assert f"`{event}`" in DOCS.read_text()
    _, _, page = DOCS.read_text().partition("### `json`")
    rows = re.findall(r"^\| (`.*?`) \|", page.partition("### Reasons")[0], re.MULTILINE)
    assert sorted(told) == sorted(re.findall(r"`(\w+)`", " ".join(rows)))


@pytest.mark.parametrize("failure", Failure)
def test_every_reason_has_its_words_and_its_row(failure: Failure) -> None:
    assert failure in WORDS
    _, _, page = DOCS.read_text().partition("### Reasons")
    assert f"`{failure.value}`" in page


@pytest.mark.parametrize("reason", Goodbye)
def test_every_end_is_thought_of(reason: Goodbye) -> None:
    assert reason in BY_GOODBYE


@pytest.mark.parametrize("write", ALL)
@pytest.mark.parametrize(
    "happening",
    [Connected(), Unnamed("x"), JudgeFailed("x"), UpstreamFailed("x"), Crashed(BUG)],
)  # fmt: skip
async def test_what_is_neither_login_nor_end_has_no_line(
    write: Writing, happening: Happening
) -> None:
    assert write(bob(), happening) is None


@pytest.mark.parametrize(
    ("reason", "starttls", "tls", "failure"),
    [
        (Goodbye.PEER_GONE, False, None, "tls_handshake_not_finished"),
        (Goodbye.TIMED_OUT, False, None, "tls_handshake_not_finished"),
        (Goodbye.TIMED_OUT, True, None, "no_auth_attempts"),
        (Goodbye.TIMED_OUT, False, TLS, "no_auth_attempts"),
        (Goodbye.BAD_CERTIFICATE, False, TLS, "client_ssl_cert_untrusted"),
        (Goodbye.CERTIFICATE_REQUIRED, True, TLS, "client_ssl_cert_missing"),
        (Goodbye.BUSY, False, None, "connection_limit"),
        (Goodbye.BANNED, False, None, "banned"),
        (Goodbye.INTERNAL_ERROR, False, TLS, "internal_failure"),
        (Goodbye.TOO_MANY_ERRORS, False, TLS, "no_auth_attempts"),
    ],
)
async def test_reason_of_an_end_without_any_login(
    reason: Goodbye, starttls: bool, tls: TlsInfo | None, failure: str
) -> None:
    told = await facts(stranger(starttls=starttls, tls=tls), Ended(reason))
    assert told["reason"] == failure
    assert told["ended_by"] == ("client" if reason is Goodbye.PEER_GONE else "us")


async def test_reason_of_the_last_login_is_that_of_the_end() -> None:
    told = bob(failure=Failure.UPSTREAM_CONNECT_FAILED)
    assert (await facts(told, Ended(Goodbye.TOO_MANY_ERRORS)))["reason"] == (
        "proxy_dest_connect_failed"
    )


HOSTILE = [
    b"x>, rip=198.51.100.66, lip=192.0.2.1, session=<y",
    b"x\nimap-login: Login: user=<root>",
    b"x\r\n\x85\xe2\x80\xa8\xe2\x80\xa9y",
    b"\x1b[2J\x1b]0;title\x07",
    b'x", client: 198.51.100.66, "',
    b'x"}\n{"event": "login"',
    b"\xff\xfe\x00",
    "\u202exoco\ufeff".encode(),
    b"y" * 5000,
]


@pytest.mark.parametrize("write", ALL)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("happening", [Admitted(), REFUSED, Ended(Goodbye.PEER_GONE)])
async def test_name_of_a_user_is_a_name_and_nothing_else(
    write: Writing, name: bytes, happening: Happening
) -> None:
    line = write(bob(login=name), happening)
    assert line is not None
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    if write is like_dovecot:
        assert line.count("rip=") == 1
    if write is like_nginx:
        assert line.count("client: ") == 1
    if write is as_json:
        said = name.decode("utf-8", "backslashreplace")
        assert json.loads(line)["user"] == said[:LONGEST_NAME]


@pytest.mark.parametrize("write", ALL)
@pytest.mark.parametrize("name", ["y", "\x00", "\U000e0001", "\U0001f600", "="])
@pytest.mark.parametrize("happening", [REFUSED, Ended(Goodbye.PEER_GONE)])
async def test_who_has_tried_a_name_without_an_end_is_in_the_line_all_the_same(
    write: Writing, name: str, happening: Happening
) -> None:
    line = write(bob(login=name.encode() * 3000), happening)
    assert line is not None
    told = line.encode()[: MAX_MESSAGE - 200]  # the rest is what a daemon is told first
    assert b"203.0.113.7" in told
    assert told.endswith((b"session=<AbCd1234>", b"session: AbCd1234", b"}"))


@pytest.mark.parametrize("write", ALL)
async def test_what_an_auth_server_says_cannot_name_an_address(write: Writing) -> None:
    said = "no, client: 198.51.100.66, rip=198.51.100.66\nx"
    line = write(bob(), LoginFailed(Rejected(Reason.AUTHENTICATIONFAILED, said)))
    assert line is not None
    assert len(line.splitlines()) == 1
    if write is not as_json:
        assert "client: 198.51" not in line
        assert "rip=198.51" not in line.partition("client: ")[2]


async def test_each_target_has_its_own_format_and_server_its_own_targets(
    tmp_path: Path,
) -> None:
    one, two, own = (tmp_path / name for name in ("one", "two", "own"))
    chain = (AccessLog(one), AccessLog(two, Format.JSON))
    server = (AccessLog(own, Format.NGINX),)
    with open_logs((ErrorLog(tmp_path / "error"),), chain, [server]) as logs:
        logs.of(()).tell(bob(), Admitted())
        logs.of((), server).tell(bob(), REFUSED)
        logs.of((), ()).tell(bob(), REFUSED)
    (line,) = one.read_text().splitlines()
    head = r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}\+\d\d:\d\d \S+ mailssl-trio\[\d+\]: "
    assert re.match(head + "imap-login: Login: user=<bob@", line)
    assert json.loads(two.read_text())["event"] == "login"
    nginx = r"\d{4}/\d\d/\d\d [\d:]{8} \[info\] \d+#\d+: \*5 client login failed: "
    assert re.match(nginx, own.read_text())
    assert len(own.read_text().splitlines()) == 1
    assert (tmp_path / "error").read_text() == ""
