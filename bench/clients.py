"""Mail clients: as plain as can be, so that they wait for nothing but the server."""

import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import IPPROTO_TCP, TCP_NODELAY, create_connection, socket

PATIENCE = 60.0
USER, PASSWORD = b"joe@example.org", b"secret"
PLAIN = b64encode(b"\0%b\0%b" % (USER, PASSWORD))
ROOM = 262_144


class Client:
    """A connection, and the dialogue over it."""

    def __init__(self, port: int) -> None:
        self.socket: socket = create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self._heard = b""

    def secure(
        self, context: ssl.SSLContext, session: ssl.SSLSession | None = None
    ) -> None:
        """Speak TLS from here on."""
        self.socket = context.wrap_socket(self.socket, session=session)

    def hear(self, end: bytes) -> bytes:
        """Read up to a line that begins like this, and to its end."""
        while True:
            at = 0
            while (stop := self._heard.find(b"\n", at)) >= 0:
                if self._heard.startswith(end, at):
                    heard, self._heard = (
                        self._heard[: stop + 1],
                        self._heard[stop + 1 :],
                    )
                    return heard
                at = stop + 1
            if not (data := self.socket.recv(ROOM)):
                raise EOFError(f"closed where {end!r} was to come: {self._heard!r}")
            self._heard += data

    def ask(self, line: bytes, end: bytes) -> bytes:
        """Say a line, and hear the answer."""
        self.socket.sendall(line + b"\r\n")
        return self.hear(end)

    def drop(self, count: int) -> None:
        """Read so many octets, and forget them."""
        count -= len(self._heard)
        self._heard = b""
        room = memoryview(bytearray(ROOM))
        while count > 0:
            got = self.socket.recv_into(room[: min(ROOM, count)])
            if not got:
                raise EOFError
            count -= got

    def leave(self) -> None:
        """Read to the end, and close."""
        try:
            while self.socket.recv(ROOM):
                continue
        except ssl.SSLEOFError:
            pass
        self.socket.close()


def trusting() -> ssl.SSLContext:
    """Return a context that takes any certificate, by TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


TLS = trusting()


def imap(client: Client) -> None:
    """Log in."""
    client.ask(b"a LOGIN %b %b" % (USER, PASSWORD), b"a OK")


def imaps(port: int, session: ssl.SSLSession | None = None) -> Client:
    """Return a client that has logged in over TLS."""
    client = Client(port)
    client.secure(TLS, session)
    client.hear(b"* OK")
    imap(client)
    return client


def imap_plain(port: int) -> Client:
    """Return a client that has logged in in the clear."""
    client = Client(port)
    client.hear(b"* OK")
    imap(client)
    return client


def imap_session(port: int, session: ssl.SSLSession | None = None) -> None:
    """Live from connect to the last octet."""
    client = imaps(port, session)
    client.ask(b"b NOOP", b"b OK")
    client.ask(b"c LOGOUT", b"c OK")
    client.leave()


def imap_starttls(port: int) -> None:
    """The same, by STARTTLS."""
    client = Client(port)
    client.hear(b"* OK")
    client.ask(b"s STARTTLS", b"s OK")
    client.secure(TLS)
    imap(client)
    client.ask(b"b NOOP", b"b OK")
    client.ask(b"c LOGOUT", b"c OK")
    client.leave()


def pop3_starttls(port: int) -> None:
    """The same in POP3."""
    client = Client(port)
    client.hear(b"+OK")
    client.ask(b"STLS", b"+OK")
    client.secure(TLS)
    for line in (b"USER " + USER, b"PASS " + PASSWORD, b"NOOP", b"QUIT"):
        client.ask(line, b"+OK")
    client.leave()


def smtp_starttls(port: int) -> None:
    """The same in SMTP."""
    client = Client(port)
    client.hear(b"220 ")
    client.ask(b"EHLO bench", b"250 ")
    client.ask(b"STARTTLS", b"220 ")
    client.secure(TLS)
    client.ask(b"EHLO bench", b"250 ")
    client.ask(b"AUTH PLAIN " + PLAIN, b"235 ")
    client.ask(b"NOOP", b"250 ")
    client.ask(b"QUIT", b"221 ")
    client.leave()


def handshake(port: int) -> None:
    """Shake hands, hear the greeting, and go."""
    client = Client(port)
    client.secure(TLS)
    client.hear(b"* OK")
    client.socket.close()


def to_resume(port: int) -> ssl.SSLSession | None:
    """Return a session that the server may resume."""
    client = imaps(port)
    session: ssl.SSLSession | None = client.socket.session  # type: ignore[attr-defined]
    client.ask(b"c LOGOUT", b"c OK")
    client.leave()
    return session


def resumed_session(port: int) -> Callable[[], None]:
    """Return what lives a session that is resumed from the one before it."""
    last = to_resume(port)

    def live() -> None:
        nonlocal last
        client = imaps(port, last)
        assert client.socket.session_reused, "not resumed"  # type: ignore[attr-defined]
        last = client.socket.session  # type: ignore[attr-defined]
        client.ask(b"b NOOP", b"b OK")
        client.ask(b"c LOGOUT", b"c OK")
        client.leave()

    return live


def greeting_time(port: int) -> float:
    """Return the seconds from TCP's connect to the greeting behind TLS."""
    began = time.perf_counter()
    client = Client(port)
    client.secure(TLS)
    client.hear(b"* OK")
    took = time.perf_counter() - began
    client.socket.close()
    return took


def reply_time(port: int) -> float:
    """Return the seconds from LOGIN to its answer."""
    client = Client(port)
    client.secure(TLS)
    client.hear(b"* OK")
    began = time.perf_counter()
    imap(client)
    took = time.perf_counter() - began
    client.ask(b"c LOGOUT", b"c OK")
    client.leave()
    return took


def download(client: Client, megabytes: int) -> None:
    """Have the backend send."""
    client.socket.sendall(b"d FETCH %d\r\n" % megabytes)
    client.drop(megabytes * 1_048_576)
    client.hear(b"d OK")


def upload(client: Client, megabytes: int) -> None:
    """Have the backend take."""
    client.socket.sendall(b"u APPEND %d\r\n" % megabytes)
    client.socket.sendall(bytes(1_048_576) * megabytes)
    client.hear(b"u OK")


@contextmanager
def idle_sessions(port: int, count: int) -> Iterator[list[Client]]:
    """Hold sessions that say nothing."""
    clients: list[Client] = []
    try:
        clients.extend(imaps(port) for _ in range(count))
        yield clients
    finally:
        for client in clients:
            client.socket.close()
