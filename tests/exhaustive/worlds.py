"""The sessions that are played, each in every mode, and whom it talks to."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product

from attrs import field, frozen

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Accepted, Password
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, ServerSession, StartTlsMode
from mailssl_trio.protocol.smtp.client import SmtpClient
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.exhaustive import alphabets, ledger
from tests.exhaustive.alphabets import Alphabet
from tests.exhaustive.ledger import Ledger

PATIENT, STRICT = 1000, 2
"""How many errors end a session: more than are made, and nearly none."""


@frozen
class World:
    """One kind of session in one mode, and whom it talks to."""

    title: str
    make: Callable[[], Session]
    make_in_tls: Callable[[], Session]
    alphabet: Alphabet
    more: Alphabet
    """Further words, for shorter conversations."""
    needs_tls: bool
    """Whether no credential may leave the session in the clear."""
    welcome: Accepted = field(factory=Accepted)
    """What a backend says to a login that succeeds."""
    opening: tuple[bytes, ...] = ()
    """What brings a session born in TLS to where another is behind StartTls."""
    secrets: tuple[bytes, ...] = ()
    """The octets that must not be seen, where the session faces a backend."""
    ledger: Ledger | None = None
    """Kept where the session faces clients: nothing said, nothing owed."""

    @property
    def faces_clients(self) -> bool:
        """Whether this is a server session."""
        return self.ledger is not None


@frozen
class Server:
    """What the worlds of one protocol's server session have in common."""

    kind: Callable[..., ServerSession]
    alphabet: Alphabet
    more: Alphabet
    welcome: Accepted
    tongue: ledger.Tongue

    def world(self, name: str, mode: StartTlsMode, max_errors: int) -> World:
        """Return the world of one mode."""
        title = f"{name} server, starttls {mode.value}, {max_errors} errors allowed"
        policy = Policy("mx", mode, ("PLAIN", "LOGIN"), ("USER",), max_errors)
        return World(
            title,
            lambda: self.kind(policy),
            lambda: self.kind(policy, implicit_tls=True),
            self.alphabet,
            self.more,
            mode is StartTlsMode.ONLY,
            welcome=self.welcome,
            ledger=Ledger(self.tongue),
        )


SERVERS: Mapping[str, Server] = {
    "POP3": Server(
        Pop3Server,
        alphabets.POP3_CLIENT,
        alphabets.POP3_CLIENT_MORE,
        Accepted(b"+OK in\r\n"),
        ledger.POP3,
    ),
    "SMTP": Server(
        SmtpServer,
        alphabets.SMTP_CLIENT,
        alphabets.SMTP_CLIENT_MORE,
        Accepted(b"235-2.7.0 in\r\n235 2.7.0 go\r\n"),
        ledger.SMTP,
    ),
    "IMAP": Server(
        ImapServer,
        alphabets.IMAP_CLIENT,
        alphabets.IMAP_CLIENT_MORE,
        Accepted(b"OK [CAPABILITY IMAP4rev1] in\r\n", b"* CAPABILITY IMAP4rev1\r\n"),
        ledger.IMAP,
    ),
}


SERVER_WORLDS: Mapping[str, World] = {
    world.title: world
    for (name, server), mode, errors in product(
        SERVERS.items(), StartTlsMode, (PATIENT, STRICT)
    )
    for world in (server.world(name, mode, errors),)
}

CREDENTIALS = Password("josé".encode(), b"tan staaf", "josé".encode())
SECRETS = (
    CREDENTIALS.authcid,
    CREDENTIALS.password,
    b"am9zw6k=",  # the user's name in base64,
    b"dGFuIHN0YWFm",  # the password,
    b"am9zw6kAam9zw6kAdGFuIHN0YWFm",  # and both, as PLAIN has them
)


@frozen
class Client:
    """What the worlds of one protocol's client session have in common."""

    kind: Callable[..., ClientSession]
    alphabet: Alphabet
    greeting: bytes

    def worlds(self, name: str) -> Iterator[World]:
        """Yield the worlds in which TLS is not asked for, by STARTTLS, from the start.

        The first shows that the laws are not kept by never logging in.
        """
        for mode, starttls, implicit in (
            ("without TLS", False, False),
            ("with STARTTLS", True, False),
            ("in TLS", False, True),
        ):
            yield World(
                f"{name} client, {mode}",
                partial(
                    self.kind, CREDENTIALS, starttls=starttls, implicit_tls=implicit
                ),
                partial(self.kind, CREDENTIALS, implicit_tls=True),
                self.alphabet,
                {},
                needs_tls=starttls or implicit,
                opening=(self.greeting,),
                secrets=SECRETS,
            )


CLIENTS: Mapping[str, Client] = {
    "POP3": Client(Pop3Client, alphabets.POP3_BACKEND, b"+OK ready\r\n"),
    "SMTP": Client(SmtpClient, alphabets.SMTP_BACKEND, b"220 mx\r\n"),
    "IMAP": Client(ImapClient, alphabets.IMAP_BACKEND, b"* OK ready\r\n"),
}

CLIENT_WORLDS: Mapping[str, World] = {
    world.title: world
    for name, client in CLIENTS.items()
    for world in client.worlds(name)
}
