"""What the three sessions that face backends have in common.

A backend is not believed: a credential leaves only by the ``credentials``
property, which is shut until the TLS that was asked for is up.
"""

import re
from collections.abc import Collection

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import (
    BackendCredentials,
    Reason,
    Rejected,
)
from mailssl_trio.protocol.engine import LineTooLongError, Session
from mailssl_trio.protocol.events import Dialogue, Goodbye, LoggedIn, Refused
from mailssl_trio.protocol.failures import Failure
from mailssl_trio.protocol.introduction import (
    UNIX_CLIENT,
    Introduction,
    ProxyPolicy,
    XClient,
)
from mailssl_trio.protocol.secrets import WITHHELD, quotes

MAX_REPLY_LINES = 512
"""Lines a backend may send in one reply before it is given up."""

NOBODY_TO_TELL_OF = Introduction()
AS_USUAL = ProxyPolicy()

NO_TEXT = re.compile(rb"\r(?!\n)|\0")


CONNECTING = "connecting to upstream"
"""nginx's words for all that comes before our first word."""

HANDSHAKING = "SSL handshaking to upstream"


class GiveUpError(Exception):
    """The backend cannot be logged in to; ``detail`` is for the operator."""

    def __init__(
        self,
        detail: str,
        reason: Reason = Reason.UNAVAILABLE,
        reply: bytes = b"",
        failure: Failure = Failure.UPSTREAM_PROTOCOL_FAILURE,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason
        self.reply = reply
        """Its refusal in its own words, where it has any that a client may hear."""
        self.failure = failure


class ClientSession(Session):
    """A conversation with a backend, from its greeting to the end of the login."""

    def __init__(
        self,
        credentials: BackendCredentials,
        *,
        implicit_tls: bool = False,
        starttls: bool = False,
        client_name: str = "localhost",
        client: Introduction = NOBODY_TO_TELL_OF,
        policy: ProxyPolicy = AS_USUAL,
    ) -> None:
        self.implicit_tls = implicit_tls
        self.starttls = starttls
        self.client_name = client_name
        """What an SMTP backend is told in EHLO: our own name."""
        self.client = client
        """Whom we speak for."""
        self.policy = policy
        self._credentials = credentials
        self.action = CONNECTING
        self.failure = b""
        """What the backend said of our token before it refused it (RFC 7628 3.2.2)."""
        super().__init__()

    @property
    def credentials(self) -> BackendCredentials:
        """The credentials; RuntimeError while the TLS that was asked for is not up."""
        if self.tls is None and (self.starttls or self.implicit_tls):
            raise RuntimeError("a credential towards a backend before TLS")
        return self._credentials

    def dialogue(self) -> Dialogue[Goodbye]:
        """Log in, and say what came of it."""
        try:
            logged_in = yield from self.log_in()
        except GiveUpError as end:
            rejected = Rejected(end.reason, challenge=self.failure)
            yield Refused(rejected, end.detail, end.reply, end.failure)
            return Goodbye.REFUSED
        yield logged_in
        return Goodbye.QUIT

    def say(self, octets: bytes, what: str) -> None:
        """Queue our part of the login, and remember what it was, in nginx's words."""
        self.action = f"sending {what} to upstream"
        self.send(octets)

    def start_tls(self, go_ahead: bytes = b"") -> Dialogue[None]:
        """Upgrade as every session does."""
        before, self.action = self.action, HANDSHAKING
        yield from super().start_tls(go_ahead)
        self.action = before

    def log_in(self) -> Dialogue[LoggedIn]:
        """Speak from the greeting to the login; GiveUpError if there is none."""
        raise NotImplementedError

    @property
    def tells_of_client(self) -> bool:
        """Whether a backend may hear for whom we speak, if there is an address."""
        has_address = self.client.client != UNIX_CLIENT
        return has_address and self.policy.xclient is not XClient.OFF

    def longest(self, usual: int) -> int:
        """Return how many octets the backend may say at once."""
        return self.policy.proxy_buffer or usual

    def read_reply_line(self, limit: int) -> Dialogue[bytes]:
        """Return one line of the backend's."""
        try:
            return (yield from self.read_line(limit))
        except LineTooLongError:
            raise GiveUpError("upstream sent too long response line") from None

    def invalid(self, line: bytes, reply: bytes = b"") -> GiveUpError:
        """What to raise when the backend says what it may not say here.

        ``reply`` is what a client may hear of it: a refusal in its protocol.
        """
        text = self.without_us(line)
        return GiveUpError(
            f'upstream sent invalid response: "{text}"', reply=self.passable(reply)
        )

    def refused(self, line: bytes, reason: Reason, reply: bytes = b"") -> GiveUpError:
        """What to raise when the backend will not have these credentials."""
        text = self.without_us(line)
        detail = f'upstream refused the login: "{text}"'
        failure = Failure.UPSTREAM_AUTH_FAILED
        if reason is Reason.UNAVAILABLE:
            failure = Failure.UPSTREAM_AUTH_TEMP_FAILED
        return GiveUpError(detail, reason, self.passable(reply), failure)

    def passable(self, reply: bytes) -> bytes:
        """Return a refusal for the client, nothing if it echoes our secrets.

        Nor what some clients would read as a line more: CR alone, or NUL.
        """
        is_ours = self.without_us(reply) == WITHHELD
        return b"" if is_ours or NO_TEXT.search(reply) else reply

    def without_us(self, line: bytes) -> str:
        """Return a backend's line for the operator, unless it echoes our secrets.

        Servers quote the command that they do not understand, PASS and all. The line
        is withheld whole: what is left around a short password tells its letters.
        Some quote it in upper case.
        """
        if quotes(line, self._credentials):
            return WITHHELD
        return line.decode("utf-8", "replace")

    def mechanism(self, offered: Collection[str]) -> str | None:
        """Choose the best mechanism on offer that carries our credentials."""
        ours = sasl.client_mechanisms(self.credentials)
        return next((name for name in ours if name in offered), None)

    def responses(self, mechanism: str) -> list[bytes]:
        """Return what we say in an exchange, as it travels, without line ends."""
        said = sasl.client_mechanisms(self.credentials)[mechanism]
        return [sasl.encode(message) for message in said]

    def hear_failure(self, mechanism: str | None, line: bytes) -> None:
        """Take what a backend says of our token, and answer it; the refusal follows.

        A challenge behind all that we have to say is legal nowhere else.
        """
        answer = sasl.FAILURE_HEARD.get(mechanism or "")
        try:
            failure = sasl.decode(line.partition(b" ")[2])
        except sasl.MalformedResponseError:
            raise self.invalid(line) from None
        if answer is None or not failure:
            raise self.invalid(line)
        self.failure = failure
        self.say(sasl.encode(answer) + b"\r\n", "AUTH")
