"""SMTP submission facing the backend, up to our login (RFC 5321, 3207, 4954)."""

from collections.abc import Mapping

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import (
    MAX_REPLY_LINES,
    ClientSession,
    GiveUpError,
)
from mailssl_trio.protocol.events import Dialogue, LoggedIn
from mailssl_trio.protocol.smtp.grammar import (
    MAX_COMMAND,
    MAX_REPLY,
    Reply,
    ReplyLine,
    parse_reply_line,
)


class SmtpClient(ClientSession):
    """AUTH PLAIN where it is offered, else AUTH LOGIN; a token as it came."""

    def log_in(self) -> Dialogue[LoggedIn]:
        """Speak from the greeting to the reply that ends the login."""
        yield from self.expect(b"220")
        extensions = yield from self.ehlo()
        if self.starttls:
            if "STARTTLS" not in extensions:
                raise self.quit("upstream does not offer STARTTLS")
            self.send(b"STARTTLS\r\n")
            yield from self.expect(b"220")
            yield from self.start_tls()
            extensions = yield from self.ehlo()
        reply = yield from self.auth(extensions.get("AUTH", ()))
        if reply.code == b"235":
            return LoggedIn(reply.octets)
        if reply.code[:1] not in {b"4", b"5"}:
            raise self.invalid(reply.lines[0])
        self.send(b"QUIT\r\n")
        raise self.refused(reply.lines[0], reply.reason)

    def ehlo(self) -> Dialogue[Mapping[str, tuple[str, ...]]]:
        """Introduce us, and return what the backend offers."""
        self.send(f"EHLO {self.client_name}\r\n".encode())
        reply = yield from self.expect(b"250")
        return reply.extensions

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
            self.send(in_one_line)
            return (yield from self.read_outcome(mechanism))
        self.send(command + b"\r\n")
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
        self.send(response)

    def expect(self, code: bytes) -> Dialogue[Reply]:
        """Read a reply with this code, or give up."""
        reply = yield from self.read_reply()
        if reply.code != code:
            raise self.invalid(reply.lines[0])
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
        octets = yield from self.read_reply_line(MAX_REPLY)
        if (line := parse_reply_line(octets)) is None:
            raise self.invalid(octets)
        return line

    def quit(self, detail: str) -> GiveUpError:
        """Say QUIT, and return what to raise."""
        self.send(b"QUIT\r\n")
        return GiveUpError(detail)
