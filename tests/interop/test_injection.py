"""Plaintext glued behind STARTTLS, at every cut, on real sockets.

CVE-2011-0411 and its kin: what comes in the clear behind the command must neither be
executed at once nor be taken for the first words under TLS.
"""

import socket
import ssl
import time

import pytest

from tests.interop.clients import imap_of
from tests.interop.gateway import Doors
from tests.interop.machine import PATIENCE
from tests.interop.people import ALICE

pytestmark = pytest.mark.interop

PAUSE = 0.005
"""Long enough for a segment of its own, and for the gateway to read it."""

COMMANDS = {
    "imap": (b"a STARTTLS\r\n", b"b CAPABILITY\r\n", b"a OK ", b"b OK"),
    "pop3": (b"STLS\r\n", b"CAPA\r\n", b"+OK begin TLS", b"Capability list"),
    "smtp": (b"STARTTLS\r\n", b"EHLO x\r\n", b"220 2.0.0", b"250"),
}

TO_TLS = {"smtp": b"EHLO x\r\n"}
"""What must be said before STARTTLS may be."""


@pytest.mark.parametrize("protocol", COMMANDS)
def test_glued_plaintext_ends_it_at_every_cut(embedded: Doors, protocol: str) -> None:
    command, injected, go_ahead, answer = COMMANDS[protocol]
    whole = command + injected
    for cut in range(1, len(whole)):
        said = say_in_two_pieces(embedded, protocol, whole[:cut], whole[cut:])
        assert answer not in said, f"executed when cut at {cut}"
        if cut != len(command):
            assert go_ahead not in said, f"invited when cut at {cut}"
    with imap_of(embedded, ALICE) as client:
        assert client.noop()[0] == "OK"


@pytest.mark.parametrize("protocol", COMMANDS)
def test_glued_plaintext_ends_it_when_tls_follows_at_once(
    embedded: Doors, protocol: str
) -> None:
    command, injected, _, answer = COMMANDS[protocol]
    hello = client_hello(embedded)
    said = say_in_two_pieces(embedded, protocol, command, injected + hello)
    assert answer not in said
    said = say_in_two_pieces(embedded, protocol, command + injected, hello)
    assert answer not in said


@pytest.mark.parametrize("protocol", COMMANDS)
def test_command_alone_is_invited(embedded: Doors, protocol: str) -> None:
    """Or nothing above would prove anything."""
    command, _, go_ahead, _ = COMMANDS[protocol]
    for cut in range(1, len(command)):
        pieces = (command[:cut], command[cut:])
        assert go_ahead in say_in_two_pieces(embedded, protocol, *pieces)


def say_in_two_pieces(
    doors: Doors, protocol: str, first: bytes, second: bytes
) -> bytes:
    """Send two segments, and return all that is said from the greeting on."""
    address = ("127.0.0.1", doors.port(protocol, "starttls"))
    with socket.create_connection(address, PATIENCE) as wire:
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.recv(4096)
        if protocol in TO_TLS:
            wire.sendall(TO_TLS[protocol])
            while b"250 " not in wire.recv(4096):
                pass
        wire.sendall(first)
        time.sleep(PAUSE)
        return exhaust(wire, second)


def exhaust(wire: socket.socket, last: bytes) -> bytes:
    """Send the last piece, and read until the gateway has closed its side."""
    said = b""
    try:
        wire.sendall(last)
        wire.shutdown(socket.SHUT_WR)
        while chunk := wire.recv(4096):
            said += chunk
    except (BrokenPipeError, ConnectionResetError):
        pass  # it did not even wait for the last piece
    return said


def client_hello(doors: Doors) -> bytes:
    """Return the first flight of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = doors.trust().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()
