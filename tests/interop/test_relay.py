"""What passes between client and backend once the login is done."""

import random
import re
from base64 import encodebytes
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from imaplib import IMAP4
from pathlib import Path
from poplib import POP3, POP3_SSL
from smtplib import SMTP, SMTP_SSL
from socket import create_connection
from ssl import SSLEOFError, SSLSocket, create_default_context

import pytest

from tests.interop.backends import Backends
from tests.interop.clients import (
    await_arrival,
    fetch,
    imap_of,
    message,
    numbers_of,
    pop3_of,
    smtp,
    token,
)
from tests.interop.fake_backend import fake_backend
from tests.interop.fronts import each_way
from tests.interop.gateway import Doors, Security, mail_table, serving
from tests.interop.machine import PATIENCE
from tests.interop.people import ALICE, BOB

pytestmark = pytest.mark.interop

MANY_OCTETS = 20 * 1024 * 1024

COMMANDS = {
    "imap": [b"c1 NOOP\r\n", b'c2 SELECT "in box"\r\n', b"c3 EXPUNGE\r\n"],
    "pop3": [b"STAT\r\n", b"LIST\r\n", b"NOOP\r\n"],
    "smtp": [b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<c@d>\r\n", b"NOOP\r\n"],
}

LAST_REPLY = {
    "imap": b"c3 OK did EXPUNGE\r\n",
    "pop3": b"+OK did NOOP\r\n",
    "smtp": b"250 did NOOP\r\n",
}

LOGINS = {
    "imap": b"login AUTHENTICATE PLAIN %b\r\n",
    "pop3": b"AUTH PLAIN %b\r\n",
    "smtp": b"EHLO client.example.org\r\nAUTH PLAIN %b\r\n",
}


def secure(doors: Doors, protocol: str) -> SSLSocket:
    """Connect to a door of implicit TLS, as one who minds how it ends."""
    address = ("127.0.0.1", doors.port(protocol, "tls"))
    wire = create_connection(address, PATIENCE)
    return doors.trust().wrap_socket(
        wire, server_hostname="localhost", suppress_ragged_eofs=False
    )


def test_login_itself_tells_the_backends_capabilities(
    relaying: Mapping[str, Doors],
) -> None:
    """RFC 9051 section 6.2.3: a client may believe what the tagged OK says."""
    with secure(relaying["off"], "imap") as client:
        client.recv(4096)
        client.sendall(b"a LOGIN %b %b\r\n" % ALICE.octets)
        said = b""
        while b"a OK" not in said or not said.endswith(b"\r\n"):
            said += client.recv(4096)
    assert re.search(rb"^a OK \[CAPABILITY [^]]* SORT ", said, re.MULTILINE)


def test_imap_capabilities_after_login_are_the_backends(
    relaying: Mapping[str, Doors], backends: Backends
) -> None:
    with imap_of(relaying["off"], ALICE) as through:
        ours = through.capability()
    assert b"SORT" in ours[1][0]
    with IMAP4("127.0.0.1", backends.dovecot.imap, timeout=PATIENCE) as direct:
        direct.login(ALICE.name, ALICE.password)
        assert direct.capability() == ours


def test_pop3_capabilities_after_login_are_the_backends(
    relaying: Mapping[str, Doors], backends: Backends
) -> None:
    through = pop3_of(relaying["off"], ALICE)
    ours = through.capa()
    through.quit()
    direct: POP3 = POP3_SSL(
        "localhost",
        backends.dovecot.pop3s,
        context=create_default_context(cafile=backends.pair.ca),
    )
    direct.user(ALICE.name)
    direct.pass_(ALICE.password)
    assert direct.capa() == ours
    direct.quit()


def test_smtp_extensions_after_login_are_the_backends(
    relaying: Mapping[str, Doors], backends: Backends
) -> None:
    with smtp(relaying["on"], "tls") as through:
        through.login(ALICE.name, ALICE.password)
        through.ehlo()
        ours = through.esmtp_features
    direct: SMTP
    with SMTP_SSL(
        "localhost",
        backends.postfix.smtps,
        context=create_default_context(cafile=backends.pair.ca),
    ) as direct:
        direct.login(ALICE.name, ALICE.password)
        direct.ehlo()
        assert direct.esmtp_features == ours
    assert "vrfy" in ours


@pytest.mark.parametrize("protocol", COMMANDS)
def test_commands_behind_the_login_reach_the_backend_once_and_in_order(
    protocol: str, tmp_path: Path
) -> None:
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only(protocol, "tls")
    commands = COMMANDS[protocol]
    login = LOGINS[protocol] % ALICE.sasl_plain.encode()
    with fake_backend(protocol) as backend:
        address = f"127.0.0.1:{backend.port}"
        with (
            serving(tmp_path, mail_table(*doors.servers, proxy_pass=address)),
            secure(doors, protocol) as client,
        ):
            client.sendall(login + b"".join(commands))
            read_until(client, LAST_REPLY[protocol])
    assert backend.lines[-len(commands) :] == commands
    assert [backend.lines.count(command) for command in commands] == [1, 1, 1]


def test_backend_that_is_cut_looks_cut_to_its_client(tmp_path: Path) -> None:
    """Half an answer must not look whole: TLS ends without its close_notify."""
    doors = Doors.anywhere(tmp_path / "var/tls/ca.pem").only("pop3", "tls")
    login = LOGINS["pop3"] % ALICE.sasl_plain.encode()
    with fake_backend("pop3", cut_at=b"RETR") as backend:
        address = f"127.0.0.1:{backend.port}"
        with (
            serving(tmp_path, mail_table(*doors.servers, proxy_pass=address)),
            secure(doors, "pop3") as client,
        ):
            client.sendall(login)
            read_until(client, b"+OK did AUTH\r\n")
            client.sendall(b"RETR 1\r\n")
            read_until(client, b"+OK did")
            with pytest.raises(SSLEOFError):
                client.recv(1)


def test_pipelined_session_is_answered_whole(relaying: Mapping[str, Doors]) -> None:
    """A client that says everything at once and closes gets all of its replies."""
    folder = token().encode()
    said = b""
    with secure(relaying["starttls"], "imap") as client:
        client.sendall(
            b"a LOGIN %b %b\r\n" % ALICE.octets
            + b"b CREATE %b\r\nc SELECT %b\r\nd NOOP\r\ne LOGOUT\r\n" % (folder, folder)
        )
        while chunk := client.recv(65536):
            said += chunk
    tags = re.findall(rb"^([a-e]) (\w+)", said, re.MULTILINE)
    assert tags == [(tag, b"OK") for tag in (b"a", b"b", b"c", b"d", b"e")]


def test_idle_hears_what_arrives(doors: Doors) -> None:
    """RFC 2177: the news comes unasked, and DONE ends it."""
    subject = token()
    with imap_of(doors, ALICE) as listener, imap_of(doors, ALICE) as writer:
        listener.select()
        listener.send(b"idle IDLE\r\n")
        assert listener.readline().startswith(b"+ ")
        writer.append("INBOX", "", "", message(subject))
        while not (line := listener.readline()).endswith(b" EXISTS\r\n"):
            assert line.startswith(b"* ")
        listener.send(b"DONE\r\n")
        while not (line := listener.readline()).startswith(b"idle "):
            assert line.startswith(b"* ")
        assert line.startswith(b"idle OK")
        assert numbers_of(listener, subject)


@each_way
def test_many_octets_by_imap_arrive_as_they_were(
    doors: Doors, security: Security
) -> None:
    folder = token()
    sent = message(folder, many_lines())
    with imap_of(doors, ALICE, security) as client:
        client.create(folder)
        client.append(folder, "", "", sent)
        client.select(folder)
        received = fetch(client, "1")
        client.close()
        client.delete(folder)
    assert sha256(received).digest() == sha256(sent).digest()


@pytest.mark.parametrize(
    ("doors", "security"),
    [("embedded", "tls"), ("starttls", "starttls")],
    indirect=True,
)
def test_many_octets_by_smtp_and_pop3_arrive_as_they_were(
    doors: Doors, security: Security
) -> None:
    subject = token()
    sent = message(subject, many_lines())
    with smtp(doors, security) as submission:
        submission.login(ALICE.name, ALICE.password)
        submission.sendmail(ALICE.name, [BOB.name], sent)
    with imap_of(doors, BOB) as client:
        client.select()
        number = int(await_arrival(client, subject))
    session = pop3_of(doors, BOB, security)
    received = b"\r\n".join((*session.retr(number)[1], b""))
    session.dele(number)
    session.quit()
    _, _, body = received.partition(b"\r\n\r\n")
    _, _, expected = sent.partition(b"\r\n\r\n")
    assert sha256(body).digest() == sha256(expected).digest()


@cache
def many_lines() -> str:
    """Return 20 MB that no compression and no repetition makes smaller."""
    octets = random.Random(0).randbytes(MANY_OCTETS * 3 // 4)
    return encodebytes(octets).decode().replace("\n", "\r\n")


def read_until(client: SSLSocket, words: bytes) -> None:
    """Read until some words have been said."""
    said = b""
    while not said.endswith(words):
        chunk = client.recv(65536)
        assert chunk, said
        said += chunk
