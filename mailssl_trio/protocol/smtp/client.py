"""SMTP submission facing the backend, up to our login (RFC 5321, 3207, 4954)."""

from collections.abc import Mapping
from typing import TypeAlias

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import (
    MAX_REPLY_LINES,
    ClientSession,
    GiveUpError,
)
from mailssl_trio.protocol.credentials import Envelope, Password
from mailssl_trio.protocol.events import Dialogue, LoggedIn
from mailssl_trio.protocol.introduction import XClient
from mailssl_trio.protocol.smtp.grammar import (
    MAX_COMMAND,
    MAX_REPLY,
    Reply,
    ReplyLine,
    parse_reply_line,
)
from mailssl_trio.protocol.smtp.xclient import xclient

Extensions: TypeAlias = Mapping[str, tuple[str, ...]]


class SmtpClient(ClientSession):
    """AUTH PLAIN where it is offered, else AUTH LOGIN; a token as it came.

    Where the policy says that we do not authenticate, XCLIENT says who has logged in.
    """

    def log_in(self) -> Dialogue[LoggedIn]:
        """Speak from the greeting to the reply that ends the login."""
        yield from self.expect(b"220")
        extensions = yield from self.hello()
        if self.starttls:
            if "STARTTLS" not in extensions:
                raise self.quit("upstream does not offer STARTTLS")
            self.say(b"STARTTLS\r\n", "STARTTLS")
            yield from self.expect(b"220")
            yield from self.start_tls()
            extensions = yield from self.hello()
        if self.introduces(extensions):
            extensions = yield from self.introduce(extensions)
        match self.credentials:
            case Envelope(mail, rcpt):
                return (yield from self.submit(mail, rcpt))
            case _ if self.authenticates:
                return (yield from self.authenticate(extensions))
            case _:
                return LoggedIn()

    @property
    def authenticates(self) -> bool:
        """Whether credentials are presented, and not only told of by XCLIENT."""
        return self.policy.smtp_auth and not isinstance(self._credentials, Envelope)

    def hello(self) -> Dialogue[Extensions]:
        """Introduce us, and return what the backend offers.

        HELO only where nothing needs an extension, not even the client.
        """
        needs = self.authenticates or self.starttls or self.client.esmtp
        esmtp = needs or self.policy.xclient is not XClient.OFF
        verb = "EHLO" if esmtp else "HELO"
        self.say(f"{verb} {self.client_name}\r\n".encode(), "HELO/EHLO")
        reply = yield from self.expect(b"250")
        return reply.extensions

    def introduces(self, extensions: Extensions) -> bool:
        """Whether the backend is told of the client.

        It must be where that was asked for, whatever the backend offers: one that
        does not understand would take the client's mail for ours, and trust us.
        """
        wanted = self.policy.xclient
        if_offered = wanted is XClient.IF_OFFERED and "XCLIENT" in extensions
        return wanted is XClient.ON or if_offered

    def introduce(self, extensions: Extensions) -> Dialogue[Extensions]:
        """Say XCLIENT, and hello anew; what was offered before holds if it is HELO."""
        login = b"" if self.authenticates else self.credentials.authcid
        self.say(xclient(self.client, login), "XCLIENT")
        yield from self.expect(b"220", b"250")
        if not self.client.helo:
            return (yield from self.hello()) if self.authenticates else extensions
        verb = b"EHLO " if self.client.esmtp else b"HELO "
        self.say(verb + self.client.helo + b"\r\n", "client HELO/EHLO")
        reply = yield from self.expect(b"250")
        return reply.extensions or extensions

    def submit(self, mail: bytes, rcpt: bytes) -> Dialogue[LoggedIn]:
        """Repeat what the client said; the reply to its recipient is its own.

        Unless it is none to a recipient: RFC 5321 section 4.3.2 knows no 3xx there, and
        no other 2xx than 25x.
        """
        self.say(mail + b"\r\n", "MAIL FROM")
        yield from self.expect(b"250")
        self.say(rcpt + b"\r\n", "RCPT TO")
        reply = yield from self.read_reply()
        if not (reply.code.startswith(b"25") or reply.refusal):
            raise self.invalid(reply.lines[0])
        return LoggedIn(reply.octets)

    def authenticate(self, extensions: Extensions) -> Dialogue[LoggedIn]:
        """Authenticate, and return what the backend says to that."""
        match self.credentials:
            case Password(_, b""):
                raise self.quit("no password available")
        offered = extensions.get("AUTH", ())
        if not extensions:  # it says nothing of itself, and may know PLAIN all the same
            offered = ("PLAIN",)
        reply = yield from self.auth(offered)
        if reply.code == b"235":
            return LoggedIn(reply.octets)
        if not reply.refusal:
            raise self.invalid(reply.lines[0])
        self.send(b"QUIT\r\n")
        raise self.refused(reply.lines[0], reply.reason, reply.refusal)

    def auth(self, mechanisms: tuple[str, ...]) -> Dialogue[Reply]:
        """Authenticate by the best mechanism; return the reply that ends it."""
        if mechanism := self.mechanism(mechanisms):
            return (yield from self.exchange(mechanism))
        raise self.quit("upstream offers no login that we know")

    def exchange(self, mechanism: str) -> Dialogue[Reply]:
        """AUTH, RFC 4954 section 4, in one round trip if mechanism and line allow."""
        responses = [response + b"\r\n" for response in self.responses(mechanism)]
        if max(map(len, responses)) > sasl.MAX_LINE:
            raise self.quit("the credentials are too long for upstream")
        command = b"AUTH " + mechanism.encode()
        in_one_line = command + b" " + responses[0]
        if mechanism in sasl.IN_ONE_MESSAGE and len(in_one_line) <= MAX_COMMAND:
            self.say(in_one_line, "AUTH")
            return (yield from self.read_outcome(mechanism))
        self.say(command + b"\r\n", "AUTH")
        for response in responses:
            reply = yield from self.read_reply()
            if reply.code == b"235":  # before it has heard all of the credentials
                raise self.invalid(reply.lines[0])
            if reply.code != b"334":
                return reply
            self.respond(reply, response)
        return (yield from self.read_outcome(mechanism))

    def read_outcome(self, mechanism: str) -> Dialogue[Reply]:
        """Return the reply to our credentials; a challenge means a refusal."""
        reply = yield from self.read_reply()
        if reply.code != b"334":
            return reply
        self.hear_failure(mechanism, reply.lines[-1])
        reply = yield from self.read_reply()
        if reply.code == b"235":
            raise self.invalid(reply.lines[0])
        return reply

    def respond(self, challenge: Reply, response: bytes) -> None:
        """Queue a response; "*" to a challenge that is not base64, as RFC 4954 asks."""
        try:
            sasl.decode(challenge.lines[-1][4:])
        except sasl.MalformedResponseError:
            self.send(b"*\r\n")
            raise self.invalid(challenge.lines[-1]) from None
        self.say(response, "AUTH")

    def expect(self, *codes: bytes) -> Dialogue[Reply]:
        """Read a reply with one of these codes, or give up."""
        reply = yield from self.read_reply()
        if reply.code not in codes:
            raise self.invalid(reply.lines[0], reply.refusal)
        return reply

    def read_reply(self) -> Dialogue[Reply]:
        """Return a whole reply; its lines must agree on the code (RFC 5321 4.2.1)."""
        lines = [(yield from self.read_one_line())]
        while not lines[-1].is_last:
            if len(lines) == MAX_REPLY_LINES:
                raise GiveUpError("upstream sent too many lines")
            line = yield from self.read_one_line()
            if line.code != lines[0].code:
                raise self.invalid(line.octets)
            lines.append(line)
        return Reply(lines[0].code, tuple(line.octets for line in lines))

    def read_one_line(self) -> Dialogue[ReplyLine]:
        """Return one line of a reply."""
        octets = yield from self.read_reply_line(self.longest(MAX_REPLY))
        if (line := parse_reply_line(octets)) is None:
            raise self.invalid(octets)
        return line

    def quit(self, detail: str) -> GiveUpError:
        """Say QUIT, and return what to raise."""
        self.send(b"QUIT\r\n")
        return GiveUpError(detail)
