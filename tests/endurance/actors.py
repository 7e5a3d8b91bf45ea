"""What people and programs do to a gateway all day, each again and again."""

import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from imaplib import IMAP4
from poplib import error_proto
from random import Random
from smtplib import SMTPAuthenticationError

from attrs import define, field

from tests.fuzz.dialogues import CLIENT_HELLO, INJECTED, STARTTLS
from tests.interop.clients import imap, imap_of, message, pop3, pop3_of, smtp, token
from tests.interop.gateway import SECURITIES, SHIPPED_PORTS, Doors, Security
from tests.interop.machine import PATIENCE, until
from tests.interop.people import WRONG, Person
from tests.process.visits import Guest

SIZES = (1, 1_000, 70_000, 300_000)
"""Octets of a message's body."""


@define
class Stage:
    """Where actors play, and how they are told to hold still."""

    doors: Doors
    reloads: bool = False
    """Whether sessions may be ended by it."""
    counts: Counter[str] = field(factory=Counter)
    failures: list[str] = field(factory=list)
    stop: threading.Event = field(factory=threading.Event)
    still: threading.Event = field(factory=threading.Event)
    """Set while nobody but those who idle may have a connection."""


@define
class Actor:
    """Somebody with a mailbox of their own."""

    stage: Stage
    person: Person
    dice: Random
    deed: Callable[["Actor"], None]
    guest: Guest | None = None
    busy: bool = False
    at_home: bool = False
    """Logged in, for good."""

    @property
    def stays(self) -> bool:
        """Whether nobody may ask for a connection less."""
        return self.deed is idles

    def play(self) -> None:
        """Do it again and again, until it is over."""
        while not self.stage.stop.is_set():
            if self.stage.still.is_set() and not self.stays:
                self.stage.stop.wait(0.05)
                continue
            self.busy = True
            try:
                self.deed(self)
                self.stage.counts[self.deed.__name__] += 1
            except Exception as failure:  # whatever a client library makes of it
                self.stage.failures.append(f"{self.deed.__name__}: {failure!r}")
            finally:
                self.busy = False
            self.stage.stop.wait(self.dice.uniform(0.1, 0.5))

    @property
    def security(self) -> Security:
        """One of both, by chance."""
        return self.dice.choice(SECURITIES)

    def body(self) -> str:
        """Return lines of some length, all in all."""
        size = self.dice.choice(SIZES)
        line = self.dice.randbytes(37).hex() + "\r\n"
        return line * (1 + size // len(line))


def looks(actor: Actor) -> None:
    """Log in by IMAP, look, and log out."""
    client = imap_of(actor.stage.doors, actor.person, actor.security)
    with client:
        assert client.select("INBOX")[0] == "OK"
        assert client.noop()[0] == "OK"


def keeps(actor: Actor) -> None:
    """Put a message into a folder, read it back, and delete it."""
    body = actor.body()
    sent = message(token(), body)
    with imap_of(actor.stage.doors, actor.person, actor.security) as client:
        assert client.append("INBOX", "", "", sent)[0] == "OK"
        client.select("INBOX")
        _, found = client.fetch("*", "(BODY.PEEK[])")
        [_, octets] = next(part for part in found if isinstance(part, tuple))
        assert sha256(octets).digest() == sha256(sent).digest(), "other octets"
        client.store("1:*", "+FLAGS", "\\Deleted")
        client.expunge()


def writes(actor: Actor) -> None:
    """Send a message by SMTP, fetch it by POP3, and delete it."""
    address, subject, body = actor.person.name, token(), actor.body()
    with smtp(actor.stage.doors, actor.security) as sender:
        sender.login(*_name_and_password(actor.person))
        sender.sendmail(address, [address], message(subject, body))
    client = pop3_of(actor.stage.doors, actor.person, actor.security)
    try:
        count, _ = client.stat()
        assert count > 0, "nothing has come"
        _, lines, _ = client.retr(count)
        assert b"\r\n".join(lines).endswith(body.strip().encode()), "other octets"
        for number in range(1, count + 1):
            client.dele(number)
    finally:
        client.quit()


def forgets(actor: Actor) -> None:
    """Log in with a password that is wrong."""
    name, doors, security = actor.person.name, actor.stage.doors, actor.security
    match actor.dice.randrange(3):
        case 0:
            with imap(doors, security) as client:
                try:
                    client.login(name, WRONG)
                except IMAP4.error:
                    return
        case 1:
            box = pop3(doors, security)
            try:
                box.user(name)
                box.pass_(WRONG)
            except error_proto:
                return
            finally:
                box.close()
        case _:
            with smtp(doors, security) as sender:
                try:
                    sender.login(name, WRONG)
                except SMTPAuthenticationError:
                    return
    raise AssertionError("a wrong password has opened")


def resumes(actor: Actor) -> None:
    """Come, and come back with the session of before."""
    if actor.guest is None or actor.dice.random() < 0.1:
        protocol, security = actor.dice.choice(tuple(SHIPPED_PORTS))
        port = actor.stage.doors.port(protocol, security)
        actor.guest = Guest.of(protocol, security, port)
        actor.guest.come_anew()
    visit = actor.guest.come_back()
    actor.stage.counts["resumed" if visit.resumed else "not resumed"] += 1


def breaks_off(actor: Actor) -> None:
    """Connect, begin something, and be gone by a reset."""
    protocol, security = actor.dice.choice(tuple(SHIPPED_PORTS))
    address = ("127.0.0.1", actor.stage.doors.port(protocol, security))
    with socket.create_connection(address, PATIENCE) as wire:
        if security == "tls":
            wire.sendall(CLIENT_HELLO[: actor.dice.randrange(len(CLIENT_HELLO) + 1)])
        else:
            wire.recv(1000)
            wire.sendall(STARTTLS[protocol][: actor.dice.randrange(12)])
        now = struct.pack("ii", 1, actor.dice.choice((0, 0, 1)))
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)


