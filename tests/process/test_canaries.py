"""No secret is written anywhere, whatever a client, a backend or a judge does with it.

What somebody types in as a user name is told, as it must be; a password typed there is
beyond anybody's help.
"""

import json
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote_to_bytes
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from attrs import define

from tests.interop.auth_servers import serving_wsgi
from tests.interop.gateway import mail_table, serving
from tests.interop.machine import PATIENCE, free_port
from tests.process.canaries import Cage, forms
from tests.process.processes import workers

pytestmark = pytest.mark.process

PROTOCOLS = ("imap", "pop3", "smtp")
FORMATS = ("dovecot", "nginx", "json")
GREETINGS = {"imap": b"* OK hi\r\n", "pop3": b"+OK hi\r\n", "smtp": b"220 hi\r\n"}
ECHOES = {"imap": b"%b NO not: %b\r\n", "pop3": b"%b-ERR not: %b\r\n",
          "smtp": b"%b535 not: %b\r\n"}  # fmt: skip
MECHANISMS = "plain login cram-md5 external xoauth2 oauthbearer"


@contextmanager
def echoing_backend(protocol: str) -> Iterator[int]:
    """Run a backend that refuses everything, and says what it refuses."""

    def converse(wire: socket.socket) -> None:
        with wire, suppress(OSError), wire.makefile("rb") as told:
            wire.sendall(GREETINGS[protocol])
            while line := told.readline().strip():
                tag = line.split(b" ")[0] if protocol == "imap" else b""
                wire.sendall(ECHOES[protocol] % (tag, line))

    def serve() -> None:
        with suppress(OSError):
            while True:
                wire, _ = listener.accept()
                wire.settimeout(PATIENCE)
                threading.Thread(target=converse, args=[wire], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def judge(ports: dict[str, int], environment: WSGIEnvironment) -> list[tuple[str, str]]:
    """Let good ones in, and tell bad ones what they said; some get nonsense."""
    user, password = (
        unquote_to_bytes(environment.get(f"HTTP_AUTH_{name}", "").encode("latin-1"))
        for name in ("USER", "PASS")
    )
    said = password.decode("latin-1")
    match user:
        case b"good":
            port = str(ports[environment["HTTP_AUTH_PROTOCOL"]])
            where = [("Auth-Server", "127.0.0.1"), ("Auth-Port", port)]
            return [("Auth-Status", "OK"), *where]
        case b"odd":
            return [("Auth-Status", "OK"), ("Auth-Server", "x"), ("Auth-Port", said)]
        case b"void":
            return [("Auth-Server", said)]
        case _:
            return [("Auth-Status", f"no {said} here"), ("Auth-Wait", "0")]


@define
class Site:
    """A gateway of each kind, and the canaries that its clients let out."""

    cage: Cage
    users: dict[str, int]
    judged: dict[str, int]
    proxied: int
    tls: int


def talk(port: int, lines: list[bytes | str]) -> bytes:
    """Say one line after the other, and return all that is answered."""
    heard = b""
    with (
        suppress(OSError),
        ExitStack() as open_,
    ):
        it: socket.socket = open_.enter_context(
            socket.create_connection(("127.0.0.1", port), PATIENCE)
        )
        it.settimeout(1.5)
        heard += it.recv(4096)
        for line in lines:
            it.sendall((line.encode() if isinstance(line, str) else line) + b"\r\n")
            heard += it.recv(4096)
    return heard


def sasl(*parts: str) -> str:
    return b64encode("\0".join(parts).encode()).decode()


def imap_lines(cage: Cage, user: str) -> Iterator[list[bytes | str]]:
    c = cage.canary
    yield [f"a LOGIN {user} {{{len(c('imap literal'))}+}}\r\n{last(cage)}"]
    yield [f'a LOGIN {user} "{c("imap quoted")}"']
    yield [f"a LOGIN {user} x {c('imap, three arguments')}"]
    yield [f'a LOGIN {user} "{c("imap, no closing quote")}']
    yield [f"a LOGIN {user} {c('imap')} {{5}}"]
    yield [f"a {c('imap verb')} {user}"]
    yield [f"{c('imap tag')} LOGIN {user} x", f"{c('imap tag')} LOGOUT"]
    yield [f"a LOGIN {user} {{9999999}}\r\n{c('imap, too large a literal')}"]
    yield [f"a LOGIN {user} {c('imap, too long')}" + "x" * 20_000]
    yield [f"a LOGIN {user} {{40+}}\r\n{c('imap, CR in a literal')}\r" + "x" * 30]
    yield ["a STARTTLS", f"b LOGIN {user} {c('imap for TLS')}"]
    for mechanism in MECHANISMS.split():
        yield [f"a AUTHENTICATE {mechanism}", c(f"imap {mechanism}, not base64")]
    yield from exchanges(cage, user, "a AUTHENTICATE ")


def pop3_lines(cage: Cage, user: str) -> Iterator[list[bytes | str]]:
    c = cage.canary
    yield [f"USER {user}", f"PASS {c('pop3')}"]
    yield [f"PASS {c('pop3, PASS before USER')}"]
    yield [f"USER {user}", f"PASS {c('pop3')} {c('pop3, with a space')}"]
    yield [f"USER {user}", f"PAS {c('pop3, wrong verb')}", c("pop3 verb")]
    yield [f"APOP {user} {c('pop3 APOP')}"]
    yield [f"USER {user}", b"PASS \xff\0" + c("pop3, no text").encode()]
    yield [f"USER {user}", f"PASS {c('pop3, too long')}" + "x" * 20_000]
    yield ["STLS", f"PASS {c('pop3 for TLS')}"]
    yield [f"AUTH PLAIN {sasl('', user, 'x')} {c('pop3, behind AUTH')}"]
    yield from exchanges(cage, user, "AUTH ")


def smtp_lines(cage: Cage, user: str) -> Iterator[list[bytes | str]]:
    c = cage.canary
    yield ["EHLO x", f"{c('smtp verb')} x", f"PASS {c('smtp, a verb of another')}"]
    yield ["EHLO x", f"AUTH LOGIN {sasl(user)}", sasl(c("smtp LOGIN"))]
    yield ["EHLO x", f"AUTH PLAIN {sasl('', user, 'x')} {c('smtp, behind AUTH')}"]
    yield ["EHLO x", "AUTH LOGIN", sasl(user), c("smtp LOGIN, not base64")]
    yield ["EHLO x", f"AUTH PLAIN {c('smtp, too long')}" + "x" * 20_000]
    yield from (["EHLO x", *each] for each in exchanges(cage, user, "AUTH "))


def exchanges(cage: Cage, user: str, auth: str) -> Iterator[list[bytes | str]]:
    """Yield what SASL can carry, whole and broken, with its secret in every place."""
    c = cage.canary
    yield [f"{auth}PLAIN {sasl('', user, c(auth + 'PLAIN'))}"]
    yield [f"{auth}PLAIN", sasl("", user, c(auth + "PLAIN at last"))]
    yield [f"{auth}PLAIN {sasl(user, c(auth + 'PLAIN, one NUL'))}"]
    yield [f"{auth}PLAIN {sasl('', user, c(auth + 'PLAIN, four'), 'x')}"]
    yield [f"{auth}PLAIN {sasl('', user, c(auth + 'PLAIN, broken'))}!"]
    yield [f"{auth}PLAIN {sasl('', user, c(auth + 'PLAIN, CR') + chr(13))}"]
    yield [f"{auth}LOGIN", sasl(user), sasl(c(auth + "LOGIN"))]
    yield [f"{auth}LOGIN", sasl(user), c(auth + "LOGIN, raw")]
    yield [f"{auth}{c(auth + 'mechanism')}"]
    yield [f"{auth}CRAM-MD5", sasl(f"{user} {c(auth + 'CRAM-MD5')}")]
    token = f"user={user}\1auth=Bearer {{}}\1\1"
    yield [f"{auth}XOAUTH2 {sasl(token.format(c(auth + 'XOAUTH2')))}", ""]
    yield [f"{auth}XOAUTH2 {sasl(token.format(c(auth + 'XOAUTH2, cut')))[:-8]}", ""]
    told = f"n,a={user},\1auth=Bearer {{}}\1\1"
    yield [f"{auth}OAUTHBEARER {sasl(told.format(c(auth + 'OAUTHBEARER')))}", "AQ=="]
    yield [f"{auth}OAUTHBEARER", sasl(told.format(c(auth + "OAUTHBEARER, then"))), "*"]


def last(cage: Cage) -> str:
    return next(reversed(cage.out))


LINES = {"imap": imap_lines, "pop3": pop3_lines, "smtp": smtp_lines}


def come(site: Site) -> None:
    """Let all canaries out, everywhere."""
    with ThreadPoolExecutor(100) as people:
        for each in [people.submit(talk, *visit) for visit in visits(site)]:
            each.result()


Visit: TypeAlias = tuple[int, list[bytes | str]]


def visits(site: Site) -> Iterator[Visit]:
    """Yield where somebody comes, and what is said there."""
    ways = [
        (protocol, port, user)
        for protocol in PROTOCOLS
        for port, users in (
            (site.users[protocol], "alice@example.org nobody"),
            (site.judged[protocol], "good bad odd void"),
        )
        for user in users.split()
    ]
    for protocol, port, user in ways:
        yield from ((port, lines) for lines in LINES[protocol](site.cage, user))
    c = site.cage.canary
    for verb in ("PASS", "a LOGIN joe", "a AUTHENTICATE PLAIN", "AUTH PLAIN"):
        yield site.proxied, [f"{verb} {c('in place of a PROXY header')}"]
        yield site.tls, [f"{verb} {c('in place of TLS')}"]
    basic = b64encode(f"joe:{c('by HTTP')}".encode()).decode()
    url = f"GET /{c('in a URL')} HTTP/1.1"
    yield site.users["imap"], [url, f"Authorization: Basic {basic}"]


def seen_in_processes(pids: Iterable[int]) -> bytes:
    """Return what everybody can see of processes, and what root can."""
    found = b""
    for pid in pids:
        for name in ("cmdline", "environ", "comm", "maps", "limits"):
            found += Path(f"/proc/{pid}/{name}").read_bytes()
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cage, dict[str, bytes]]:
    """Return the canaries, and all that was written while they were out."""
    directory = tmp_path_factory.mktemp("canaries")
    ports = {kind: {protocol: free_port() for protocol in PROTOCOLS}
             for kind in ("users", "judged")}  # fmt: skip
    site = Site(Cage(), ports["users"], ports["judged"], free_port(), free_port())
    logs = [f"{directory}/access.{kind} {kind}" for kind in FORMATS]
    with ExitStack() as running:
        backends = {p: running.enter_context(echoing_backend(p)) for p in PROTOCOLS}

        def application(
            environment: WSGIEnvironment, start: StartResponse
        ) -> Iterable[bytes]:
            start("200 OK", judge(backends, environment))
            return []

        judges = {"auth_http": running.enter_context(serving_wsgi(application)),
                  "proxy_pass_error_message": True, "proxy_smtp_auth": True,
                  **{f"{p}_auth": MECHANISMS for p in ("imap", "smtp")},
                  "pop3_auth": f"apop {MECHANISMS.replace('login ', '')}"}  # fmt: skip
        own = {"users": str(directory / "users.toml"), "proxy_pass": "embedded"}
        (directory / "users.toml").write_text(
            f'["alice@example.org"]\npassword = "{{SSHA}}{"A" * 32}"\n'
        )
        common: dict[str, object] = {"starttls": "on", "max_errors": 3}
        servers = [
            {"listen": f"127.0.0.1:{port}", "protocol": protocol, **common, **judged}
            for kind, judged in (("users", own), ("judged", judges))
            for protocol, port in ports[kind].items()
        ]
        imap = {"protocol": "imap", **own}
        servers += [
            {"listen": f"127.0.0.1:{site.proxied} proxy_protocol", **imap},
            {"listen": f"127.0.0.1:{site.tls} ssl", **imap},
        ]
        table = {
            **mail_table(*servers, timeout="5s"),
            "error_log": [f"{directory}/error.log debug", "stderr debug"],
            "access_log": [*logs, "stderr"],
            "pid": str(directory / "pid"),
        }
        program = running.enter_context(serving(directory, table))
        come(site)
        pids = [program.process.pid, *workers(program.process.pid)]
        found = {"processes": seen_in_processes(pids)}
        found["who"] = answers(directory / "pid.sock")
    for file in directory.rglob("*"):
        if file.is_file() and not file.is_symlink():
            found[str(file.relative_to(directory))] = file.read_bytes()
    return site.cage, found


