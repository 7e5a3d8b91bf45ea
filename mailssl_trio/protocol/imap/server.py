"""IMAP facing the mail client, up to its login (RFC 9051, 3501, 2971, 4959, 7888)."""

from collections.abc import Mapping

from attrs import evolve

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import (
    Accepted,
    MalformedCredentialsError,
    Password,
    Rejected,
)
from mailssl_trio.protocol.engine import HangUp
from mailssl_trio.protocol.events import Dialogue, Goodbye
from mailssl_trio.protocol.imap.grammar import (
    MAX_COMMAND,
    MAX_LITERALS,
    UNTAGGED,
    Announcement,
    Astring,
    Atom,
    Command,
    Parenthesis,
    announced,
    are_id_pairs,
    are_words,
    is_id,
    parse_command,
)
from mailssl_trio.protocol.server_session import ServerSession

FAREWELL: Mapping[Goodbye, str] = {
    Goodbye.TIMED_OUT: "Autologout; idle for too long",
    Goodbye.SHUTTING_DOWN: "server is shutting down",
    Goodbye.BUSY: "[UNAVAILABLE] too many connections",
    Goodbye.CROWDED_OUT: "[UNAVAILABLE] too many connections",
    Goodbye.ADDRESS_LIMIT: "[LIMIT] too many connections from your address",
    Goodbye.BANNED: "[UNAVAILABLE] your address is banned for a time",
    Goodbye.DENIED: "[NOPERM] access denied",
    Goodbye.LINE_TOO_LONG: "command too long",
    Goodbye.PIPELINED_STARTTLS: "nothing may follow STARTTLS in the clear",
    Goodbye.HTTP_REQUEST: "this is an IMAP server",
    Goodbye.BAD_CERTIFICATE: "SSL certificate error",
    Goodbye.CERTIFICATE_REQUIRED: "No required SSL certificate",
    Goodbye.KICKED: "[UNAVAILABLE] ended by an administrator",
    Goodbye.INTERNAL_ERROR: "[SERVERBUG] internal server error",
}

# RFC 9051 sections 6.3 and 6.4, RFC 3501 section 6.3.9, and the usual extensions.
IN_OTHER_STATES = frozenset(
    b"APPEND CANCELUPDATE CHECK CLOSE COMPRESS CONVERT COPY CREATE DELETE DELETEACL "
    b"ENABLE EXAMINE EXPUNGE FETCH GENURLAUTH GETACL GETMETADATA GETQUOTA "
    b"GETQUOTAROOT IDLE LIST LISTRIGHTS LSUB MOVE MYRIGHTS NAMESPACE NOTIFY RENAME "
    b"REPLACE RESETKEY RLIST RLSUB SEARCH SELECT SETACL SETMETADATA SETQUOTA SORT "
    b"STATUS STORE SUBSCRIBE THREAD UID UNAUTHENTICATE UNSELECT UNSUBSCRIBE URLFETCH "
    b"XLIST".split()
)


