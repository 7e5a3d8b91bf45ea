"""IMAP facing the backend, up to our login (RFC 9051, 3501, 4959, 7888)."""

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import ClientSession, GiveUpError
from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import Dialogue, LoggedIn
from mailssl_trio.protocol.imap.answer import Answer, Room
from mailssl_trio.protocol.imap.grammar import (
    MAX_COMMAND,
    UNTAGGED,
    announced,
    quoted,
)
from mailssl_trio.protocol.imap.response import (
    CONTINUATION,
    MAX_REPLY,
    Response,
    parse_response,
)

MAX_LINE = MAX_COMMAND - len(b"G9 ")
"""Octets of a command's line behind our tag."""
MAX_LITERAL_MINUS = 4096  # RFC 7888 section 5

NAMES_OF_PIECES = {(2, 2): "user name", (2, 1): "password", (1, 1): "AUTHENTICATE"}
"""What is invited, of how many pieces and when so many are left, as the log has it."""

LAST_WORD = 0.2
"""Seconds in which a refusal follows a BYE, if one does."""

# What says that a feature is there; RFC 9051 appendix E made both part of IMAP4rev2.
SASL_IR = frozenset({b"SASL-IR", b"IMAP4REV2"})
LITERAL_MINUS = frozenset({b"LITERAL-", b"IMAP4REV2"})


def farewell_to_client(response: Response) -> bytes:
    """Turn a BYE into a refusal that a tag can stand before; nothing else is one."""
    if (response.tag, response.word) != (UNTAGGED, b"BYE"):
        return b""
    return b"NO " + (response.text or b"Good bye") + b"\r\n"


