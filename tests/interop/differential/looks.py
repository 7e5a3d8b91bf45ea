"""What is looked at, with nginx and with us, that is no line of a dialogue."""

import signal
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from attrs import frozen
from cryptography import x509

from tests.interop.background import Background
from tests.interop.certificates import issue
from tests.interop.differential.fronts import FRONT
from tests.interop.machine import PATIENCE, until

A_MOMENT = 0.8
"""Seconds in which whoever answers at all has answered."""


@frozen
class Front:
    """One of the two, and where it listens."""

    program: Background
    directory: Path
    ports: Mapping[str, int]

    def connect(self, server: str) -> socket.socket:
        """Connect to one of the servers."""
        stream = socket.create_connection((FRONT, self.ports[server]), PATIENCE)
        stream.settimeout(PATIENCE)
        return stream

    def secured(
        self,
        server: str,
        name: str | None = None,
        context: ssl.SSLContext | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """Connect, and speak TLS at once."""
        return (context or trusting()).wrap_socket(
            self.connect(server),
            server_hostname=name,
            session=session,
            suppress_ragged_eofs=False,
        )


def trusting() -> ssl.SSLContext:
    """Believe anybody."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def heard(stream: socket.socket, until_idle: float = A_MOMENT) -> bytes:
    """Return all that comes until nothing more does."""
    stream.settimeout(until_idle)
    said = b""
    with suppress(TimeoutError, ssl.SSLWantReadError):
        while octets := stream.recv(4096):
            said += octets
    return said


def shown(stream: ssl.SSLSocket) -> str:
    """Return whose certificate a server shows."""
    certificate = x509.load_der_x509_certificate(stream.getpeercert(True) or b"")
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return names.value.get_values_for_type(x509.DNSName)[0]


def keepalive(front: Front) -> bool:
    """Whether the server's end has a timer for probes, as the kernel tells."""
    with front.connect("plain") as client:
        client.recv(100)
        ours = f":{client.getsockname()[1]:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines():
            _, local, remote, _, _, timer, *_ = line.split()
            if remote.endswith(ours) and local.endswith(f":{front.ports['plain']:04X}"):
                return timer.startswith("02:")
    raise AssertionError("there is no such connection")


def name_that_was_asked_for(front: Front) -> list[str]:
    """Whose certificates the same server shows to whom asks for either."""
    found = []
    for name in ("a.test", "b.test"):
        with front.secured("names", name) as client:
            found.append(shown(client))
    return found


def command_behind_finished(front: Front) -> bool:
    """Whether a command is answered that comes in the segment of our Finished."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting().wrap_bio(incoming, outgoing)
    with front.connect("last") as client:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                incoming.write(client.recv(65536))
        tls.write(b"a1 NOOP\r\n")
        client.sendall(outgoing.read())
        said = b""
        incoming.write(heard(client))
        with suppress(ssl.SSLWantReadError):
            while octets := tls.read():
                said += octets
    return b"a1 OK" in said


def name_in_the_log(front: Front) -> bool:
    """Whether a control character of a client's stands in the log as it came."""
    with front.connect("plain") as client:
        client.recv(100)
        client.sendall(b'a1 LOGIN "jo\x1be" secret\r\n')
        client.recv(100)
    log = front.directory / "error.log"
    until(lambda: b"client login failed" in log.read_bytes(), "the log")
    return b"jo\x1be" in log.read_bytes()


def time_behind_starttls(front: Front) -> bool:
    """Whether silence behind STARTTLS gets a time of its own."""
    began = time.monotonic()
    with front.connect("starttls") as client:
        client.recv(100)
        time.sleep(1.5)
        client.sendall(b"a1 STARTTLS\r\n")
        while client.recv(100):
            pass
    return time.monotonic() - began > 2.8


def session_of_another_server(front: Front) -> bool:
    """Whether it resumes where a client certificate must be shown."""
    context = trusting()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with front.secured("may", context=context) as client:
        client.recv(100)
        session = client.session
    with front.secured("may", context=context, session=session) as client:
        assert client.session_reused
    with front.secured("must", context=context, session=session) as client:
        return bool(client.session_reused)


def end_behind_a_reset(front: Front) -> str:
    """How a session ends whose backend has crashed."""
    with front.secured("last") as client:
        client.recv(1000)
        client.sendall(b"a1 LOGIN test@example.com secret\r\n")
        assert client.recv(1000).startswith(b"a1 OK")
        client.sendall(b"a2 CRASH\r\n")
        try:
            return "clean" if client.recv(1000) == b"" else "data"
        except (ssl.SSLEOFError, ConnectionResetError):
            return "truncated"


def certificate_that_has_changed(front: Front) -> str:
    """Whose certificate is shown when another has been written to the disk."""
    new = issue(front.directory / "new", "new.test")
    for old, fresh in (("cert.pem", new.certificate), ("key.pem", new.key)):
        (front.directory / "watched" / old).write_bytes(fresh.read_bytes())
    deadline = time.monotonic() + 2.5
    name = "old.test"
    while name == "old.test" and time.monotonic() < deadline:
        with front.secured("watched") as client:
            name = shown(client)
        time.sleep(0.2)
    return name


def word_at_a_stop(front: Front) -> bytes:
    """What a silent client hears of a stop; nobody serves behind it."""
    with front.connect("plain") as client:
        client.recv(1000)
        front.program.signal(signal.SIGQUIT)
        return heard(client)


Look: TypeAlias = Callable[[Front], object]

LOOKS: Mapping[str, tuple[Look, object, object]] = {
    "kept-alive": (keepalive, False, True),
    "certificate-by-name": (
        name_that_was_asked_for, ["b.test", "b.test"], ["a.test", "b.test"],
    ),
    "finished-and-command": (command_behind_finished, False, True),
    "escaped-logs": (name_in_the_log, True, False),
    "one-budget": (time_behind_starttls, True, False),
    "sessions-at-home": (session_of_another_server, True, False),
    "truncation": (end_behind_a_reset, "clean", "truncated"),
    "watched-certificates": (certificate_that_has_changed, "old.test", "new.test"),
    "told-shutdown": (word_at_a_stop, b"", b"* BYE server is shutting down\r\n"),
}  # fmt: skip
"""What is seen with nginx, and what with us; the last ends the program."""
