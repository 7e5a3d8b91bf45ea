"""Python's imaplib, poplib and smtplib, through every door to every backend."""

from imaplib import IMAP4
from pathlib import Path
from poplib import POP3, error_proto
from smtplib import SMTP, SMTPNotSupportedError

import pytest

from tests.interop.backends import Backends
from tests.interop.clients import (
    await_arrival,
    fetch,
    imap,
    imap_of,
    message,
    numbers_of,
    pop3,
    pop3_of,
    smtp,
    token,
)
from tests.interop.gateway import Doors, Security, serving
from tests.interop.machine import PATIENCE, free_port
from tests.interop.people import ALICE, BOB, WRONG, Person

pytestmark = pytest.mark.interop


def test_imap_appends_finds_and_fetches(doors: Doors, security: Security) -> None:
    subject = token()
    with imap(doors, security) as client:
        assert client.login(ALICE.name, ALICE.password)[0] == "OK"
        client.append("INBOX", "(\\Flagged)", "", message(subject))
        client.select()
        [number] = numbers_of(client, subject)
        assert fetch(client, number) == message(subject)
        client.store(number, "+FLAGS", "(\\Deleted)")
        client.expunge()
        assert not numbers_of(client, subject)


def test_pop3_lists_retrieves_and_deletes(doors: Doors, security: Security) -> None:
    subject = token()
    with imap_of(doors, ALICE) as client:
        client.append("INBOX", "", "", message(subject))
    session = pop3_of(doors, ALICE, security)
    count, size = session.stat()
    assert count == len(session.list()[1]) == len(session.uidl()[1])
    assert size >= len(message(subject))
    [number] = [
        number
        for number in range(1, count + 1)
        if subject.encode() in b"\r\n".join(session.top(number, 0)[1])
    ]
    _, lines, octets = session.retr(number)
    assert b"\r\n".join((*lines, b"")) == message(subject)
    assert octets == len(message(subject))
    session.dele(number)
    session.quit()
    with imap_of(doors, ALICE) as client:
        client.select(readonly=True)
        assert not numbers_of(client, subject)


def test_what_smtp_submits_imap_and_pop3_read(doors: Doors, security: Security) -> None:
    subject = token()
    dotted = "one line\r\n.\r\n..two\r\n"
    with smtp(doors, security) as client:
        client.login(ALICE.name, ALICE.password)
        refused = client.sendmail(ALICE.name, [BOB.name], message(subject, dotted))
        assert not refused
    with imap_of(doors, BOB, security) as client:
        client.select()
        number = await_arrival(client, subject)
        assert fetch(client, number).endswith(message(subject, dotted))
    session = pop3_of(doors, BOB, security)
    retrieved = [
        b"\r\n".join((*session.retr(number + 1)[1], b""))
        for number in range(session.stat()[0])
    ]
    session.quit()
    assert [each for each in retrieved if each.endswith(message(subject, dotted))]


def test_wrong_password_is_refused_in_imaps_words(doors: Doors) -> None:
    with imap(doors, "tls") as client:
        with pytest.raises(IMAP4.error, match=r"^b?'?\[AUTHENTICATIONFAILED\] "):
            client.login(ALICE.name, WRONG)
        assert client.login(ALICE.name, ALICE.password)[0] == "OK"


def test_wrong_password_is_refused_in_pop3s_words(doors: Doors) -> None:
    client = pop3(doors, "tls")
    client.user(ALICE.name)
    with pytest.raises(error_proto, match=r"-ERR \[AUTH\] "):
        client.pass_(WRONG)
    client.user(ALICE.name)
    assert client.pass_(ALICE.password).startswith(b"+OK")
    client.quit()


def test_wrong_password_is_refused_in_smtps_words(doors: Doors) -> None:
    wrong = Person(ALICE.name, WRONG)
    with smtp(doors, "tls") as client:
        client.ehlo()
        code, text = client.docmd("AUTH", f"PLAIN {wrong.sasl_plain}")
        assert (code, text[:6]) == (535, b"5.7.8 ")  # RFC 4954 section 6
        assert client.login(ALICE.name, ALICE.password)[0] == 235


def test_nobody_logs_in_before_tls(embedded: Doors) -> None:
    """``starttls only``: a client that insists is refused in each protocol's words."""
    with IMAP4("localhost", embedded.port("imap", "starttls"), PATIENCE) as client:
        assert "LOGINDISABLED" in client.capabilities
        with pytest.raises(IMAP4.error, match=r"\[PRIVACYREQUIRED\]"):
            client.login(ALICE.name, ALICE.password)
    session = POP3("localhost", embedded.port("pop3", "starttls"), PATIENCE)
    assert {"USER", "SASL"}.isdisjoint(session.capa())
    with pytest.raises(error_proto, match="-ERR"):
        session.user(ALICE.name)
    session.quit()
    with SMTP("localhost", embedded.port("smtp", "starttls"), "x", PATIENCE) as plain:
        with pytest.raises(SMTPNotSupportedError, match="AUTH extension not"):
            plain.login(ALICE.name, ALICE.password)
        code, text = plain.docmd("AUTH", f"PLAIN {ALICE.sasl_plain}")
        assert (code, text[:6]) == (530, b"5.7.0 ")  # RFC 3207 section 4


def test_a_door_without_tls_serves_plain_clients(
    tmp_path: Path, backends: Backends
) -> None:
    port = free_port()
    server = {
        "listen": f"127.0.0.1:{port}",
        "protocol": "imap",
        "proxy_pass": backends.proxy_pass("imap", "off"),
    }
    table = {"error_log": "stderr info", "mail": {"server": [server]}}
    with serving(tmp_path, table), IMAP4("localhost", port, PATIENCE) as client:
        assert "STARTTLS" not in client.capabilities
        assert client.login(ALICE.name, ALICE.password)[0] == "OK"
