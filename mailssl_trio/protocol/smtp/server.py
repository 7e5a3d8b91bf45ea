"""SMTP submission facing the mail client, up to its login (RFC 6409, 4954, 3207)."""

from collections.abc import Mapping

from attrs import evolve

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import Accepted, Envelope, Rejected
from mailssl_trio.protocol.events import NOBODY, Dialogue, Goodbye, Helo
from mailssl_trio.protocol.server_session import ServerSession
from mailssl_trio.protocol.smtp.grammar import (
    MAX_COMMAND,
    REFUSAL,
    Command,
    is_text,
    parse_command,
)

FAREWELL: Mapping[Goodbye, str] = {  # RFC 3463 sections 3.4 to 3.8
    Goodbye.TIMED_OUT: "421 4.4.2 {server} timed out",
    Goodbye.SHUTTING_DOWN: "421 4.3.2 {server} shutting down",
    Goodbye.BUSY: "421 4.3.2 {server} too many connections",
    Goodbye.CROWDED_OUT: "421 4.3.2 {server} too many connections",
    Goodbye.ADDRESS_LIMIT: "421 4.7.0 {server} too many connections from your address",
    Goodbye.BANNED: "421 4.7.0 {server} your address is banned for a time",
    Goodbye.DENIED: "554 5.7.1 {server} access denied",  # RFC 5321 section 3.1
    Goodbye.LINE_TOO_LONG: "421 4.5.0 {server} line too long",
    Goodbye.PIPELINED_STARTTLS: (
        "421 4.7.0 {server} nothing may follow STARTTLS in the clear"
    ),
    Goodbye.HTTP_REQUEST: "421 4.7.0 {server} this is a mail server",
    Goodbye.EARLY_TALKER: "503 5.5.0 Improper use of SMTP command pipelining",
    Goodbye.BAD_CERTIFICATE: "421 4.7.1 SSL certificate error",  # word for word nginx's
    Goodbye.CERTIFICATE_REQUIRED: "421 4.7.1 No required SSL certificate",
    Goodbye.KICKED: "421 4.3.2 {server} ended by an administrator",
    Goodbye.INTERNAL_ERROR: "421 4.3.0 {server} internal server error",
}

SASL_REFUSAL: Mapping[type[sasl.SaslError], str] = {  # RFC 4954 section 4
    sasl.UnknownMechanismError: "504 5.5.4",
    sasl.MalformedResponseError: "501 5.5.2",
    sasl.NotBase64Error: "501 5.5.2",
    sasl.CancelledError: "501 5.0.0",
}

LENGTHENED = frozenset({b"AUTH", b"MAIL", b"RCPT"})
"""Commands that extensions lengthen: up to a SASL line, not to MAX_COMMAND."""

AFTER_LOGIN = frozenset({b"MAIL", b"RCPT", b"DATA", b"BDAT", b"BURL", b"EXPN", b"ETRN"})
"""Commands that only the backend answers, and only to those it knows."""


TRANSACTION = frozenset({b"MAIL", b"RCPT", b"DATA", b"BDAT"})  # RFC 5321, RFC 3030


