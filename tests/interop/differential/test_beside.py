"""Differences from nginx that are no line of a dialogue, seen on both all the same.

Times, handshakes, sockets, logs, starts and stops: each is looked at twice, once with
nginx and once with us, by the same configuration.
"""

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import frozen
from trustme import CA, KeyType

from tests.interop.background import background
from tests.interop.certificates import Pair, issue
from tests.interop.differential.fronts import FRONT, load_module, need_nginx
from tests.interop.differential.looks import LOOKS, Front
from tests.interop.differential.rows import BESIDE
from tests.interop.gateway import READY, serve_command
from tests.interop.machine import free_port, run, until
from tests.interop.nginx_daemons import Daemons, daemons

pytestmark = pytest.mark.interop

HEAD = """\
{load}daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log info;
events {{ worker_connections 100; }}
"""

SERVERS = {
    "plain": "",
    "starttls": "starttls on; timeout 2s; (a)",
    "names": "(a) (b) ssl;",
    "last": "ssl_protocols TLSv1.3; (a) ssl;",
    "watched": "(watched) ssl;",
    "may": "ssl_verify_client optional; (sessions) (a) ssl;",
    "must": "ssl_verify_client on; (sessions) (a) ssl;",
}
"""What each server says besides its address; ``ssl`` is a word of ``listen``."""

SESSIONS = (
    "ssl_protocols TLSv1.2; ssl_session_tickets off; ssl_session_cache shared:S:1m;"
    " ssl_client_certificate {ca};"
)


@frozen
class Seen:
    """All that was looked at."""

    nginx: Mapping[str, object]
    ours: Mapping[str, object]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Look at nginx, and then at us, on the same ports."""
    need_nginx()
    ports = {name: free_port() for name in SERVERS}
    with daemons() as around:
        return Seen(
            *(
                _looked_at(make, tmp_path_factory.mktemp(name), ports, around)
                for name, make in (("nginx", _nginx), ("ours", _ourselves))
            )
        )


def _looked_at(
    make: "Make", directory: Path, ports: Mapping[str, int], around: Daemons
) -> Mapping[str, object]:
    with make(directory, ports, around) as front:
        return {name: look(front) for name, (look, *_) in LOOKS.items()}


Make: TypeAlias = Callable[
    [Path, Mapping[str, int], Daemons], AbstractContextManager[Front]
]


@contextmanager
def _nginx(
    directory: Path, ports: Mapping[str, int], around: Daemons
) -> Iterator[Front]:
    file = _write(directory, ports, around)
    with background("nginx", ["nginx", "-c", file], directory) as program:
        pid = directory / "nginx.pid"
        until(lambda: pid.exists() or program.process.poll() is not None, "nginx.pid")
        assert program.process.poll() is None, program.logged()
        yield Front(program, directory, ports)


@contextmanager
def _ourselves(
    directory: Path, ports: Mapping[str, int], around: Daemons
) -> Iterator[Front]:
    file = _write(directory, ports, around)
    with background("gateway", serve_command(file), directory) as program:
        program.await_words(READY)
        yield Front(program, directory, ports)


def _write(directory: Path, ports: Mapping[str, int], around: Daemons) -> Path:
    """Write the configuration that both are given, with certificates of its own."""
    pairs = {name: issue(directory / name, f"{name}.test") for name in ("a", "b")}
    pairs["watched"] = issue(directory / "watched", "old.test")
    words = {f"({name})": _certificate(pair) for name, pair in pairs.items()}
    words["(sessions)"] = SESSIONS.format(ca=pairs["a"].ca)
    blocks = "".join(
        f"    server {{ protocol imap; {_listening(said, ports[name])} }}\n"
        for name, said in SERVERS.items()
    )
    for word, meaning in words.items():
        blocks = blocks.replace(word, meaning)
    file = directory / "nginx.conf"
    head = HEAD.format(load=load_module(), directory=directory)
    file.write_text(
        f"{head}mail {{\n auth_http 127.0.0.1:{around.auth}/auth;\n{blocks}}}\n"
    )
    return file


def _listening(said: str, port: int) -> str:
    tls = " ssl" if said.endswith(" ssl;") else ""
    return f"listen {FRONT}:{port}{tls}; {said.removesuffix(' ssl;')}"


def _certificate(pair: Pair) -> str:
    return f"ssl_certificate {pair.certificate}; ssl_certificate_key {pair.key};"


@pytest.mark.parametrize("row", LOOKS)
def test_difference_is_seen_on_both(row: str, seen: Seen) -> None:
    _, with_nginx, with_us = LOOKS[row]
    assert (seen.nginx[row], seen.ours[row]) == (with_nginx, with_us)


# What the one starts with, and the other does not, or not without a word.


@contextmanager
def left_behind(path: Path) -> Iterator[None]:
    """Leave a Unix socket to which nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    yield


