"""What a session tells its driver: the whole vocabulary between the two floors.

A session never acts. It says what it needs next, in one of these words, and its
driver (:mod:`mailssl_trio.transport.connection`) or the gateway does it.
"""

from collections.abc import Generator
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from attrs import field, frozen

from mailssl_trio.protocol.credentials import Credentials, Rejected, Verdict
from mailssl_trio.protocol.failures import Failure

T = TypeVar("T")


class Goodbye(Enum):
    """Why a conversation ended. The value is what the log says."""

    QUIT = "client quit"
    PEER_GONE = "peer closed connection"
    TIMED_OUT = "timed out"
    SHUTTING_DOWN = "shutting down"
    BUSY = "too many connections"
    CROWDED_OUT = "made room, being one of too many that had not logged in"
    ADDRESS_LIMIT = "came from an address with too many connections"
    BANNED = "is banned"
    DENIED = "was denied access by rule"
    TOO_MANY_ERRORS = "sent too many invalid commands"
    LINE_TOO_LONG = "sent too long command"
    PIPELINED_STARTTLS = "sent plaintext behind STARTTLS"
    HTTP_REQUEST = "sent an HTTP request"
    EARLY_TALKER = "was rejected before greeting"
    HANDSHAKE_FAILED = "TLS handshake failed"
    BAD_CERTIFICATE = "SSL certificate verify error"
    CERTIFICATE_REQUIRED = "sent no required SSL certificate"
    KICKED = "was ended by an administrator"
    INTERNAL_ERROR = "internal error"
    REFUSED = "login refused"


class Event:
    """The next thing that somebody other than the session must do."""

    __slots__ = ()


class Question(Event, Generic[T]):
    """An event the session waits on: it goes on when ``answer()`` brings a T."""

    __slots__ = ()


@frozen
class NeedData(Event):
    """Nothing more can happen before ``receive_data()``."""


@frozen
class Pause(Event):
    """Let so many seconds pass; go on sooner only if the peer says something."""

    seconds: float


@frozen
class TlsInfo:
    """What the handshake agreed on."""

    version: str
    """As OpenSSL names it: ``TLSv1.3``."""
    cipher: str = ""
    server_name: str | None = None
    """The SNI the client asked for, or None."""
    resumed: bool = False
    """Whether an earlier session went on, without certificates being shown again."""
    refused: Goodbye | None = None
    """Why the peer is sent away in spite of it: BAD_CERTIFICATE, where it showed one
    that will not do, or CERTIFICATE_REQUIRED, where it showed none. None is welcome."""
    alpn: str | None = None
    """The protocol that was agreed on by ALPN, if any."""
    verified: str = ""
    """What became of the certificate that a client was asked for: ``SUCCESS``,
    ``FAILED:reason``, or ``NONE`` where it has none; "" where it was not asked."""
    certificate: bytes | None = field(default=None, repr=False)
    """The one that it has shown, in DER."""


@frozen
class StartTls(Question[TlsInfo]):
    """Perform the TLS handshake on this very stream, now."""


@frozen
class Helo:
    """What an SMTP client has called itself since TLS came up, or since it came."""

    name: bytes = b""
    """Empty where it has said neither HELO nor EHLO."""
    esmtp: bool = False
    """Whether it has ever said EHLO."""


NOBODY = Helo()


@frozen
class Authenticate(Question[Verdict]):
    """Judge these credentials, and log in to the backend if they are good."""

    credentials: Credentials
    helo: Helo = NOBODY
    mechanism: str = field(default="PLAIN", eq=False)
    """For the account: by which they came; a command of the protocol's own is PLAIN."""


@frozen
class LoggedIn(Event):
    """The dialogue is over; what follows is the relay's, ``trailing_data`` first."""

    reply: bytes = b""
    """What the backend said to the login: its last reply with CRLF, IMAP untagged."""
    untagged: bytes = b""
    """IMAP: the untagged responses that came before it, each with its CRLF."""


@frozen
class Refused(Event):
    """The backend did not let us in."""

    rejected: Rejected
    detail: str = ""
    """For the operator: what the backend did that it should not have done."""
    reply: bytes = field(default=b"", eq=False)
    """For the client, if it may hear that much: the refusal as the backend sent it,
    with CRLF, IMAP untagged. Empty if there was none, or none that may be told."""
    failure: Failure = field(default=Failure.UPSTREAM_PROTOCOL_FAILURE, eq=False)
    """For the account: whether it was a refusal, or no answer that makes sense."""


@frozen
class Closed(Event):
    """The conversation has ended; put what is queued on the wire and close."""

    reason: Goodbye = field()


NEED_DATA = NeedData()

Dialogue: TypeAlias = Generator[Event, Any, T]
"""A part of a conversation, written as it is spoken; returns a T when it is over."""
