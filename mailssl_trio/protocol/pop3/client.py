"""POP3 facing the backend, up to our login (RFC 1939, 2449, 2595, 5034)."""

from collections.abc import Mapping

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import (
    MAX_REPLY_LINES,
    ClientSession,
    GiveUpError,
)
from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import Dialogue, LoggedIn
from mailssl_trio.protocol.pop3.grammar import (
    MAX_COMMAND,
    MAX_REPLY,
    Reply,
    parse_reply,
)


class Pop3Client(ClientSession):
    """AUTH PLAIN where it is offered, else USER and PASS; a token as it came."""

    def log_in(self) -> Dialogue[LoggedIn]:
        """Speak from the greeting to the reply that ends the login."""
        greeting = yield from self.expect_ok()
        if self.starttls:
            self.say(b"STLS\r\n", "STLS")
            greeting = yield from self.expect_ok()  # the other's offer is forgotten
            yield from self.start_tls()
        capabilities = yield from self.capa()
        takes_xclient = "XCLIENT" in capabilities or greeting.offers_xclient
        if self.tells_of_client and takes_xclient:
            yield from self.introduce()
        reply = yield from self.present(capabilities)
        if reply.ok:
            return LoggedIn(reply.line + b"\r\n")
        self.send(b"QUIT\r\n")
        raise self.refused(reply.line, reply.reason, reply.line + b"\r\n")

    def introduce(self) -> Dialogue[None]:
        """Say for whom we speak, in Dovecot's words; it may not care to know."""
        client = self.client
        told = f"ADDR={client.client} PORT={client.client_port}"
        self.say(f"XCLIENT {told} SESSION={client.session}\r\n".encode(), "XCLIENT")
        yield from self.read_reply()

    def capa(self) -> Dialogue[dict[str, tuple[str, ...]]]:
        """Return what the backend can do; nothing if it knows no CAPA."""
        self.say(b"CAPA\r\n", "CAPA")
        capabilities: dict[str, tuple[str, ...]] = {}
        if not (yield from self.read_reply()).ok:
            return capabilities
        for _ in range(MAX_REPLY_LINES):
            line = yield from self.read_reply_line(self.longest(MAX_REPLY))
            if line == b".":
                return capabilities
            word, *arguments = line.decode("ascii", "replace").upper().split(" ")
            capabilities[word] = tuple(arguments)
        raise GiveUpError("upstream sent too many lines")

    def present(self, capabilities: Mapping[str, tuple[str, ...]]) -> Dialogue[Reply]:
        """Log in by the best way on offer; return the reply that ends it."""
        offered = sasl.IN_ONE_MESSAGE.intersection(capabilities.get("SASL", ()))
        if mechanism := self.mechanism(offered):
            return (yield from self.auth(mechanism))
        match self.credentials:
            case Password() as credentials:
                pipelined = "PIPELINING" in capabilities
                return (yield from self.user_and_pass(credentials, pipelined=pipelined))
            case _:
                self.send(b"QUIT\r\n")
                raise GiveUpError("upstream offers no login that we know")

    def auth(self, mechanism: str) -> Dialogue[Reply]:
        """AUTH in one round trip if it fits, RFC 5034 section 4."""
        (response,) = self.responses(mechanism)
        command = b"AUTH " + mechanism.encode()
        in_one_line = command + b" " + response + b"\r\n"
        if len(in_one_line) <= MAX_COMMAND:
            self.say(in_one_line, "AUTH")
            return (yield from self.read_outcome(mechanism))
        self.say(command + b"\r\n", "AUTH")
        invitation = yield from self.read_reply_line(self.longest(MAX_REPLY))
        if (refusal := parse_reply(invitation)) is not None and not refusal.ok:
            return refusal
        if invitation.rstrip() != b"+":
            raise self.invalid(invitation)
        self.say(response + b"\r\n", "AUTH")
        return (yield from self.read_outcome(mechanism))

    def read_outcome(self, mechanism: str) -> Dialogue[Reply]:
        """Return the reply to our credentials; a challenge means a refusal."""
        line = yield from self.read_reply_line(self.longest(MAX_REPLY))
        if not line.startswith(b"+ "):
            return self.as_reply(line)
        self.hear_failure(mechanism, line)
        reply = yield from self.read_reply()
        if reply.ok:
            raise self.invalid(reply.line)
        return reply

    def user_and_pass(
        self, credentials: Password, *, pipelined: bool
    ) -> Dialogue[Reply]:
        """USER and PASS, at once where RFC 2449 section 6.6 allows it."""
        user = b"USER " + credentials.authcid + b"\r\n"
        password = b"PASS " + credentials.password + b"\r\n"
        self.say(user + password if pipelined else user, "user name")
        reply = yield from self.read_reply()
        if not pipelined and reply.ok:
            self.say(password, "password")
        if pipelined or reply.ok:
            reply = yield from self.read_reply()
        return reply

    def expect_ok(self) -> Dialogue[Reply]:
        """Read a positive reply, or give up."""
        reply = yield from self.read_reply()
        if not reply.ok:
            raise self.invalid(reply.line, reply.line + b"\r\n")
        return reply

    def read_reply(self) -> Dialogue[Reply]:
        """Return one status line."""
        return self.as_reply((yield from self.read_reply_line(self.longest(MAX_REPLY))))

    def as_reply(self, line: bytes) -> Reply:
        """Read a status line, or give up."""
        if (reply := parse_reply(line)) is None:
            raise self.invalid(line)
        return reply