class ImapServer(ServerSession):
    """The not authenticated state of RFC 9051 section 3.1."""

    LOGIN = frozenset({b"AUTHENTICATE", b"LOGIN"})
    BEFORE_TLS = frozenset({b"CAPABILITY", b"NOOP", b"ID", b"STARTTLS", b"LOGOUT"})
    OWN_CAPABILITIES = frozenset(
        {"AUTH", "STARTTLS", "LOGINDISABLED", "SASL-IR", "LITERAL+", "LITERAL-", "ID"}
    )

    def greet(self) -> None:
        """Queue the greeting, with what spares the client its first question."""
        self.untagged(f"OK [CAPABILITY {self.capabilities}] IMAP4 ready")

    def until_tls_or_login(self) -> Dialogue[Goodbye | None]:
        """Speak the not authenticated state; there is nothing that TLS must forget."""
        while True:
            match (yield from self.read_command()):
                case Command(tag, b""):
                    self.refuse(tag, "BAD invalid command")
                case Command(tag, verb) if not self.permits(verb):
                    self.note_cleartext(verb)
                    self.refuse(tag, "NO [PRIVACYREQUIRED] TLS is required")
                case Command(tag, b"CAPABILITY", words) if are_words(words):
                    self.untagged(f"CAPABILITY {self.capabilities}")
                    self.reply(tag, "OK completed")
                case Command(tag, b"NOOP", words) if are_words(words):
                    self.reply(tag, "OK completed")
                case Command(tag, b"LOGOUT", words) if are_words(words):
                    self.untagged("BYE logging out")
                    self.reply(tag, "OK completed")
                    return Goodbye.QUIT
                case Command(tag, b"ID", arguments) if is_id(arguments):
                    self.untagged('ID ("name" "mailssl_trio")')
                    self.reply(tag, "OK completed")
                case Command(tag, b"STARTTLS", ()) if self.may_start_tls:
                    yield from self.start_tls(tag + b" OK begin TLS negotiation\r\n")
                    return None
                case Command(tag, b"LOGIN", (Astring(user), Astring(password))) if user:
                    if (yield from self.login(tag, user, password)):
                        return Goodbye.QUIT
                case Command(tag, b"AUTHENTICATE", (Atom(mechanism),)):
                    if (yield from self.authenticate(mechanism, None, tag)):
                        return Goodbye.QUIT
                case Command(tag, b"AUTHENTICATE", (Atom(mechanism), Atom(initial))):
                    if (yield from self.authenticate(mechanism, initial, tag)):
                        return Goodbye.QUIT
                case command if takes_literal(command):
                    self.refuse(command.tag, "NO [TOOBIG] literal too large")
                case Command(tag, verb) if verb in IN_OTHER_STATES:
                    self.refuse(tag, "BAD command not valid in this state")
                case command:
                    self.refuse(command.tag, "BAD invalid command")

    def read_command(self) -> Dialogue[Command]:
        """Return the next command; one with an unwelcome literal ends before it.

        A literal that waits for an invitation then never comes; one that does not
        wait is read past, so that its octets are not taken for commands.
        """
        command = parse_command((yield from self.read_command_line()))
        self.in_login = command.announced is not None
        while (literal := command.announced) and self.welcomes(command, literal):
            if literal.synchronising:
                self.send(b"+ ready for literal\r\n")
            octets = yield from self.read_octets(literal.size)
            command = command.continued(octets, (yield from self.read_command_line()))
        if literal and not literal.synchronising:
            room = self.longest(MAX_LITERALS) - command.literals_length
            yield from self.read_past(literal, room)
        self.in_login = False
        too_long = command.exceeds(self.longest(MAX_COMMAND))
        return evolve(command, verb=b"") if too_long else command

    def welcomes(self, command: Command, literal: Announcement) -> bool:
        """Whether a literal may come: a password must not travel to be refused."""
        return (
            self.permits(command.verb)
            and takes_literal(command)
            and not command.exceeds(self.longest(MAX_COMMAND))
            and command.literals_length + literal.size <= self.longest(MAX_LITERALS)
        )

    def read_past(self, literal: Announcement | None, room: int) -> Dialogue[None]:
        """Drop what a refused command brings unasked, RFC 7888 section 4."""
        while literal and not literal.synchronising:
            if literal.size > room:
                raise HangUp(Goodbye.LINE_TOO_LONG)
            yield from self.read_octets(literal.size)
            rest = yield from self.read_command_line()
            room -= literal.size + len(rest)
            literal = announced(rest)

    def login(self, tag: bytes, user: bytes, password: bytes) -> Dialogue[bool]:
        """LOGIN, RFC 9051 section 6.2.3; a literal may hold what no password may."""
        try:
            credentials = Password(user, password)
        except MalformedCredentialsError:
            self.refuse(tag, "BAD invalid user name or password")
            return False
        return (yield from self.log_in(credentials, tag))

    @property
    def capabilities(self) -> str:
        """What is true at this moment, RFC 9051 section 7.2.2."""
        words = [*self.configured_capabilities]
        words += [f"AUTH={mechanism}" for mechanism in self.mechanisms]
        if self.may_start_tls:
            words.append("STARTTLS")
        if not self.may_log_in:
            words.append("LOGINDISABLED")
        if self.mechanisms:
            words.append("SASL-IR")
        return " ".join((*words, "LITERAL+", "ID"))

    def accept(self, accepted: Accepted, tag: bytes) -> None:
        """Pass on the backend's own words, the last of them under the client's tag."""
        self.send(accepted.untagged + tag + b" " + accepted.reply)

    def reject(self, rejected: Rejected, tag: bytes) -> None:
        """Refuse a login with the code of RFC 5530 section 3.

        The words of an auth server are its own, a code included if it wants one.
        """
        usual = f"[{rejected.reason.name}] {rejected.words}"
        if rejected.reply:
            return self.send(tag + b" " + rejected.reply)
        return self.reply(tag, f"NO {rejected.text or usual}")

    def refuse_sasl(self, refusal: sasl.SaslError, tag: bytes) -> None:
        """Refuse an exchange that brought no credentials, RFC 9051 section 6.2.2."""
        unknown = isinstance(refusal, sasl.UnknownMechanismError)
        self.reply(tag, f"{'NO' if unknown else 'BAD'} {refusal.text}")

    def farewell(self, reason: Goodbye) -> bytes:
        """Say why we leave, RFC 9051 section 7.1.5; nothing to a peer that has left."""
        text = FAREWELL.get(reason)
        return f"* BYE {text}\r\n".encode() if text else b""

    def reply(self, tag: bytes, text: str) -> None:
        """Queue the reply that completes a command."""
        self.send(tag + f" {text}\r\n".encode())

    def untagged(self, text: str) -> None:
        """Queue a reply that completes none."""
        self.reply(UNTAGGED, text)

    def refuse(self, tag: bytes, text: str) -> None:
        """Queue a negative reply to a command, and count it."""
        self.reply(tag, text)
        self.count_error()


def takes_literal(command: Command) -> bool:
    """Whether the announced literal stands where the command has a string."""
    match command.verb, command.arguments:
        case b"LOGIN", (Announcement(),) | (Astring(), Announcement()):
            return True
        case b"ID", (Parenthesis.OPEN, *strings, Announcement()):
            return are_id_pairs(strings)
        case _:
            return False
