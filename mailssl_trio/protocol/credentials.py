"""What a client presented, and what became of it."""

from enum import Enum
from typing import TypeAlias

from attrs import field, frozen


class MalformedCredentialsError(ValueError):
    """An octet that would end a line or a string on some wire (never says which)."""


def _one_line(_instance: object, _attribute: object, value: bytes) -> None:
    """Refuse NUL, CR and LF: no backend's dialogue, header or log may be injected."""
    if any(octet in value for octet in (b"\0", b"\r", b"\n")):
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


Credentials: TypeAlias = Password
"""Everything a client may present; more kinds join this union."""


class Reason(Enum):
    """Why a login failed, in the words of RFC 5530 section 3."""

    AUTHENTICATIONFAILED = "authentication failed"
    UNAVAILABLE = "temporary authentication failure"
    PRIVACYREQUIRED = "encryption required"
    CONTACTADMIN = "account cannot be used, contact the administrator"


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


Verdict: TypeAlias = Accepted | Rejected
