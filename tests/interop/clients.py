"""Python's own mail clients at a gateway's door, with TLS up and nobody logged in."""

import secrets
from imaplib import IMAP4, IMAP4_SSL
from poplib import POP3, POP3_SSL
from smtplib import SMTP, SMTP_SSL

from tests.interop.gateway import Doors, Security
from tests.interop.machine import PATIENCE, until
from tests.interop.people import Person


def imap(doors: Doors, security: Security) -> IMAP4:
    """Connect to IMAP."""
    port = doors.port("imap", security)
    if security == "tls":
        return IMAP4_SSL("localhost", port, ssl_context=doors.trust(), timeout=PATIENCE)
    client = IMAP4("localhost", port, timeout=PATIENCE)
    client.starttls(doors.trust())
    return client


def pop3(doors: Doors, security: Security) -> POP3:
    """Connect to POP3."""
    port = doors.port("pop3", security)
    if security == "tls":
        return POP3_SSL("localhost", port, context=doors.trust(), timeout=PATIENCE)
    client = POP3("localhost", port, timeout=PATIENCE)
    client.stls(doors.trust())
    return client


def smtp(doors: Doors, security: Security) -> SMTP:
    """Connect to submission."""
    port = doors.port("smtp", security)
    if security == "tls":
        return SMTP_SSL("localhost", port, context=doors.trust(), timeout=PATIENCE)
    client = SMTP("localhost", port, timeout=PATIENCE)
    client.starttls(context=doors.trust())
    return client


def imap_of(doors: Doors, person: Person, security: Security = "tls") -> IMAP4:
    """Log in to IMAP, whatever the name and the password may hold."""
    client = imap(doors, security)
    client.authenticate("PLAIN", lambda _challenge: b"\0%b\0%b" % person.octets)
    return client


def pop3_of(doors: Doors, person: Person, security: Security = "tls") -> POP3:
    """Log in to POP3."""
    client = pop3(doors, security)
    client.user(person.name)
    client.pass_(person.password)
    return client


def token() -> str:
    """Return a word that stands in no other message."""
    return f"token{secrets.token_hex(8)}"


def message(subject: str, body: str = "hello\r\n") -> bytes:
    """Return a message that can be found by its subject."""
    return (
        f"From: alice@example.org\r\nTo: bob@example.org\r\nSubject: {subject}\r\n"
        f"Date: Wed, 25 Nov 2026 12:00:00 +0000\r\n"
        f"Message-ID: <{subject}@example.org>\r\n\r\n{body}"
    ).encode()


def numbers_of(client: IMAP4, subject: str) -> list[str]:
    """Return the messages with this subject in the selected folder."""
    client.noop()
    _, [found] = client.search(None, "SUBJECT", f'"{subject}"')
    return bytes(found).decode().split()


def await_arrival(client: IMAP4, subject: str) -> str:
    """Wait until one message of this subject has arrived; return its number."""
    until(lambda: bool(numbers_of(client, subject)), f"arrival of {subject}")
    [number] = numbers_of(client, subject)
    return number


def fetch(client: IMAP4, number: str) -> bytes:
    """Return the octets of a message."""
    _, [parts, *_] = client.fetch(number, "(BODY.PEEK[])")
    assert isinstance(parts, tuple)
    return bytes(parts[1])