class SmtpServer(ServerSession):
    """What RFC 6409 section 4.3 lets a client say before it has authenticated."""

    LOGIN = frozenset({b"AUTH"})
    BEFORE_TLS = frozenset(  # RFC 3207 section 4, and what opens or resets a session
        {b"EHLO", b"HELO", b"NOOP", b"RSET", b"STARTTLS", b"QUIT"}
    )
    OWN_CAPABILITIES = frozenset(
        {"AUTH", "STARTTLS", "PIPELINING", "ENHANCEDSTATUSCODES"}
    )
    CHALLENGE = b"334 "

    def dialogue(self) -> Dialogue[Goodbye]:
        """Let a client that cannot wait betray itself, and then speak."""
        if self.policy.greeting_delay:
            yield from self.stay_silent(self.policy.greeting_delay)
        return (yield from super().dialogue())

    def greet(self) -> None:
        """Queue the banner."""
        self.reply(f"220 {self.policy.server_name} ESMTP ready")

    def until_tls_or_login(self) -> Dialogue[Goodbye | None]:
        """Speak until STARTTLS or the login; what TLS must forget is local here."""
        helo, mail = NOBODY, b""
        while True:
            match (yield from self.read_command()):
                case Command(verb) if not self.permits(verb):
                    self.note_cleartext(verb)
                    self.refuse("530 5.7.0 Must issue a STARTTLS command first")
                case Command(b"EHLO", (name,)):
                    helo, mail = Helo(name, esmtp=True), b""
                    self.ehlo()
                case Command(b"HELO", (name,)):
                    helo, mail = evolve(helo, name=name), b""
                    self.reply(f"250 {self.policy.server_name}")
                case Command(b"NOOP"):
                    self.reply("250 2.0.0 OK")
                case Command(b"RSET"):
                    mail = b""
                    self.reply("250 2.0.0 OK")
                case Command(b"QUIT"):
                    self.reply("221 2.0.0 Bye")
                    return Goodbye.QUIT
                case Command(b"HELP"):
                    self.reply("214 2.0.0 See RFC 5321 and RFC 6409")
                case Command(b"VRFY", (_, *_)):
                    self.reply("252 2.5.0 Send some mail and see")
                case Command(b"STARTTLS", ()) if self.may_start_tls:
                    yield from self.start_tls(b"220 2.0.0 Ready to start TLS\r\n")
                    return None
                case Command(b"STARTTLS", ()) if self.tls is None:
                    self.refuse("502 5.5.1 TLS is not available")
                case Command(b"STARTTLS", ()):
                    self.refuse("503 5.5.1 TLS is active already")
                case Command(b"AUTH") if mail:  # RFC 4954 section 4
                    self.refuse("503 5.5.1 Bad sequence of commands")
                case Command(b"AUTH", (mechanism,)):
                    if (yield from self.authenticate(mechanism, None, helo=helo)):
                        return Goodbye.QUIT
                case Command(b"AUTH", (mechanism, initial)):
                    if (yield from self.authenticate(mechanism, initial, helo=helo)):
                        return Goodbye.QUIT
                case Command(b"EHLO" | b"HELO" | b"VRFY" | b"STARTTLS" | b"AUTH"):
                    self.refuse("501 5.5.4 Invalid argument")
                case Command(verb) as command if self.takes_mail(verb):
                    standing = yield from self.submit(command, mail, helo)
                    if standing is None:
                        return Goodbye.QUIT
                    mail = standing
                case Command(verb) if verb in AFTER_LOGIN:
                    self.refuse("530 5.7.0 Authentication required")
                case _:
                    self.refuse("500 5.5.1 Invalid command")

    def takes_mail(self, verb: bytes) -> bool:
        """Whether it is a command of a mail transaction that needs no AUTH."""
        return self.policy.unauthenticated and verb in TRANSACTION

    def submit(
        self, command: Command, mail: bytes, helo: Helo
    ) -> Dialogue[bytes | None]:
        """Take MAIL, and have the first RCPT judged; what follows is the backend's.

        Return the MAIL that stands, None when the backend has taken over. A refused
        recipient leaves it standing, until RSET, EHLO or HELO.
        """
        match command:
            case Command(b"MAIL", (_, *_)) if not mail:
                self.reply("250 2.0.0 OK")
                return command.line
            case Command(b"RCPT", (_, *_)) if mail:
                envelope = Envelope(mail, command.line)
                if (yield from self.log_in(envelope, helo=helo, mechanism="NONE")):
                    return None
            case Command(b"MAIL", ()) if not mail:
                self.refuse("501 5.5.4 Invalid argument")
            case Command(b"RCPT", ()) if mail:
                self.refuse("501 5.5.4 Invalid argument")
            case _:
                self.refuse("503 5.5.1 Bad sequence of commands")
        return mail

    def read_command(self) -> Dialogue[Command]:
        """Return the next command; refuse lines that cannot be one."""
        while True:
            line = yield from self.read_command_line()
            command = parse_command(line)
            too_long = len(line + b"\r\n") > self.longest(MAX_COMMAND)
            if too_long and command.verb not in LENGTHENED:
                self.refuse("500 5.5.2 Line too long")
            elif not is_text(line):
                self.refuse("500 5.5.2 NUL or CR in a command")
            else:
                return command

    def ehlo(self) -> None:
        """EHLO, RFC 5321 section 4.1.1.1: what is true at this moment."""
        lines = [self.policy.server_name, *self.configured_capabilities]
        lines += ["PIPELINING", "ENHANCEDSTATUSCODES"]
        if self.mechanisms:
            lines.append(" ".join(("AUTH", *self.mechanisms)))
        if self.may_start_tls:
            lines.append("STARTTLS")
        for line in lines[:-1]:
            self.reply(f"250-{line}")
        self.reply(f"250 {lines[-1]}")

    def accept(self, accepted: Accepted, tag: bytes) -> None:
        """Pass on the backend's own words, all lines of them, if it had any to say."""
        self.send(accepted.reply or b"235 2.0.0 OK\r\n")

    def reject(self, rejected: Rejected, tag: bytes) -> None:
        """Refuse a login with the codes of RFC 4954 section 6, or the judge's own."""
        if rejected.reply:
            return self.send(rejected.reply)
        code = rejected.code or REFUSAL[rejected.reason]
        return self.reply(f"{code} {rejected.text or rejected.words}")

    def refuse_sasl(self, refusal: sasl.SaslError, tag: bytes) -> None:
        """Refuse an exchange that brought no credentials."""
        self.reply(f"{SASL_REFUSAL[type(refusal)]} {refusal.text}")

    def farewell(self, reason: Goodbye) -> bytes:
        """Say 421 and why, RFC 5321 section 3.8; nothing to a client that left."""
        if reason not in FAREWELL:
            return b""
        reply = FAREWELL[reason].format(server=self.policy.server_name)
        return f"{reply}\r\n".encode()

    def reply(self, line: str) -> None:
        """Queue one line of a reply."""
        self.send(line.encode() + b"\r\n")

    def refuse(self, line: str) -> None:
        """Queue a negative reply to a command, and count it."""
        self.reply(line)
        self.count_error()