def answers(control: Path) -> bytes:
    """Return what the control socket says of everybody."""
    heard = b""
    for asked in ({"verb": "status"}, {"verb": "who", "all": True}):
        with socket.socket(socket.AF_UNIX) as it:
            it.settimeout(PATIENCE)
            it.connect(str(control))
            it.sendall(json.dumps({"v": 1, **asked}).encode() + b"\n")
            with it.makefile("rb") as told:
                while b'"ok"' not in (line := told.readline()):
                    heard += line
                heard += line
    return heard


def test_no_canary_sings(written: tuple[Cage, dict[str, bytes]]) -> None:
    cage, found = written
    assert len(cage.out) > 200
    if cage.singing(b"\n".join(found.values())):
        pytest.fail(str({name: cage.singing(text) for name, text in found.items()}))


def test_there_was_something_to_sing_in(written: tuple[Cage, dict[str, bytes]]) -> None:
    _, found = written
    assert found["error.log"].count(b"client login failed") > 50
    for kind in FORMATS:
        assert found[f"access.{kind}"].count(b"\n") > 200
    assert b"withheld: it quotes the credentials" in found["error.log"]
    assert re.search(rb"Max core file size\s+0\s+0", found["processes"])
    assert found["who"].count(b'"ok"') >= 2


@pytest.mark.parametrize(
    "written_as",
    [
        lambda s: s.encode(),
        lambda s: b64encode(f"\0joe\0{s}".encode()),
        lambda s: b64encode(f"user={s}\1".encode()),
        lambda s: s.encode().hex().encode(),
        lambda s: s.replace("/", "%2F").replace("+", "%2B").replace("%Q", "%25Q")
        .replace("<", "%3C").encode(),
    ],
)  # fmt: skip
def test_canaries_are_heard_in_every_form(written_as: object) -> None:
    cage = Cage()
    secret = cage.canary("a test")
    assert callable(written_as)
    assert cage.singing(b"x" + written_as(secret) + b"y")
    assert all(len(form) > 8 for form in forms(secret))
