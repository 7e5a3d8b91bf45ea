"""fail2ban, as Debian has it, reads what a gateway has written, and counts right.

Clients come from everywhere here: a PROXY header says so, by a proxy that is trusted.
"""

import socket
import ssl
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha1
from pathlib import Path

import pytest

from tests.interop.fail2ban import configuration, offenders
from tests.interop.gateway import mail_table, serving
from tests.interop.machine import PATIENCE, free_port, run
from tests.interop.people import ALICE, WRONG

pytestmark = pytest.mark.interop

FORGETFUL, SIXTH = "203.0.113.7", "2001:db8::7"
"""They know no password, and try twice in each protocol."""

REMEMBERS = "203.0.113.8"
"""Has it wrong, and then right."""

GOOD = "203.0.113.9"
FORGER = "203.0.113.10"
"""Would have somebody else banned."""

VICTIM = "198.51.100.66"

SILENT = "203.0.113.11"
"""Tries nothing."""

IN_CLEAR = "203.0.113.12"
"""Logs in before TLS where that is forbidden."""

NO_TLS = "203.0.113.13"
"""Speaks no TLS where it is spoken at once."""

SALTED = sha1(ALICE.password.encode() + b"salt").digest() + b"salt"
QUICK = b64encode(SALTED).decode()
QUICKLY_PROVED = f'["{ALICE.name}"]\npassword = "{{SSHA}}{QUICK}"\n'

GREETINGS = {"imap": b"* OK", "pop3": b"+OK", "smtp": b"220"}

FORGERIES = (
    f"x>, method=PLAIN, rip={VICTIM}, lip=192.0.2.1, session=<y",
    f"x (auth failed, 1 attempts in 1 secs): user=<y>, rip={VICTIM}",
    f"x, rip={VICTIM}, lip=192.0.2.1, TLS, session=",
    f"x\x1b[2K\x1b[1Gimap-login: Aborted login (auth failed, 1 attempts): rip={VICTIM}",
    f"x\u2028imap-login: Aborted login (auth failed, 1 attempts): rip={VICTIM}",
    f"x\u0085imap-login: Aborted login (auth failed, 1 attempts): rip={VICTIM}",
    f'x", client: {VICTIM}, server: 192.0.2.1:143, login: "y',
    "x\xff" * 300,
)

BROKEN = (
    f"x\nimap-login: Aborted login (auth failed, 1 attempts): rip={VICTIM}",
    f"x\r\n2026-11-25T10:00:00 vm mailssl-trio[1]: imap-login: {VICTIM}",
    f"x\0imap-login: Aborted login (auth failed, 1 attempts): rip={VICTIM}",
)
"""No user name at all: there is no login to tell of."""


@contextmanager
def client(port: int, address: str) -> Iterator[socket.socket]:
    """Come from an address, by the proxy."""
    family = "TCP6" if ":" in address else "TCP4"
    ours = "2001:db8::1" if ":" in address else "192.0.2.1"
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as it:
        it.sendall(f"PROXY {family} {address} {ours} 50000 143\r\n".encode())
        yield it


def say(it: socket.socket, *lines: bytes) -> bytes:
    """Say something, and return the end of what is answered to each."""
    answer = b""
    for line in lines:
        it.sendall(line + b"\r\n")
        answer = it.recv(4096)
    return answer


def login(protocol: str, name: str, password: str) -> bytes:
    """Return the command that logs in, by SASL PLAIN."""
    response = b64encode(f"\0{name}\0{password}".encode())
    verb = b"a AUTHENTICATE" if protocol == "imap" else b"AUTH"
    return verb + b" PLAIN " + response


def own_login(protocol: str, name: str, password: str) -> tuple[bytes, ...]:
    """Return the commands of the protocol's own that log in."""
    match protocol:
        case "imap":
            return (f"a LOGIN {name} {password}".encode(),)
        case "pop3":
            return f"USER {name}".encode(), f"PASS {password}".encode()
        case _:
            return (login(protocol, name, password),)


def refused(answer: bytes) -> bool:
    return answer.startswith((b"a NO", b"-ERR", b"535"))


def forget(protocol: str, port: int, address: str) -> None:
    with client(port, address) as it:
        assert it.recv(4096).startswith(GREETINGS[protocol])
        assert refused(say(it, *own_login(protocol, "bob", WRONG)))
        assert refused(say(it, login(protocol, "eve", WRONG)))


def remember(protocol: str, port: int) -> None:
    with client(port, REMEMBERS) as it:
        it.recv(4096)
        assert refused(say(it, login(protocol, ALICE.name, WRONG)))
        assert not refused(say(it, login(protocol, *_known())))


