"""A mail client that comes for its handshake, and tells what it has seen of it."""

from collections.abc import Callable
from pathlib import Path
from socket import create_connection, socket
from ssl import (
    CERT_REQUIRED,
    MemoryBIO,
    SSLContext,
    SSLObject,
    SSLSession,
    SSLWantReadError,
    SSLZeroReturnError,
)
from typing import TypeVar

from attrs import define, frozen

from tests.interop.machine import PATIENCE
from tests.page.site import Site
from tests.tls.clients import client

T = TypeVar("T")

IN_LINE = {
    "imap": (b"a STARTTLS\r\n",),
    "pop3": (b"STLS\r\n",),
    "smtp": (b"EHLO visitor\r\n", b"STARTTLS\r\n"),
}
"""What leads to TLS."""

GOODBYES = (b"* BYE", b"-ERR", b"421")
"""What comes in place of a greeting where a client may not stay."""

FAREWELLS = {"imap": b"z LOGOUT\r\n", "pop3": b"QUIT\r\n", "smtp": b"QUIT\r\n"}


@frozen
class Visit:
    """What a client has seen."""

    version: str
    cipher: str
    session_id: bytes
    """What the ServerHello says: RFC 5246 section 7.4.1.3."""
    session: SSLSession | None
    """What the client may offer when it comes again."""
    resumed: bool
    said: bytes
    """All that the server said inside TLS."""

    @property
    def has_ticket(self) -> bool:
        """Whether the server sent a ticket."""
        return self.session is not None and self.session.has_ticket


def visitor(ca: Path, *versions: str, ciphers: str = "ALL:@SECLEVEL=0") -> SSLContext:
    """Return a client that speaks these versions and believes a CA."""
    context = client(None, *versions, ciphers=ciphers)
    context.verify_mode = CERT_REQUIRED
    context.check_hostname = True
    context.load_verify_locations(ca)
    return context


def visit(
    site: Site,
    name: str,
    context: SSLContext,
    session: SSLSession | None = None,
    *,
    in_line: bool = False,
) -> Visit:
    """Connect to a server, shake hands, and say goodbye. Raises SSLError."""
    protocol = site.protocols[name]
    with _connected(site, name) as wire:
        if in_line:
            _ask_for_tls(wire, protocol)
        conversation = _Conversation.over(wire, context, session)
        return conversation.visit(FAREWELLS[protocol], in_line=in_line)


def greeting(site: Site, name: str) -> bytes:
    """Return what a server says first in the clear."""
    with _connected(site, name) as wire, wire.makefile("rb") as lines:
        return lines.readline()


def answer_to_starttls(site: Site, name: str) -> bytes:
    """Return what a server says in the clear to who asks for TLS."""
    with _connected(site, name) as wire:
        return _ask_for_tls(wire, site.protocols[name])


def _connected(site: Site, name: str) -> socket:
    return create_connection(("127.0.0.1", site.ports[name]), PATIENCE)


def _ask_for_tls(wire: socket, protocol: str) -> bytes:
    with wire.makefile("rb") as lines:
        answer = lines.readline()
        for command in IN_LINE[protocol]:
            wire.sendall(command)
            while (answer := lines.readline()).startswith(b"250-"):
                pass
    return answer


@define
class _Conversation:
    """TLS over a socket."""

    wire: socket
    tls: SSLObject
    incoming: MemoryBIO
    outgoing: MemoryBIO
    received: bytes = b""

    @classmethod
    def over(
        cls, wire: socket, context: SSLContext, session: SSLSession | None
    ) -> "_Conversation":
        incoming, outgoing = MemoryBIO(), MemoryBIO()
        tls = context.wrap_bio(
            incoming, outgoing, server_hostname="localhost", session=session
        )
        return cls(wire, tls, incoming, outgoing)

    def visit(self, farewell: bytes, *, in_line: bool) -> Visit:
        """Shake hands, wait for a greeting if there is one, and say goodbye."""
        self.step(self.tls.do_handshake)
        session_id = _session_id(self.received)
        said = b"" if in_line else self.read()
        if not said.startswith(GOODBYES):
            self.tls.write(farewell)
            self.flush()
            said += b"".join(iter(self.read, b""))
        cipher, _version, _bits = self.tls.cipher() or ("", "", 0)
        return Visit(
            self.tls.version() or "",
            cipher,
            session_id,
            self.tls.session,  # behind the handshake, where TLS 1.3 has its tickets
            bool(self.tls.session_reused),
            said,
        )

    def step(self, work: Callable[[], T]) -> T:
        """Do something that may need octets of the server first."""
        while True:
            try:
                return work()
            except SSLWantReadError:
                self.flush()
                octets = self.wire.recv(2**16)
                self.received += octets
                self.incoming.write(octets) if octets else self.incoming.write_eof()

    def flush(self) -> None:
        self.wire.sendall(self.outgoing.read())

    def read(self) -> bytes:
        """Return what the server says next; nothing at the end."""
        try:
            return self.step(lambda: self.tls.read(2**16))
        except SSLZeroReturnError:
            return b""


def _session_id(flight: bytes) -> bytes:
    """Find the session id in a ServerHello, the first of all that a server says.

    RFC 5246: 5 octets of a record's head, 4 of a message's, 2 of the version, 32 of
    random, and then the id, with its length in front.
    """
    start = 5 + 4 + 2 + 32
    return flight[start + 1 : start + 1 + flight[start]]