def test_sockets_that_nginx_cannot_open_are_ours(tmp_path: Path) -> None:
    need_nginx()
    port, path = free_port(), tmp_path / "imap.sock"
    file = tmp_path / "nginx.conf"
    head = HEAD.format(load=load_module(), directory=tmp_path)
    file.write_text(
        f"{head}mail {{ auth_http 127.0.0.1:1;\n"
        f"server {{ protocol imap; listen {FRONT}:{port} bind; }}\n"
        f"server {{ protocol imap; listen {port}; }}\n"
        f"server {{ protocol imap; listen unix:{path}; }} }}\n"
    )
    with left_behind(path):
        said = run("nginx", "-c", file, expect=1)
        assert f"bind() to 0.0.0.0:{port} failed (98: Address" in said
        assert f"bind() to unix:{path} failed (98: Address" in said
        with background("gateway", serve_command(file), tmp_path) as program:
            program.await_words(READY)
            assert program.stop() == 0


def ecdsa_with_a_key_of_rsa(directory: Path) -> str:
    """Return a certificate, and a key that is of another kind even."""
    pair = issue(directory / "ecdsa", "a.test")
    rsa = CA().issue_cert("a.test", key_type=KeyType.RSA)
    key = directory / "rsa.key"
    key.touch(mode=0o600)
    key.write_bytes(rsa.private_key_pem.bytes())
    return (
        f"ssl_certificate {pair.certificate}; ssl_certificate_key {key}; starttls on;"
    )


def conf_command(directory: Path) -> str:
    """Return a command that lets everybody in who says that he is nobody."""
    pair = issue(directory / "tls", "a.test")
    return (
        f"{_certificate(pair)} starttls on; ssl_protocols TLSv1.2;"
        " ssl_conf_command CipherString ALL:aNULL;"
    )


@pytest.mark.parametrize(
    ("row", "directives", "code", "said"),
    [
        ("pairs-that-fit", ecdsa_with_a_key_of_rsa, 78, "another certificate"),
        ("no-opening-commands", conf_command, 78, "without authentication"),
        ("idle-directives", "smtp_greeting_delay 1s;", 0, "the protocol is imap"),
        ("levels-alone", "error_log memory:1m;", 0, "a log of nginx's"),
    ],
)
def test_what_nginx_takes_in_silence_is_refused_or_warned_of(
    row: str,
    directives: str | Callable[[Path], str],
    code: int,
    said: str,
    tmp_path: Path,
) -> None:
    need_nginx()
    words = directives if isinstance(directives, str) else directives(tmp_path)
    file = tmp_path / "nginx.conf"
    head = HEAD.format(load=load_module(), directory=tmp_path)
    file.write_text(
        f"{head}mail {{ auth_http 127.0.0.1:1;\n server {{ protocol imap;"
        f" listen {FRONT}:{free_port()}; {words} }} }}\n"
    )
    nginx = run("nginx", "-t", "-c", file)
    assert re.findall(r"\[\w+\]|nginx: .*", nginx) == [
        f"nginx: the configuration file {file} syntax is ok",
        f"nginx: configuration file {file} test is successful",
    ]
    check = [*serve_command()[:-1], "check", file]
    assert said in run(*check, expect=code), row


def test_each_of_these_rows_is_looked_at_here() -> None:
    here = (*LOOKS, "most-exact-address", "stale-paths", "pairs-that-fit")
    assert {*here, "no-opening-commands", "idle-directives", "levels-alone"} == BESIDE