def be_good(protocol: str, port: int) -> None:
    with client(port, GOOD) as it:
        it.recv(4096)
        assert not refused(say(it, *own_login(protocol, *_known())))


def be_silent(protocol: str, port: int) -> None:
    with client(port, SILENT) as it:
        it.recv(4096)
        say(it, b"a LOGOUT" if protocol == "imap" else b"QUIT")


def forge(name: str, port: int) -> None:
    with client(port, FORGER) as it:
        it.recv(4096)
        assert b"a OK" not in say(it, login("imap", name, WRONG))


def log_in_in_clear(port: int) -> None:
    with client(port, IN_CLEAR) as it:
        it.recv(4096)
        say(it, b"a LOGIN bob x", b"b LOGIN bob x")


def speak_no_tls(port: int) -> None:
    with client(port, NO_TLS) as it, suppress(OSError):
        it.sendall(b"a LOGIN bob x\r\n")
        it.recv(4096)


def be_good_by_tls(port: int) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with client(port, GOOD) as it, context.wrap_socket(it) as secured:
        secured.recv(4096)
        say(secured, *own_login("imap", *_known()))


def everybody_comes(ports: dict[str, int], only: int, tls: int) -> None:
    """Have all of them do what they do, in all protocols, at once."""
    with ThreadPoolExecutor(32) as people:
        coming = [
            people.submit(come, protocol, port)
            for protocol, port in ports.items()
            for come in (
                partial(forget, address=FORGETFUL),
                partial(forget, address=SIXTH),
                remember,
                be_good,
                be_silent,
            )
        ]
        coming += [
            people.submit(forge, name, ports["imap"]) for name in FORGERIES + BROKEN
        ]
        coming += [people.submit(come, tls) for come in (be_good_by_tls, speak_no_tls)]
        coming.append(people.submit(log_in_in_clear, only))
        for each in coming:
            each.result()


def _known() -> tuple[str, str]:
    return ALICE.name, ALICE.password


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what a gateway has written, in each format, after everybody came."""
    directory = tmp_path_factory.mktemp("fail2ban")
    (directory / "users.toml").write_text(QUICKLY_PROVED)
    ports = {protocol: free_port() for protocol in GREETINGS}
    only, tls = free_port(), free_port()
    servers: list[dict[str, object]] = [
        {"listen": f"127.0.0.1:{port} proxy_protocol", "protocol": protocol}
        for protocol, port in ports.items()
    ]
    servers += [
        {
            "listen": f"127.0.0.1:{only} proxy_protocol",
            "protocol": "imap",
            "starttls": "only",
        },
        {"listen": f"127.0.0.1:{tls} ssl proxy_protocol", "protocol": "imap"},
    ]
    table = mail_table(
        *servers,
        set_real_ip_from="127.0.0.1",
        users=str(directory / "users.toml"),
        proxy_pass="embedded",
    )
    table = {
        **table,
        "access_log": [f"{directory}/{kind} {kind}" for kind in ("dovecot", "nginx")],
    }
    with serving(directory, table):
        everybody_comes(ports, only, tls)
    return directory / "dovecot"


FAILED = Counter(
    {FORGETFUL: 6, SIXTH: 6, REMEMBERS: 3, FORGER: len(FORGERIES), IN_CLEAR: 1}
)
"""How many wrong passwords each of them had; and who showed one in the clear."""


def test_filter_counts_every_wrong_password_once_and_nothing_else(
    log: Path, tmp_path: Path
) -> None:
    assert offenders(log, configuration(tmp_path)) == FAILED


def test_mode_aggressive_counts_those_who_try_nothing_too(
    log: Path, tmp_path: Path
) -> None:
    found = offenders(log, configuration(tmp_path), "mailssl-trio[mode=aggressive]")
    assert found == FAILED + Counter({SILENT: 3, NO_TLS: 1})


def test_filters_that_people_wrote_for_nginx_find_the_same(
    log: Path, tmp_path: Path
) -> None:
    whole = configuration(tmp_path)
    (whole / "filter.d" / "by-hand.conf").write_text(
        "[Definition]\nfailregex = client login failed:.+client:\\s*<HOST>,.+$\n"
    )
    found = offenders(log.with_name("nginx"), whole, "by-hand")
    assert found == FAILED - Counter({IN_CLEAR: 1})


def test_jail_is_one_that_fail2ban_understands(tmp_path: Path) -> None:
    whole = configuration(tmp_path)
    said = run("fail2ban-client", "-c", str(whole), "-d")
    assert "['set', 'mailssl-trio', 'addlogpath', " not in said  # there is no such file
    assert "'mailssl-trio'" in said