def injects(actor: Actor) -> None:
    """Send something behind STARTTLS, which must end it."""
    protocol = actor.dice.choice(tuple(STARTTLS))
    address = ("127.0.0.1", actor.stage.doors.port(protocol, "starttls"))
    with socket.create_connection(address, PATIENCE) as wire:
        wire.recv(1000)
        wire.sendall(STARTTLS[protocol] + INJECTED[protocol])
        said = b""
        while more := wire.recv(1000):
            said += more
    assert b"INJ" not in said, said
    assert not re.search(rb"begin TLS|Ready to start", said), said


def idles(actor: Actor) -> None:
    """Be logged in and wait, until it is over or a reload has ended it."""
    stage = actor.stage
    client = imap_of(stage.doors, actor.person, actor.security)
    try:
        client.select("INBOX")
        actor.at_home = True
        while not stage.stop.is_set():
            client.send(b"i IDLE\r\n")
            assert client.readline() == b"+ idling\r\n", "no IDLE"
            stage.stop.wait(actor.dice.uniform(1, 5))
            client.send(b"DONE\r\n")
            if not (said := client.readline()):
                raise ConnectionAbortedError("closed while idle")
            assert said.startswith(b"i OK"), said
        client.logout()
    except (OSError, IMAP4.error):
        if not stage.reloads:
            raise
        stage.counts["told to leave"] += 1
    finally:
        actor.at_home = False
        with suppress(OSError):  # it has been closed
            client.shutdown()


def _name_and_password(person: Person) -> tuple[str, str]:
    return person.name, person.password


def await_stillness(stage: Stage, actors: Sequence[Actor]) -> None:
    """Wait until all who must have ended what they did, and all others are there."""

    def restless() -> list[str]:
        return [
            each.deed.__name__
            for each in actors
            if (not each.at_home if each.stays else each.busy)
        ]

    try:
        until(lambda: not restless(), "stillness", 2 * PATIENCE)
    except AssertionError as never:
        stage.failures.append(f"{never}: {restless()}")
