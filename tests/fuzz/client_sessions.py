"""The three sessions that face backends, which may lie."""

from base64 import b64encode
from collections.abc import Mapping

from attrs import frozen

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Bearer, Password
from mailssl_trio.protocol.events import Goodbye, LoggedIn, Refused
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy, XClient
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.smtp.client import SmtpClient
from tests.fuzz.sessions import (
    BEHIND_TLS,
    KEPT_OF_REPLIES,
    Heard,
    Mode,
    heard_in_every_manner,
)
from tests.fuzz.target import Target

SECRET = b"kanary-in-a-coal-mine"
PASSWORD = Password(b"joe", SECRET)
TOKEN = Bearer(b"joe", SECRET, "XOAUTH2")
FORMS = (
    SECRET,
    b64encode(SECRET),
    b64encode(b"\0joe\0" + SECRET),
    b64encode(b"user=joe\x01auth=Bearer " + SECRET + b"\x01\x01"),
)
CLIENT = Introduction("192.0.2.9", 50123, "198.51.100.1", 993, session="7-42")


@frozen
class Client:
    """A session of one protocol, in every mode."""

    kind: type[ClientSession]

    def made(self, mode: Mode) -> ClientSession:
        """Make one."""
        return self.kind(
            TOKEN if mode[2] else PASSWORD,
            starttls=mode[0],
            implicit_tls=mode[1],
            client=CLIENT,
            policy=ProxyPolicy(
                XClient.ON if mode[3] else XClient.OFF,
                smtp_auth=not mode[5],
                proxy_buffer=600 if mode[4] else None,
            ),
        )

    def law(self, octets: bytes) -> None:
        """Hear it in every manner, and look at what came of it."""
        mode, said = Mode(octets[0] if octets else 0), octets[1:]
        heard = heard_in_every_manner(lambda: self.made(mode), said)
        for words in (heard.in_clear, heard.in_tls):
            _assert_lines(words)
        if mode[0] or mode[1]:
            assert not any(form in heard.in_clear for form in FORMS), heard
        assert heard.most_kept <= KEPT_OF_REPLIES, heard.most_kept
        self.assert_outcome(heard)

    def assert_outcome(self, heard: Heard) -> None:
        """It ends by a login, by a refusal, or by departure; and tells no secret."""
        match heard.outcome:
            case LoggedIn(reply, untagged):
                assert heard.ending is Goodbye.QUIT
                assert reply.endswith(b"\r\n") or not reply
                assert untagged.endswith(b"\r\n") or not untagged
            case Refused(_, detail, reply) as refused:
                assert heard.ending is Goodbye.REFUSED
                assert reply.endswith(b"\r\n") or not reply
                assert b"\r" not in reply.replace(b"\r\n", b"")
                assert b"\0" not in reply
                told = (detail + repr(refused)).encode() + reply
                assert not any(form in told for form in FORMS), refused
            case None:
                assert heard.ending not in {Goodbye.QUIT, Goodbye.REFUSED}, heard
            case other:
                raise AssertionError(other)


def _assert_lines(words: bytes) -> None:
    """Whole lines are said, and nothing in them ends one early."""
    *lines, rest = words.split(b"\r\n")
    assert not rest, rest
    assert not any(octet in line for line in lines for octet in b"\0\r\n"), words


WORDS: Mapping[str, tuple[bytes, ...]] = {
    "pop3": (
        b"+OK ready\r\n", b"-ERR no\r\n", b"+ \r\n", b".\r\n", b"SASL PLAIN\r\n",
        b"SASL XOAUTH2\r\n", b"XCLIENT\r\n", b"PIPELINING\r\n", b"-ERR [AUTH] no\r\n",
        b"+OK [XCLIENT] hello\r\n", b"+ e30=\r\n", SECRET,
    ),
    "imap": (
        b"* OK ready\r\n", b"G1 OK done\r\n", b"G2 OK done\r\n", b"G3 OK done\r\n",
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR LITERAL+ ID\r\n", b"+ \r\n",
        b"* PREAUTH hello\r\n", b"* BYE no\r\n", b"G2 NO [UNAVAILABLE] no\r\n",
        b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2] x\r\n",
        b"* X {5}\r\nhello\r\n", b"* X {65537}\r\n", b"+ e30=\r\n", SECRET,
    ),
    "smtp": (
        b"220 mx\r\n", b"250-mx\r\n", b"250-AUTH PLAIN LOGIN XOAUTH2\r\n",
        b"250-STARTTLS\r\n", b"250 XCLIENT ADDR NAME LOGIN\r\n", b"334 \r\n",
        b"334 e30=\r\n", b"235 2.7.0 ok\r\n", b"535-5.7.8 no\r\n", b"535 5.7.8 no\r\n",
        b"421 4.3.2 bye\r\n", b"250 mx\r\n", SECRET,
    ),
}  # fmt: skip

CLIENTS: Mapping[str, Client] = {
    "pop3": Client(Pop3Client),
    "imap": Client(ImapClient),
    "smtp": Client(SmtpClient),
}

TARGETS = tuple(
    Target(f"{name}-client", client.law, (*WORDS[name], BEHIND_TLS))
    for name, client in CLIENTS.items()
)
