"""POP3 facing the mail client, up to its login (RFC 1939, 2449, 2595, 5034)."""

from collections.abc import Mapping, Sequence

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import Accepted, Apop, Password, Rejected
from mailssl_trio.protocol.events import Dialogue, Goodbye
from mailssl_trio.protocol.pop3.grammar import (
    MAX_COMMAND,
    RESPONSE_CODE,
    Command,
    is_text,
    parse_command,
)
from mailssl_trio.protocol.server_session import ServerSession

FAREWELL: Mapping[Goodbye, bytes] = {
    Goodbye.BUSY: b"-ERR [SYS/TEMP] too many connections\r\n",
    Goodbye.CROWDED_OUT: b"-ERR [SYS/TEMP] too many connections\r\n",
    Goodbye.ADDRESS_LIMIT: (
        b"-ERR [SYS/TEMP] too many connections from your address\r\n"
    ),
    Goodbye.BANNED: b"-ERR [SYS/TEMP] your address is banned for a time\r\n",
    Goodbye.DENIED: b"-ERR [SYS/PERM] access denied\r\n",
    Goodbye.LINE_TOO_LONG: b"-ERR line too long\r\n",
    Goodbye.PIPELINED_STARTTLS: b"-ERR nothing may follow STLS in the clear\r\n",
    Goodbye.HTTP_REQUEST: b"-ERR this is a POP3 server\r\n",
    Goodbye.BAD_CERTIFICATE: b"-ERR SSL certificate error\r\n",
    Goodbye.CERTIFICATE_REQUIRED: b"-ERR No required SSL certificate\r\n",
    Goodbye.KICKED: b"-ERR [SYS/TEMP] ended by an administrator\r\n",
    Goodbye.INTERNAL_ERROR: b"-ERR [SYS/TEMP] internal server error\r\n",
}

LENGTHENED = frozenset({b"AUTH", b"PASS", b"USER"})
"""Commands whose argument may be as long as a SASL line."""


class Pop3Server(ServerSession):
    """The AUTHORIZATION state of RFC 1939 section 4."""

    LOGIN = frozenset({b"APOP", b"AUTH", b"PASS", b"USER"})
    BEFORE_TLS = frozenset({b"CAPA", b"NOOP", b"STLS", b"QUIT"})
    OWN_CAPABILITIES = frozenset({"SASL", "STLS", "RESP-CODES", "AUTH-RESP-CODE"})

    timestamp = b""
    """What the banner had in angle brackets."""

    def greet(self) -> None:
        """Queue the banner, and in it what APOP answers (RFC 1939 section 7)."""
        if self.policy.apop or "CRAM-MD5" in self.policy.mechanisms:
            self.timestamp = self.challenge()
        self.ok(f"POP3 ready {self.timestamp.decode()}")

    def until_tls_or_login(self) -> Dialogue[Goodbye | None]:
        """Speak the AUTHORIZATION state; what STLS must forget is local here."""
        user = b""
        while True:
            self.in_login = bool(user)
            match (yield from self.read_command()):
                case Command(verb) if not self.permits(verb):
                    self.note_cleartext(verb)
                    self.refuse("a TLS connection is required, say STLS")
                case Command(b"CAPA"):
                    self.capa()
                case Command(b"NOOP"):
                    self.ok("")
                case Command(b"QUIT"):
                    self.ok("bye")
                    return Goodbye.QUIT
                case Command(b"STLS", b"") if self.may_start_tls:
                    yield from self.start_tls(b"+OK begin TLS negotiation\r\n")
                    return None
                case Command(b"USER", name) if name and is_text(name):
                    user = name
                    self.ok("send PASS")
                case Command(b"PASS", password) if (
                    user and password and is_text(password)
                ):
                    if (yield from self.log_in(Password(user, password))):
                        return Goodbye.QUIT
                    user = b""
                case Command(b"APOP", argument) if self.policy.apop:
                    if (yield from self.apop(argument)):
                        return Goodbye.QUIT
                case Command(b"AUTH", argument):
                    if (yield from self.auth(argument)):
                        return Goodbye.QUIT
                case _:
                    self.refuse("invalid command")

    def read_command(self) -> Dialogue[Command]:
        """Return the next command; an overlong one comes back as no command."""
        line = yield from self.read_command_line()
        command = parse_command(line)
        if len(line) + 2 > MAX_COMMAND and command.verb not in LENGTHENED:
            return Command(b"")
        return command

    def apop(self, argument: bytes) -> Dialogue[bool]:
        """APOP, RFC 1939 section 7."""
        name, _, digest = argument.rpartition(b" ")
        if name and is_text(name) and sasl.MD5.fullmatch(digest):
            return (
                yield from self.log_in(
                    Apop(name, self.timestamp, digest), mechanism="APOP"
                )
            )
        self.refuse("invalid command")
        return False

    def auth(self, argument: bytes) -> Dialogue[bool]:
        """AUTH, RFC 5034 section 4; bare AUTH lists the mechanisms, as it once did."""
        match [word for word in argument.split(b" ") if word]:
            case []:
                self.listing("methods supported:", self.mechanisms)
            case [mechanism]:
                return (yield from self.authenticate(mechanism, None))
            case [mechanism, initial]:
                return (yield from self.authenticate(mechanism, initial))
            case _:
                self.refuse("invalid command")
        return False

    def capa(self) -> None:
        """CAPA, RFC 2449 section 5: what is true at this moment."""
        words = [*self.configured_capabilities]
        if not self.may_log_in:
            words = [word for word in words if word.upper() != "USER"]
        if self.may_log_in:
            words.append(" ".join(("SASL", *self.mechanisms)))
        if self.may_start_tls:
            words.append("STLS")
        words += ["RESP-CODES", "AUTH-RESP-CODE"]
        self.listing("Capability list follows", words)

    def accept(self, accepted: Accepted, tag: bytes) -> None:
        """Pass on the backend's own words."""
        self.send(accepted.reply)

    def reject(self, rejected: Rejected, tag: bytes) -> None:
        """Refuse a login with the code of RFC 2449 section 8 or RFC 3206.

        The words of an auth server are its own, a code included if it wants one.
        """
        usual = RESPONSE_CODE[rejected.reason] + rejected.words.encode()
        words = b"-ERR " + (rejected.text.encode() or usual) + b"\r\n"
        self.send(rejected.reply or words)

    def refuse_sasl(self, refusal: sasl.SaslError, tag: bytes) -> None:
        """Refuse an exchange that brought no credentials, RFC 5034 section 4."""
        self.send(f"-ERR {refusal.text}\r\n".encode())

    def farewell(self, reason: Goodbye) -> bytes:
        """Answer the command that ends us; say nothing where there was none.

        RFC 1939 section 3: a server that closes for inactivity sends no response.
        """
        return FAREWELL.get(reason, b"")

    def ok(self, text: str) -> None:
        """Queue a positive reply."""
        self.send(f"+OK {text}".rstrip().encode() + b"\r\n")

    def listing(self, text: str, words: Sequence[str]) -> None:
        """Queue a multi-line reply, RFC 1939 section 3."""
        self.ok(text)
        self.send("".join(f"{word}\r\n" for word in words).encode() + b".\r\n")

    def refuse(self, text: str) -> None:
        """Queue a negative reply to a command, and count it."""
        self.send(f"-ERR {text}\r\n".encode())
        self.count_error()
