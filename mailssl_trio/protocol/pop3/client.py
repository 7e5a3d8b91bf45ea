"""POP3 facing the backend, up to our login (RFC 1939, 2449, 2595, 5034)."""

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import (
    MAX_REPLY_LINES,
    ClientSession,
    GiveUpError,
)
from mailssl_trio.protocol.events import Dialogue, LoggedIn
from mailssl_trio.protocol.pop3.grammar import (
    MAX_COMMAND,
    MAX_REPLY,
    Reply,
    parse_reply,
)


class Pop3Client(ClientSession):
    """AUTH PLAIN where it is offered, else USER and PASS."""

    def log_in(self) -> Dialogue[LoggedIn]:
        """Speak from the greeting to the reply that ends the login."""
        yield from self.expect_ok()
        if self.starttls:
            self.send(b"STLS\r\n")
            yield from self.expect_ok()
            yield from self.start_tls()
        capabilities = yield from self.capa()
        if "PLAIN" in capabilities.get("SASL", ()):
            reply = yield from self.auth_plain()
        else:
            reply = yield from self.user_and_pass(
                pipelined="PIPELINING" in capabilities
            )
        if reply.ok:
            return LoggedIn(reply.line + b"\r\n")
        self.send(b"QUIT\r\n")
        raise self.refused(reply.line, reply.reason)

    def capa(self) -> Dialogue[dict[str, tuple[str, ...]]]:
        """Return what the backend can do; nothing if it knows no CAPA."""
        self.send(b"CAPA\r\n")
        capabilities: dict[str, tuple[str, ...]] = {}
        if not (yield from self.read_reply()).ok:
            return capabilities
        for _ in range(MAX_REPLY_LINES):
            line = yield from self.read_reply_line(MAX_REPLY)
            if line == b".":
                return capabilities
            word, *arguments = line.decode("ascii", "replace").upper().split(" ")
            capabilities[word] = tuple(arguments)
        raise GiveUpError("upstream sent too many lines")

    def auth_plain(self) -> Dialogue[Reply]:
        """AUTH PLAIN in one round trip if it fits, RFC 5034 section 4."""
        response = sasl.encode(next(self.sasl_exchange("PLAIN")))
        command = b"AUTH PLAIN " + response + b"\r\n"
        if len(command) <= MAX_COMMAND:
            self.send(command)
            return (yield from self.read_reply())
        self.send(b"AUTH PLAIN\r\n")
        invitation = yield from self.read_reply_line(MAX_REPLY)
        if (refusal := parse_reply(invitation)) is not None and not refusal.ok:
            return refusal
        if invitation.rstrip() != b"+":
            raise self.invalid(invitation)
        self.send(response + b"\r\n")
        return (yield from self.read_reply())

    def user_and_pass(self, *, pipelined: bool) -> Dialogue[Reply]:
        """USER and PASS, at once where RFC 2449 section 6.6 allows it."""
        user = b"USER " + self.credentials.authcid + b"\r\n"
        password = b"PASS " + self.credentials.password + b"\r\n"
        self.send(user + password if pipelined else user)
        reply = yield from self.read_reply()
        if not pipelined and reply.ok:
            self.send(password)
        if pipelined or reply.ok:
            reply = yield from self.read_reply()
        return reply

    def expect_ok(self) -> Dialogue[None]:
        """Read a positive reply, or give up."""
        reply = yield from self.read_reply()
        if not reply.ok:
            raise self.invalid(reply.line)

    def read_reply(self) -> Dialogue[Reply]:
        """Return one status line."""
        line = yield from self.read_reply_line(MAX_REPLY)
        if (reply := parse_reply(line)) is None:
            raise self.invalid(line)
        return reply
