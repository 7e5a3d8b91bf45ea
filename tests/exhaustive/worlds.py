"""The sessions that are played, each in every mode, and whom it talks to."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product

from attrs import field, frozen

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import (
    Accepted,
    Apop,
    Bearer,
    Credentials,
    Digest,
    Envelope,
    External,
    Password,
)
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy, XClient
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
    enabled: tuple[type[Credentials], ...] = ()
    """What may leave the session, where it faces clients."""
    opening: tuple[bytes, ...] = ()
    """What brings a session born in TLS to where another is behind StartTls."""
    secrets: tuple[bytes, ...] = ()
    """The octets that must not be seen, where the session faces a backend."""
    untold: tuple[bytes, ...] = ()
    """Those of them that the operator must not read either."""
    proofs: tuple[tuple[bytes, ...], ...] = ()
    """What a backend must have been told to believe us: all of one of these."""
    ledger: Ledger | None = None
    """Kept where the session faces clients: nothing said, nothing owed."""

    @property
    def faces_clients(self) -> bool:
        """Whether this is a server session."""
        return self.ledger is not None


CHALLENGE = b"<1896.697170952@mx>"
"""Always the same, or no two sessions would be alike."""

KINDS = (Password, Digest, Apop, External, Bearer, Envelope)

BASIC = ("PLAIN", "LOGIN")
ALL = (*BASIC, "CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER")


def policy(mode: StartTlsMode, max_errors: int) -> Policy:
    """Enable all that there is where clients are let to use it, else the least."""
    if max_errors == STRICT:
        return Policy("mx", mode, BASIC, ("USER",), max_errors)
    return Policy(
        "mx", mode, ALL, ("USER",), max_errors, apop=True, unauthenticated=True
    )


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
        make = partial(self.kind, policy(mode, max_errors), challenge=lambda: CHALLENGE)
        return World(
            title,
            make,
            partial(make, implicit_tls=True),
            self.alphabet,
            self.more,
            mode is StartTlsMode.ONLY,
            welcome=self.welcome,
            enabled=(Password,) if max_errors == STRICT else KINDS,
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
UNTOLD = (SECRETS[1], *SECRETS[3:])
PROOFS = (SECRETS[:2], SECRETS[2:4], SECRETS[4:])

MAIL_CLIENT = Introduction("192.0.2.9", 50123, "198.51.100.1", 993, session="7-42")

TOKEN = Bearer("josé".encode(), b"t0ken", "XOAUTH2")
MESSAGE = b64encode("user=josé\x01auth=Bearer t0ken\x01\x01".encode())


@frozen
class Client:
    """What the worlds of one protocol's client session have in common."""

    kind: Callable[..., ClientSession]
    alphabet: Alphabet
    of_tokens: Alphabet
    of_clients: Alphabet
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
                untold=UNTOLD,
                proofs=PROOFS,
            )
        yield World(
            f"{name} client, with a token, in TLS",
            partial(self.kind, TOKEN, implicit_tls=True),
            partial(self.kind, TOKEN, implicit_tls=True),
            self.of_tokens,
            {},
            needs_tls=True,
            opening=(self.greeting,),
            secrets=(TOKEN.authcid, TOKEN.token, MESSAGE),
            untold=(TOKEN.token, MESSAGE),
            proofs=((MESSAGE,),),
        )
        told = partial(
            self.kind,
            CREDENTIALS,
            implicit_tls=True,
            client=MAIL_CLIENT,
            policy=ProxyPolicy(XClient.ON),
        )
        yield World(
            f"{name} client, which tells of its own, in TLS",
            told,
            told,
            self.of_clients,
            {},
            needs_tls=True,
            opening=(self.greeting,),
            secrets=SECRETS,
            untold=UNTOLD,
            proofs=PROOFS,
        )


CLIENTS: Mapping[str, Client] = {
    "POP3": Client(
        Pop3Client,
        alphabets.POP3_BACKEND,
        alphabets.POP3_TOKEN_BACKEND,
        alphabets.POP3_TOLD_BACKEND,
        b"+OK ready\r\n",
    ),
    "SMTP": Client(
        SmtpClient,
        alphabets.SMTP_BACKEND,
        alphabets.SMTP_TOKEN_BACKEND,
        alphabets.SMTP_TOLD_BACKEND,
        b"220 mx\r\n",
    ),
    "IMAP": Client(
        ImapClient,
        alphabets.IMAP_BACKEND,
        alphabets.IMAP_TOKEN_BACKEND,
        alphabets.IMAP_TOLD_BACKEND,
        b"* OK ready\r\n",
    ),
}

CLIENT_WORLDS: Mapping[str, World] = {
    world.title: world
    for name, client in CLIENTS.items()
    for world in client.worlds(name)
}
