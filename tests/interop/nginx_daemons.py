"""The daemons of nginx's mail tests: an auth server, and backends that know little."""

import os
import re
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from attrs import field, frozen

from tests.transport.dns_server import DnsServer

USER, SECRET = "test@example.com", "secret"

NAME = "client.example.net"
"""What the DNS server calls whoever comes from 127.0.0.1."""

RECORDS = {
    "1.0.0.127.in-addr.arpa. PTR": f"1.0.0.127.in-addr.arpa. 60 IN PTR {NAME}.",
    f"{NAME}. A": f"{NAME}. 60 IN A 127.0.0.1",
}

Answer = Callable[[str], str]
"""A backend's reply to a line; "" for none."""


@frozen
class Daemons:
    """Where all of them listen, and what the backends have heard."""

    auth: int
    backends: dict[str, int]
    dns: int
    heard: list[str] = field(factory=list)


def pop3(line: str) -> str:
    """Know one user."""
    match line.lower().split():
        case ["quit"]:
            return "+OK quit ok"
        case ["user", _]:
            return "+OK user ok"
        case ["pass", _]:
            return "+OK pass ok"
        case _:
            return "-ERR unknown command"


def smtp(line: str) -> str:
    """Take what begins well, without a word on what else there is."""
    known = (
        (r"quit", "221 quit ok"),
        (r"ehlo|helo", "250 hello ok"),
        (r"rset", "250 rset ok"),
        (r"mail from:[^@]+$", "500 mail from error"),
        (r"mail from:", "250 mail from ok"),
        (r"rcpt to:[^@]+$", "500 rcpt to error"),
        (r"rcpt to:", "250 rcpt to ok"),
        (r"xclient", "220 xclient ok"),
        (r"auth", "235 auth ok"),
    )
    replies = (said for begins, said in known if re.match(begins, line, re.IGNORECASE))
    return next(replies, "500 unknown command")


class _Imap:
    """Invite two literals behind LOGIN, as only nginx sends them."""

    def __init__(self) -> None:
        self.tag, self.invited = "", 0

    def __call__(self, line: str) -> str:
        if self.invited:
            self.invited -= 1
            return "+ go on" if self.invited else f"{self.tag} OK login ok"
        self.tag, _, rest = line.partition(" ")
        if rest.lower().startswith("login {"):
            self.invited = 2
            return "+ go on"
        if rest.lower() == "logout":
            return f"{self.tag} OK logout ok"
        return f"{self.tag} ERR unknown command"


BACKENDS: dict[str, tuple[str, Callable[[], Answer]]] = {
    "imap": ("* OK fake imap server ready", _Imap),
    "pop3": ("+OK fake pop3 server ready", lambda: pop3),
    "smtp": ("220 fake esmtp server ready", lambda: smtp),
}


class _Judge(BaseHTTPRequestHandler):
    """Say in headers alone where the one user's backend is: 204, as nginx's does."""

    daemons: Daemons

    def do_GET(self) -> None:
        """Judge one attempt."""
        asked = {name: self.headers.get(f"Auth-{name}", "") for name in HEADERS}
        backend = self.daemons.backends[asked["Protocol"]]
        self.send_response(204)
        self.send_header("Auth-Status", "OK" if _is_right(asked) else "ERROR")
        self.send_header("Auth-Server", "127.0.0.1")
        self.send_header("Auth-Port", str(backend))
        if asked["Method"] in {"cram-md5", "apop", "external"}:
            self.send_header("Auth-Pass", SECRET)
        self.send_header("Auth-Wait", "1")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: it is no part of the test."""


HEADERS = ("Method", "User", "Pass", "Salt", "Protocol", "SMTP-To")


def _is_right(asked: dict[str, str]) -> bool:
    match asked["Method"]:
        case "none":
            return "example.com" in asked["SMTP-To"]
        case "plain":
            return unquote(asked["User"]) == USER and asked["Pass"] == SECRET
        case _:
            return asked["User"] == USER


@contextmanager
def daemons() -> Iterator[Daemons]:
    """Run all of them."""
    with ExitStack() as closing:
        here = Daemons(0, {}, 0)
        for protocol, (greeting, make) in BACKENDS.items():
            handler = _speaking(greeting, make, here.heard)
            backend = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
            here.backends[protocol] = closing.enter_context(_served(backend))
        judge = type("Judge", (_Judge,), {"daemons": here})
        auth = ThreadingHTTPServer(("127.0.0.1", 0), judge)
        names = socketserver.UDPServer(("127.0.0.1", 0), _Names)
        yield Daemons(
            closing.enter_context(_served(auth)),
            here.backends,
            closing.enter_context(_served(names)),
            here.heard,
        )


def _speaking(
    greeting: str, make: Callable[[], Answer], heard: list[str]
) -> type[socketserver.StreamRequestHandler]:
    class Backend(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            answer = make()
            self.wfile.write(f"{greeting}\r\n".encode())
            for octets in self.rfile:
                line = octets.decode().rstrip("\r\n")
                heard.append(line)
                if line.endswith("CRASH"):
                    self.crash()
                    return
                if not line.startswith("PROXY "):
                    self.wfile.write(f"{answer(line)}\r\n".encode())

        def crash(self) -> None:
            """Reset the connection, as a machine does that has lost its memory."""
            at_once = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            os.close(self.connection.detach())

    return Backend


class _Names(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        datagram, listening = self.request
        if (reply := DnsServer(RECORDS).answer(datagram)) is not None:
            listening.sendto(reply, self.client_address)


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[index, misc]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
