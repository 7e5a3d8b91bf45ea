"""Auth servers as they are written for nginx: a PHP script, and a WSGI application.

Both know everybody here, unescape what nginx escapes, and send each protocol's users
to a backend.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote_to_bytes
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from tests.interop.background import background
from tests.interop.machine import PATIENCE, free_port
from tests.interop.people import BOB, EVERYBODY

Ports: TypeAlias = Mapping[str, int]
"""The backend of each protocol."""

AuthServer: TypeAlias = Callable[[Ports, Path], AbstractContextManager[str]]
"""Runs an auth server; what it brings is the value of ``auth_http``."""

REFUSAL = "Invalid login or password"

PHP = """<?php
$ports = [%s];
$people = [%s];

$user = rawurldecode($_SERVER["HTTP_AUTH_USER"] ?? "");
$password = rawurldecode($_SERVER["HTTP_AUTH_PASS"] ?? "");
$protocol = $_SERVER["HTTP_AUTH_PROTOCOL"] ?? "";

if (($people[$user] ?? null) !== $password) {
    header("Auth-Status: %s");
    header("Auth-Wait: 1");
} else {
    header("Auth-Status: OK");
    header("Auth-Server: 127.0.0.1");
    header("Auth-Port: " . $ports[$protocol]);
    if ($user === %s) {
        header("Auth-SMTP-Auth: on");
    }
}
"""


def _php_string(text: str) -> str:
    return f'hex2bin("{text.encode().hex()}")'


@contextmanager
def php_auth(ports: Ports, directory: Path) -> Iterator[str]:
    """Run a script in PHP's own server, which closes each connection."""
    people = (
        f"{_php_string(person.name)} => {_php_string(person.password)}"
        for person in EVERYBODY
    )
    backends = (f'"{protocol}" => {port}' for protocol, port in ports.items())
    filled = ", ".join(backends), ", ".join(people)
    script = directory / "auth.php"
    script.write_text(PHP % (*filled, REFUSAL, _php_string(BOB.name)))
    port = free_port()
    command: list[str | Path] = ["php", "-S", f"127.0.0.1:{port}", script]
    with background("php", command, directory) as program:
        program.await_ports(port)
        yield f"http://127.0.0.1:{port}/auth.php"


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def wsgi_auth(ports: Ports, _directory: Path) -> Iterator[str]:
    """Run an application in the reference server, which speaks HTTP/1.0."""
    known = dict(person.octets for person in EVERYBODY)

    def application(
        environment: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        user, password = (
            unquote_to_bytes(environment[f"HTTP_AUTH_{name}"].encode("latin-1"))
            for name in ("USER", "PASS")
        )
        if known.get(user) != password:
            start("200 OK", [("Auth-Status", REFUSAL), ("Auth-Wait", "1")])
        else:
            port = str(ports[environment["HTTP_AUTH_PROTOCOL"]])
            where = [("Auth-Server", "127.0.0.1"), ("Auth-Port", port)]
            if user == BOB.octets[0]:
                where.append(("Auth-SMTP-Auth", "on"))
            start("200 OK", [("Auth-Status", "OK"), *where])
        return [b"words that nobody reads"]

    with serving_wsgi(application) as auth_http:
        yield auth_http


@contextmanager
def serving_wsgi(application: WSGIApplication) -> Iterator[str]:
    """Run an application in the reference server; bring the value of ``auth_http``."""
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}/auth"
        finally:
            server.shutdown()
            thread.join(PATIENCE)
            assert not thread.is_alive()


AUTH_SERVERS: Mapping[str, AuthServer] = {"php": php_auth, "wsgi": wsgi_auth}
