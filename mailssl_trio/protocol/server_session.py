"""What the three sessions that face mail clients have in common.

The policy of STARTTLS is here and nowhere else: ``may_start_tls``, ``may_log_in``
and ``permits()`` decide for all three protocols, and ``log_in()`` is the only way
by which a credential leaves a session.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import ClassVar

from attrs import frozen

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import (
    Accepted,
    Bearer,
    Credentials,
    Rejected,
)
from mailssl_trio.protocol.engine import HangUp, LineTooLongError, Session
from mailssl_trio.protocol.events import (
    NOBODY,
    Authenticate,
    Dialogue,
    Goodbye,
    Helo,
    LoggedIn,
)
from mailssl_trio.protocol.failures import Failure

HTTP_REQUEST = re.compile(
    rb"(?:CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PRI|PUT|TRACE) \S+ HTTP/[0-9]"
)


class StartTlsMode(Enum):
    """The directive ``starttls``."""

    OFF = "off"
    """Not offered, refused."""
    ON = "on"
    """Offered and accepted."""
    ONLY = "only"
    """Offered; until TLS is up, no mechanism is offered and no login accepted."""


@frozen
class Policy:
    """What one virtual server lets its sessions offer and accept."""

    server_name: str = "localhost"
    starttls: StartTlsMode = StartTlsMode.OFF
    mechanisms: tuple[str, ...] = ("PLAIN",)
    """The mechanisms to advertise, and to accept; but PLAIN and LOGIN always are."""
    capabilities: tuple[str, ...] = ()
    """Words to announce for the backend, in their order."""
    max_errors: int = 5
    """The refused command or login that ends the connection; 0 acts like 1."""
    client_buffer: int = 0
    """IMAP and SMTP: octets of the longest command, SASL apart; 0 is as usual."""
    apop: bool = False
    """POP3: whether APOP is accepted."""
    unauthenticated: bool = False
    """SMTP: whether MAIL and RCPT are judged where there was no AUTH."""
    greeting_delay: float = 0.0
    """SMTP: seconds of silence before the greeting."""


class ServerSession(Session):
    """A conversation with a mail client, up to its login."""

    BEFORE_TLS: ClassVar[frozenset[bytes]]
    """The commands that ``starttls only`` answers in the clear."""

    LOGIN: ClassVar[frozenset[bytes]]
    """The commands that a login begins with."""

    OWN_CAPABILITIES: ClassVar[frozenset[str]]
    """Words that the session says by itself, when they are true and only then."""

    def __init__(
        self,
        policy: Policy,
        *,
        implicit_tls: bool = False,
        challenge: Callable[[], bytes] = sasl.no_challenge,
    ) -> None:
        self.policy = policy
        self.challenge = challenge
        """Makes one that nobody can foretell and that never comes again."""
        self.implicit_tls = implicit_tls
        self.errors = 0
        self.in_login = False
        """A login has begun that takes more than one line."""
        self.failure: Failure | None = None
        """What became of the last login, if nobody has been asked to judge it."""
        super().__init__()

    @property
    def is_midway(self) -> bool:
        """Whether a command or a login has begun and is not over."""
        return self.in_login or super().is_midway

    # The policy.

    @property
    def may_start_tls(self) -> bool:
        """Whether STARTTLS is offered, and accepted, at this moment."""
        return self.tls is None and self.policy.starttls is not StartTlsMode.OFF

    @property
    def may_log_in(self) -> bool:
        """Whether a credential may be accepted at this moment."""
        return self.tls is not None or self.policy.starttls is not StartTlsMode.ONLY

    def permits(self, verb: bytes) -> bool:
        """Whether ``verb`` is answered, not refused for want of TLS."""
        return self.may_log_in or verb in self.BEFORE_TLS

    def note_cleartext(self, verb: bytes) -> None:
        """Remember, of what is not permitted, that it was to be a login."""
        if verb in self.LOGIN:
            self.failure = Failure.CLEARTEXT_DISABLED

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The SASL mechanisms that are true to advertise at this moment."""
        return self.policy.mechanisms if self.may_log_in else ()

    @property
    def configured_capabilities(self) -> tuple[str, ...]:
        """The configured words, without those that are ours to say."""
        return tuple(
            word
            for word in self.policy.capabilities
            if re.split(r"[ =]", word.upper())[0] not in self.OWN_CAPABILITIES
        )

    def longest(self, usual: int) -> int:
        """Return how many octets a client may make us keep of a command."""
        return self.policy.client_buffer or usual

    # What each protocol words for itself.

    def until_tls_or_login(self) -> Dialogue[Goodbye | None]:
        """Speak until STARTTLS or the login; return why it is over, None for TLS.

        Everything a dialogue has learnt lives in the locals of this one, so that
        leaving it is what RFC 3207 section 4.2 asks for: to discard any knowledge.
        """
        raise NotImplementedError

    def greet(self) -> None:
        """Queue the greeting."""
        raise NotImplementedError

    def accept(self, accepted: Accepted, tag: bytes) -> None:
        """Queue the backend's words for a login that succeeded."""
        raise NotImplementedError

    def reject(self, rejected: Rejected, tag: bytes) -> None:
        """Queue the refusal of a login in the protocol's own words."""
        raise NotImplementedError

    def refuse_sasl(self, refusal: sasl.SaslError, tag: bytes) -> None:
        """Queue the refusal of a SASL exchange that came to nothing."""
        raise NotImplementedError

    CHALLENGE: ClassVar[bytes] = b"+ "
    """What stands before a SASL challenge."""

    # The dialogue.

    def dialogue(self) -> Dialogue[Goodbye]:
        """Greet, and speak until login; start anew behind STARTTLS."""
        self.greet()
        while (ending := (yield from self.until_tls_or_login())) is None:
            self.errors = 0
        return ending

    def log_in(
        self,
        credentials: Credentials,
        tag: bytes = b"",
        helo: Helo = NOBODY,
        mechanism: str = "PLAIN",
    ) -> Dialogue[bool]:
        """Have the credentials judged; the only way by which one leaves a session."""
        if not self.may_log_in:
            raise RuntimeError("a login before TLS under starttls only")
        self.failure = None
        verdict = yield from self.ask(Authenticate(credentials, helo, mechanism))
        if isinstance(verdict, Rejected):
            if verdict.challenge and isinstance(credentials, Bearer):
                yield from self.put(verdict.challenge)  # RFC 7628 section 3.2.3
            self.reject(verdict, tag)
            self.count_error()
            return False
        self.accept(verdict, tag)
        yield LoggedIn(verdict.reply, verdict.untagged)
        return True

    def authenticate(
        self,
        mechanism: bytes,
        initial: bytes | None,
        tag: bytes = b"",
        helo: Helo = NOBODY,
    ) -> Dialogue[bool]:
        """Hold a SASL exchange (RFC 4422) and log in with what it brings."""
        try:
            exchange = self._begin(mechanism, initial)
            self.in_login = True
            self.failure = Failure.ABORTED_BY_CLIENT  # as long as it lasts
            credentials = yield from self._converse(exchange, initial)
            named = mechanism.decode("ascii").upper()  # or there were no exchange
            return (yield from self.log_in(credentials, tag, helo, named))
        except sasl.SaslError as refusal:
            self.failure = refusal.failure
            self.refuse_sasl(refusal, tag)
            self.count_error()
            return False
        finally:
            self.in_login = False

    def _begin(self, mechanism: bytes, initial: bytes | None) -> sasl.ServerExchange:
        enabled = self.policy.mechanisms
        exchange = sasl.server_exchange(mechanism, enabled, self.challenge)
        if initial is not None and not sasl.takes_initial_response(mechanism):
            raise sasl.MalformedResponseError
        return exchange

    def _converse(
        self, exchange: sasl.ServerExchange, initial: bytes | None
    ) -> Dialogue[Credentials]:
        challenge = next(exchange)
        response = None if initial is None else sasl.decode(initial)
        while True:
            if response is None:
                response = yield from self.put(challenge)
            try:
                challenge = exchange.send(response)
            except StopIteration as over:
                credentials: Credentials = over.value
                return credentials
            response = None

    def put(self, challenge: bytes) -> Dialogue[bytes]:
        """Send a challenge, and return the response; SaslError if there is none."""
        self.send(self.CHALLENGE + sasl.encode(challenge) + b"\r\n")
        response = (yield from self.read_command_line()).rstrip(b" ")
        if response == b"*":
            raise sasl.CancelledError
        return sasl.decode(response)

    def read_command_line(self) -> Dialogue[bytes]:
        """Return the next line; end the conversation of what is no mail client."""
        try:
            limit = max(sasl.MAX_LINE, self.policy.client_buffer)
            line = yield from self.read_line(limit)
        except LineTooLongError:
            raise HangUp(Goodbye.LINE_TOO_LONG) from None
        if HTTP_REQUEST.match(line):
            raise HangUp(Goodbye.HTTP_REQUEST)
        return line

    def count_error(self) -> None:
        """Count a refusal that has been queued; the last one ends the connection."""
        self.errors += 1
        if self.errors >= self.policy.max_errors:
            raise HangUp(Goodbye.TOO_MANY_ERRORS)
