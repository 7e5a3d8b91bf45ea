"""What we do at a backend, in the words that nginx's log has for it."""

import pytest

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Envelope, Password
from mailssl_trio.protocol.events import NeedData, StartTls
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy, XClient
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.smtp.client import SmtpClient

JOE = Password(b"joe", b"secret")
ODD = Password(b"joe", b"\xff")
MAIL = Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>")
CLIENT = Introduction("192.0.2.9", 1, "192.0.2.1", 25, helo=b"c", esmtp=True)
TOLD = ProxyPolicy(XClient.ON, smtp_auth=True)


def pop3(*, starttls: bool = False, implicit_tls: bool = False) -> ClientSession:
    return Pop3Client(JOE, starttls=starttls, implicit_tls=implicit_tls)


def imap() -> ClientSession:
    return ImapClient(ODD)


def smtp() -> ClientSession:
    return SmtpClient(JOE, client=CLIENT, policy=TOLD)


def submission() -> ClientSession:
    return SmtpClient(MAIL)


@pytest.mark.parametrize(
    ("session", "heard", "action"),
    [
        (pop3(), "", "connecting to upstream"),
        (pop3(), "+OK", "sending CAPA to upstream"),
        (pop3(), "+OK|-ERR", "sending user name to upstream"),
        (pop3(), "+OK|-ERR|+OK", "sending password to upstream"),
        (pop3(), "+OK|+OK|SASL PLAIN|.", "sending AUTH to upstream"),
        (pop3(starttls=True), "+OK", "sending STLS to upstream"),
        (pop3(starttls=True), "+OK|+OK", "SSL handshaking to upstream"),
        (pop3(implicit_tls=True), "", "SSL handshaking to upstream"),
        (imap(), "", "connecting to upstream"),
        (imap(), "* OK", "sending CAPABILITY command to upstream"),
        (imap(), "* OK [CAPABILITY IMAP4]", "sending LOGIN command to upstream"),
        (imap(), "* OK [CAPABILITY IMAP4]|+", "sending user name to upstream"),
        (imap(), "* OK [CAPABILITY IMAP4]|+|+", "sending password to upstream"),
        (smtp(), "220", "sending HELO/EHLO to upstream"),
        (smtp(), "220|250", "sending XCLIENT to upstream"),
        (smtp(), "220|250|220", "sending client HELO/EHLO to upstream"),
        (smtp(), "220|250|220|250", "sending AUTH to upstream"),
        (submission(), "220|250", "sending MAIL FROM to upstream"),
        (submission(), "220|250|250", "sending RCPT TO to upstream"),
    ],
)
def test_last_step_is_named(session: ClientSession, heard: str, action: str) -> None:
    event = session.next_event()
    for line in filter(None, heard.split("|")):
        session.receive_data(line.encode() + b"\r\n")
        event = session.next_event()
    assert isinstance(event, NeedData | StartTls)
    assert session.action == action
