"""A backend that lets everybody in, and writes down all that it was told."""

import fcntl
import socket
import ssl
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

from tests.interop.certificates import Pair
from tests.interop.machine import PATIENCE, until

GREETINGS = {
    "imap": (
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=PLAIN AUTH=XOAUTH2]"
        b" ready\r\n"
    ),
    "pop3": b"+OK ready\r\n",
    "smtp": b"220 fake ESMTP\r\n",
}


def imap_reply(line: bytes) -> bytes:
    """Answer any command with OK, and CAPABILITY with what it is for."""
    tag, _, command = line.partition(b" ")
    if command.strip() == b"CAPABILITY":
        return b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK did CAPABILITY\r\n"
    return tag + b" OK did " + command.split(b" ")[0].strip() + b"\r\n"


def pop3_reply(line: bytes) -> bytes:
    """Answer any command with +OK, and CAPA with what it is for."""
    if line.upper().startswith(b"CAPA"):
        return b"+OK\r\nSTLS\r\nSASL PLAIN\r\n.\r\n"
    return b"+OK did " + line.split(b" ")[0].strip() + b"\r\n"


def smtp_reply(line: bytes) -> bytes:
    """Answer any command as if it had worked."""
    match line.split(b" ")[0].strip().upper():
        case b"EHLO":
            return b"250-fake\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
        case b"AUTH":
            return b"235 2.7.0 in\r\n"
        case b"STARTTLS":
            return b"220 go\r\n"
        case verb:
            return b"250 did " + verb + b"\r\n"


REPLIES: dict[str, Callable[[bytes], bytes]] = {
    "imap": imap_reply,
    "pop3": pop3_reply,
    "smtp": smtp_reply,
}


@define
class FakeBackend:
    """Serves one protocol, a client after the other, from a thread of its own."""

    protocol: str
    listener: socket.socket
    pair: Pair | None = None
    """What it speaks TLS with, where it does."""
    by_tls: bool = False
    """Whether TLS begins with the first octet."""
    glued: bytes = b""
    """What it says behind the go-ahead, in the same segment."""
    cut_at: bytes = b""
    """The verb that it answers by half, and by a reset of the connection."""
    lines: list[bytes] = field(factory=list)
    """All that it was told and could read."""
    failures: list[str] = field(factory=list)
    """Why handshakes came to nothing."""

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.listener.getsockname()[1]
        return port

    def serve(self) -> None:
        """Serve until the listener is shut down."""
        with suppress(OSError):
            while True:
                wire, _ = self.listener.accept()
                wire.settimeout(PATIENCE)
                with wire, suppress(OSError):
                    self._converse(wire)

    def _converse(self, wire: socket.socket) -> None:
        if self.by_tls:
            return self._listen_in_secret(wire)
        wire.sendall(GREETINGS[self.protocol])
        with wire.makefile("rb") as told:
            while line := told.readline():
                self.lines.append(line)
                reply = REPLIES[self.protocol](line)
                if line.strip().upper().endswith((b"STARTTLS", b"STLS")):
                    wire.sendall(reply + self.glued)
                    return self._listen_in_secret(wire)
                if self.cut_at and line.startswith(self.cut_at):
                    wire.sendall(reply[: len(reply) // 2])
                    return self._reset(wire)
                wire.sendall(reply)
        return None

    def _reset(self, wire: socket.socket) -> None:
        """Break off as a machine does that loses its power."""
        until(lambda: not unsent(wire), "half an answer")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _listen_in_secret(self, wire: socket.socket) -> None:
        """Hear what is said once TLS is up, without a word of our own."""
        assert self.pair is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pair.certificate, self.pair.key)
        try:
            with (
                context.wrap_socket(wire, server_side=True) as secured,
                secured.makefile("rb") as told,
            ):
                self.lines += told.readlines()
        except OSError as failure:
            self.failures.append(str(failure))


def unsent(wire: socket.socket) -> int:
    """Return how many octets the peer's kernel has not taken (tcp(7), SIOCOUTQ)."""
    answer = fcntl.ioctl(wire, termios.TIOCOUTQ, b"\0" * 4)
    return int.from_bytes(answer, sys.byteorder)


@contextmanager
def fake_backend(
    protocol: str,
    pair: Pair | None = None,
    *,
    by_tls: bool = False,
    glued: bytes = b"",
    cut_at: bytes = b"",
) -> Iterator[FakeBackend]:
    """Run a backend that records."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        backend = FakeBackend(protocol, listener, pair, by_tls, glued, cut_at)
        thread = threading.Thread(target=backend.serve)
        thread.start()
        try:
            yield backend
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)
            assert not thread.is_alive()
