"""Mail clients who come to a gateway's doors, and come back to resume a session."""

import re
import socket
import struct
from collections.abc import Iterable
from ssl import OP_NO_TICKET, SSLContext, SSLSession, SSLSocket
from typing import Literal, TypeAlias

from attrs import define, frozen

from tests.interop.background import Background
from tests.interop.gateway import Security
from tests.interop.machine import PATIENCE, until
from tests.tls.clients import client

Leaving: TypeAlias = Literal["close_notify", "close", "reset"]
"""How a client ends: as TLS has it, as mail clients do, or as a lost one does."""

INVITING = {
    "imap": (b"a STARTTLS\r\n", b"a OK"),
    "pop3": (b"STLS\r\n", b"+OK"),
    "smtp": (b"STARTTLS\r\n", b"220"),
}
QUESTIONS = {"imap": b"b NOOP\r\n", "pop3": b"CAPA\r\n", "smtp": b"NOOP\r\n"}
"""What is answered before login, so that tickets of TLS 1.3 are read with it."""


@frozen
class Visit:
    """What became of one connection."""

    resumed: bool
    said: bytes
    """What the server said first, once TLS was up."""
    port: int
    """The client's."""
    certificate: bytes
    """The server's, which a session remembers."""
    session: SSLSession | None
    """What the next visit may resume."""


@define
class Guest:
    """A client at one door, which remembers its session."""

    protocol: str
    security: Security
    port: int
    tls: SSLContext
    session: SSLSession | None = None

    @classmethod
    def of(
        cls, protocol: str, security: Security, port: int, *versions: str
    ) -> "Guest":
        """Let a client come that believes everybody."""
        return cls(protocol, security, port, client(None, *versions))

    def do_without_tickets(self) -> "Guest":
        """Be a client of TLS 1.2 that knows ids only."""
        self.tls.options |= OP_NO_TICKET
        return self

    def come(self, leaving: Leaving = "close") -> Visit:
        """Connect, offer the session that is there, hear something, and leave."""
        with self._connected() as secured:
            if self.security == "starttls":
                secured.sendall(QUESTIONS[self.protocol])
            said = secured.recv(1000)
            visit = Visit(
                secured.session_reused or False,
                said,
                secured.getsockname()[1],
                secured.getpeercert(binary_form=True) or b"",
                secured.session,
            )
            _leave(secured, leaving)
        return visit

    def come_anew(self, leaving: Leaving = "close") -> Visit:
        """Come with nothing to resume, and remember what can be resumed from now on."""
        self.session = None
        visit = self.come(leaving)
        self.session = visit.session
        return visit

    def come_back(self) -> Visit:
        """Come, and remember what a resumption has brought."""
        visit = self.come()
        if visit.resumed:
            self.session = visit.session or self.session
        return visit

    def _connected(self) -> SSLSocket:
        wire = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.security == "starttls":
                _invite(wire, self.protocol)
            return self.tls.wrap_socket(
                wire, server_hostname="localhost", session=self.session
            )
        except BaseException:
            wire.close()
            raise


def _invite(wire: socket.socket, protocol: str) -> None:
    """Ask for TLS; nothing else is on the wire before the handshake."""
    command, answer = INVITING[protocol]
    assert wire.recv(1000)
    wire.sendall(command)
    said = wire.recv(1000)
    assert said.startswith(answer), said


def _leave(secured: SSLSocket, leaving: Leaving) -> None:
    match leaving:
        case "close_notify":
            secured.unwrap()
        case "reset":
            now = struct.pack("ii", 1, 0)
            secured.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        case "close":
            pass


CONNECTED = re.compile(r" (\d+)#\d+: \*\d+ client 127\.0\.0\.1:(\d+) connected")


def answering(program: Background, visits: Iterable[Visit]) -> set[int]:
    """Return the processes that have had these clients, by what they have logged."""
    ports = {visit.port for visit in visits}
    processes: dict[int, int] = {}

    def all_are_logged() -> bool:
        for process, port in CONNECTED.findall(program.logged()):
            processes[int(port)] = int(process)
        return ports <= processes.keys()

    until(all_are_logged, f"lines about clients of the ports {sorted(ports)}")
    return {processes[port] for port in ports}
