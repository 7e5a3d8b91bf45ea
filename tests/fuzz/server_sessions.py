"""The three sessions that face mail clients."""

from collections.abc import Mapping

from attrs import astuple, frozen

from mailssl_trio.protocol.credentials import Accepted
from mailssl_trio.protocol.events import Goodbye, LoggedIn
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, ServerSession, StartTlsMode
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.exhaustive import ledger
from tests.exhaustive.ledger import Ledger
from tests.fuzz.dialogues import WORDS
from tests.fuzz.replies import wrongs
from tests.fuzz.sessions import (
    BEHIND_TLS,
    KEPT,
    REJECTED,
    Heard,
    Mode,
    assert_secret_is_not_shown,
    heard_in_every_manner,
)
from tests.fuzz.target import Target

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER")
STARTTLS = tuple(StartTlsMode)


@frozen
class Server:
    """A session of one protocol, in every mode."""

    protocol: str
    kind: type[ServerSession]
    welcome: Accepted
    tongue: ledger.Tongue

    def made(self, mode: Mode) -> ServerSession:
        """Make one."""
        policy = Policy(
            "mx",
            STARTTLS[mode.octet & 3] if mode.octet & 3 < 3 else StartTlsMode.ON,
            MECHANISMS if mode[2] else ("PLAIN",),
            ("USER",),
            max_errors=3 if mode[3] else 1000,
            client_buffer=600 if mode[4] else 0,
            apop=mode[2],
            unauthenticated=mode[5],
        )
        return self.kind(
            policy, implicit_tls=mode[6], challenge=lambda: b"<1896.697170952@mx>"
        )

    def law(self, octets: bytes) -> None:
        """Hear it in every manner, and look at what came of it."""
        mode, said = Mode(octets[0] if octets else 0), octets[1:]
        verdicts = (self.welcome,) if mode[7] else (REJECTED,)
        heard = heard_in_every_manner(lambda: self.made(mode), said, verdicts)
        self.assert_replies_are_well_formed(said, heard)
        self.assert_each_command_is_answered_once(self.made(mode), said, heard)
        session = self.made(mode)
        is_only = session.policy.starttls is StartTlsMode.ONLY
        assert heard.upgraded or not (is_only and heard.presented), heard
        assert heard.most_kept <= KEPT, heard.most_kept
        for credentials in heard.presented:
            assert_secret_is_not_shown(credentials)
            parts = [part for part in astuple(credentials) if isinstance(part, bytes)]
            assert not any(octet in part for part in parts for octet in b"\0\r\n")

    def assert_replies_are_well_formed(self, said: bytes, heard: Heard) -> None:
        """Each line has a legal form, whole and of bounded length."""
        clear, _, secured = said.partition(BEHIND_TLS)
        for sent, replies in ((clear, heard.in_clear), (secured, heard.in_tls)):
            for wrong in wrongs(self.protocol, sent, replies, cut=False):
                raise AssertionError(wrong)

    def assert_each_command_is_answered_once(
        self, session: ServerSession, said: bytes, heard: Heard
    ) -> None:
        """Set what was said against what was heard, as a client would."""
        clear, _, secured = said.partition(BEHIND_TLS)
        if heard.upgraded and session.implicit_tls:
            parts = [(secured, _behind_greeting(heard.in_tls))]
        elif session.implicit_tls:
            return
        else:
            parts = [(clear, _behind_greeting(heard.in_clear))]
            parts += [(secured, heard.in_tls)] * heard.upgraded
        for nth, (octets, replies) in enumerate(parts, 1):
            is_last = nth == len(parts)
            farewell = session.farewell(heard.ending) if is_last else b""
            answers = replies.removesuffix(farewell)
            _, unanswered = Ledger(self.tongue).settle(octets, answers)
            is_over = is_last and heard.ending is not Goodbye.PEER_GONE
            assert is_over or not unanswered, (unanswered, heard)
        if heard.outcome is not None:
            assert isinstance(heard.outcome, LoggedIn)
            assert heard.ending is Goodbye.QUIT


def _behind_greeting(replies: bytes) -> bytes:
    """Leave out what was said unasked: one line."""
    return replies.partition(b"\r\n")[2]


SERVERS: Mapping[str, Server] = {
    server.protocol: server
    for server in (
        Server("pop3", Pop3Server, Accepted(b"+OK in\r\n"), ledger.POP3),
        Server("imap", ImapServer, Accepted(b"OK in\r\n", b"* OK x\r\n"), ledger.IMAP),
        Server(
            "smtp",
            SmtpServer,
            Accepted(b"235-2.7.0 in\r\n235 2.7.0 go\r\n"),
            ledger.SMTP,
        ),
    )
}

TARGETS = tuple(
    Target(f"{name}-server", server.law, (*WORDS[name], BEHIND_TLS))
    for name, server in SERVERS.items()
)
