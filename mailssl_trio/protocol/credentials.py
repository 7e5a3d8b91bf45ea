"""What a client presented, and what became of it."""

from enum import Enum
from typing import TypeAlias

from attrs import field, frozen


class MalformedCredentialsError(ValueError):
    """An octet that would end a line or a string on some wire (never says which)."""


def _one_line(_instance: object, _attribute: object, value: bytes) -> None:
    """Refuse NUL, CR and LF: no backend's dialogue, header or log may be injected."""
    if b"\0" in value or b"\r" in value or b"\n" in value:
        raise MalformedCredentialsError


@frozen
class Password:
    """A user name and a password: LOGIN, USER/PASS, SASL PLAIN and LOGIN.

    Octets as the client sent them, usually UTF-8 (RFC 4616 section 2). Because the
    constructor refuses NUL, CR and LF with MalformedCredentialsError, no other
    floor has to ask whether a credential is safe to write.
    """

    authcid: bytes = field(validator=_one_line)
    password: bytes = field(validator=_one_line, repr=False)
    authzid: bytes = field(default=b"", validator=_one_line)


@frozen
class Digest:
    """An answer to a challenge of ours: SASL CRAM-MD5 (RFC 2195)."""

    authcid: bytes = field(validator=_one_line)
    challenge: bytes = field(validator=_one_line)
    """What was asked, with its angle brackets."""
    response: bytes = field(validator=_one_line, repr=False)
    """32 hexadecimal digits: HMAC-MD5 of the challenge, the password being the key."""


@frozen
class Apop:
    """An answer to the timestamp in the greeting: APOP (RFC 1939 section 7)."""

    authcid: bytes = field(validator=_one_line)
    timestamp: bytes = field(validator=_one_line)
    """With its angle brackets."""
    digest: bytes = field(validator=_one_line, repr=False)
    """32 hexadecimal digits: MD5 of timestamp and password."""


@frozen
class External:
    """A name that something outside of the dialogue must vouch for: SASL EXTERNAL."""

    authcid: bytes = field(validator=_one_line)
    """May be empty: then whoever vouches says who it is (RFC 4422 appendix A)."""


@frozen
class Bearer:
    """A token: SASL OAUTHBEARER (RFC 7628) or XOAUTH2."""

    authcid: bytes = field(validator=_one_line)
    token: bytes = field(validator=_one_line, repr=False)
    mechanism: str = "OAUTHBEARER"
    """Or ``XOAUTH2``."""


@frozen
class Envelope:
    """No credentials: mail that is submitted without AUTH (``smtp_auth none``)."""

    mail: bytes = field(validator=_one_line)
    """The command as it came, ``MAIL FROM:<a@b> SIZE=3``."""
    rcpt: bytes = field(validator=_one_line)
    """The first one, as it came."""

    @property
    def authcid(self) -> bytes:
        """Nobody."""
        return b""


Credentials: TypeAlias = Password | Digest | Apop | External | Bearer | Envelope
"""Everything a client may present."""

BackendCredentials: TypeAlias = Password | Bearer | Envelope
"""What we may log in to a backend with."""


class Reason(Enum):
    """Why a login failed, in the words of RFC 5530 section 3."""

    AUTHENTICATIONFAILED = "authentication failed"
    UNAVAILABLE = "temporary authentication failure"
    PRIVACYREQUIRED = "encryption required"
    CONTACTADMIN = "account cannot be used, contact the administrator"
    LIMIT = "too many sessions"


@frozen
class Accepted:
    """The backend has let the user in; its words, as in LoggedIn."""

    reply: bytes = b""
    untagged: bytes = b""


@frozen
class Rejected:
    """The user stays outside. ``text`` is for the client; "" means the usual words."""

    reason: Reason
    text: str = ""
    code: str = ""
    """SMTP: reply code and enhanced code, ``535 5.7.8``; "" means the reason's own."""
    wait: float | None = None
    """Seconds to wait before the client hears it; None leaves that to the gateway."""
    challenge: bytes = b""
    """What a SASL mechanism says of a failure before it fails (RFC 7628 3.2.2)."""
    reply: bytes = b""
    """The backend's own refusal, with CRLF, IMAP untagged: in place of all words."""
    usual: str = ""
    """What stands behind the reason's code; "" means the reason's own words."""

    @property
    def words(self) -> str:
        """What stands behind the reason's code."""
        return self.usual or self.reason.value


Verdict: TypeAlias = Accepted | Rejected