class ImapClient(ClientSession):
    """The best way to log in that the backend offers, in the fewest round trips."""

    said = 0
    """Commands so far; our tags count them."""
    introduced = b""
    """The tag of an ID that has not been answered."""

    def log_in(self) -> Dialogue[LoggedIn]:
        """Speak from the greeting to the tagged reply that ends the login."""
        capabilities = yield from self.open()
        if self.tells_of_client and b"ID" in capabilities:
            self.introduce()
        answer = yield from self.present(capabilities)
        if not answer.ok:
            self.command(b"LOGOUT\r\n")
            tagged = answer.tagged
            raise self.refused(tagged.line, tagged.reason, tagged.reply)
        if capabilities and not answer.capabilities:
            answer = yield from self.with_capabilities(answer)
        untagged = b"".join(response.octets for response in answer.untagged)
        return LoggedIn(answer.tagged.reply, untagged)

    def open(self) -> Dialogue[frozenset[bytes]]:
        """Return the capabilities to log in by; what was told before TLS is not.

        None at all where the backend does not know the question: it was good enough
        for nginx, which never asks.
        """
        told = yield from self.greeting()
        if self.starttls:
            answer = yield from self.converse(b"STARTTLS\r\n")
            if not answer.ok:
                raise self.invalid(answer.tagged.line, answer.tagged.reply)
            yield from self.start_tls()
            told = b""
        if not told:
            told = (yield from self.capability()).capabilities
        return frozenset(told.upper().split())

    def introduce(self) -> None:
        """Queue for whom we speak: ID (RFC 2971), in Dovecot's words.

        The login follows at once: whoever does not believe us takes no notice.
        """
        told = {
            "x-originating-ip": self.client.client,
            "x-originating-port": str(self.client.client_port),
            "x-connected-ip": self.client.server,
            "x-connected-port": str(self.client.server_port),
            "x-session-id": self.client.session,
        }
        fields = " ".join(f'"{name}" "{value}"' for name, value in told.items())
        self.introduced = self.command(f"ID ({fields})\r\n".encode())

    def hear_answer(self) -> Dialogue[None]:
        """Read past all that is said to our ID; it is nobody else's."""
        room = Room(self.longest(MAX_REPLY))
        while (response := (yield from self.read_response(room))).tag == UNTAGGED:
            yield from self.hear_out(response)
        if response.tag != self.introduced or not response.completes(whole=True):
            raise self.invalid(response.line)
        self.introduced = b""

    def greeting(self) -> Dialogue[bytes]:
        """Return the capabilities of the greeting; PREAUTH is a login of nobody's."""
        greeting = yield from self.read_response(Room(self.longest(MAX_REPLY)))
        if (greeting.tag, greeting.word) != (UNTAGGED, b"OK"):
            raise self.invalid(greeting.line, farewell_to_client(greeting))
        return greeting.capabilities

    def capability(self) -> Dialogue[Answer]:
        """Ask what the backend can do at this moment; any tagged word is an answer."""
        return (yield from self.converse(b"CAPABILITY\r\n", any_word=True))

    def present(self, capabilities: frozenset[bytes]) -> Dialogue[Answer]:
        """Log in by the best way on offer."""
        told = {b"AUTH=" + name.encode(): name for name in sasl.IN_ONE_MESSAGE}
        offered = {name for word, name in told.items() if word in capabilities}
        mechanism = self.mechanism(offered)
        pieces = self.login_command(mechanism, capabilities)
        return (yield from self.converse(*pieces, mechanism=mechanism))

    def login_command(
        self, mechanism: str | None, capabilities: frozenset[bytes]
    ) -> tuple[bytes, ...]:
        """Choose how the credentials travel; in pieces, as ``converse`` takes them."""
        if mechanism:
            command = b"AUTHENTICATE " + mechanism.encode()
            (response,) = self.responses(mechanism)
            in_one_line = command + b" " + response + b"\r\n"  # RFC 4959
            if SASL_IR & capabilities and len(in_one_line) <= MAX_LINE:
                return (in_one_line,)
        match self.credentials:
            case Password() as password if b"LOGINDISABLED" not in capabilities:
                return self.login(password, capabilities)
        if mechanism:
            return command + b"\r\n", response + b"\r\n"
        raise GiveUpError("upstream offers no login that we know")

    def login(
        self, credentials: Password, capabilities: frozenset[bytes]
    ) -> tuple[bytes, ...]:
        """LOGIN with quoted strings, or with literals for what those cannot carry.

        And with literals, as nginx, at a backend of which nothing is known.
        """
        user, password = credentials.authcid, credentials.password
        match quoted(user), quoted(password):
            case bytes(quoted_user), bytes(quoted_password) if capabilities:
                line = b"LOGIN %b %b\r\n" % (quoted_user, quoted_password)
                if len(line) <= MAX_LINE:
                    return (line,)
        unasked = b"LITERAL+" in capabilities or (
            LITERAL_MINUS & capabilities
            and max(len(user), len(password)) <= MAX_LITERAL_MINUS
        )
        plus = b"+" if unasked else b""
        pieces = (
            b"LOGIN {%d%b}\r\n" % (len(user), plus),
            b"%b {%d%b}\r\n" % (user, len(password), plus),
            password + b"\r\n",
        )
        return (b"".join(pieces),) if unasked else pieces

    def with_capabilities(self, login: Answer) -> Dialogue[Answer]:
        """Ask what no login told, or the client goes on believing what it read before.

        The answer is put where backends put it: into the OK if it has no other
        response code (RFC 9051 section 7.1), else among what comes before it.
        """
        answer = yield from self.capability()
        if not answer.capabilities:
            return login
        words = b" ".join(answer.capabilities.split())
        untagged = *login.untagged, *answer.without_capabilities
        tagged = login.tagged
        if tagged.text.startswith(b"["):
            told = parse_response(b"* CAPABILITY " + words)
            return Answer(tagged, (*untagged, told))
        code = b" OK [CAPABILITY " + words + b"] "
        text = tagged.text or b"Logged in"  # RFC 3501 wants some
        return Answer(parse_response(tagged.tag + code + text), untagged)

    def converse(
        self,
        command: bytes,
        *invited: bytes,
        mechanism: str | None = None,
        any_word: bool = False,
    ) -> Dialogue[Answer]:
        """Say a command, each further piece when the backend invites it, and listen.

        With ``any_word`` a tagged response ends it that is neither OK, NO nor BAD.
        """
        tag = self.command(command)
        if self.introduced:
            yield from self.hear_answer()
        pieces, untagged, room = [*invited], [], Room(self.longest(MAX_REPLY))
        while True:
            response = yield from self.read_response(room)
            if response.tag == UNTAGGED:
                yield from self.hear_out(response)
                untagged.append(response)
            elif response.tag == CONTINUATION and pieces:
                what = NAMES_OF_PIECES[len(invited), len(pieces)]
                self.say(pieces.pop(0), what)
            elif response.tag == CONTINUATION and not self.failure:
                self.hear_failure(mechanism, response.line)
            elif response.tag == tag and (
                any_word or response.completes(whole=not (pieces or self.failure))
            ):
                return Answer(response, tuple(untagged))
            else:
                raise self.invalid(response.line)

    def hear_out(self, response: Response) -> Dialogue[None]:
        """Give up on a backend that says BYE, unless it says at once what for.

        Some refuse a login behind it. And it need not close to be gone.
        """
        if response.word == b"BYE" and not (yield from self.hears_more(LAST_WORD)):
            raise self.invalid(response.line, farewell_to_client(response))

    def command(self, command: bytes) -> bytes:
        """Queue a command, or its first piece, and return its tag."""
        self.said += 1
        tag = b"G%d" % self.said
        verb = command.split(maxsplit=1)[0].decode()
        self.say(tag + b" " + command, f"{verb} command")
        return tag

    def read_response(self, room: Room) -> Dialogue[Response]:
        """Return one response, with the literals and lines that belong to it."""
        line = yield from self.read_reply_line(room.octets)
        room.take(len(line))
        response = parse_response(line)
        rest: list[bytes] = []
        while not response.ends_with_its_line and (literal := announced(line)):
            room.take(literal.size)
            octets = yield from self.read_octets(literal.size)
            line = yield from self.read_reply_line(room.octets)
            room.take(len(line))
            rest += octets, line, b"\r\n"
        return response.continued(b"".join(rest))
