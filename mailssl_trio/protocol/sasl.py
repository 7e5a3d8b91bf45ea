"""SASL mechanisms (RFC 4422) as exchanges: each a few lines, in both roles.

An exchange is a generator. The server's yields challenges, is sent responses and
returns the credentials; the client's yields responses and is sent challenges. How
they travel (``+``, ``334``, base64) is the protocols' business.
"""

import base64
import binascii
from collections.abc import Callable, Generator, Mapping
from typing import ClassVar, TypeAlias

from mailssl_trio.protocol.credentials import (
    Credentials,
    MalformedCredentialsError,
    Password,
)

MAX_LINE = 12_288  # RFC 4954 section 4; the longest line of any protocol here

ServerExchange: TypeAlias = Generator[bytes, bytes, Credentials]
ClientExchange: TypeAlias = Generator[bytes, bytes, None]


class SaslError(Exception):
    """An exchange came to nothing; ``text`` says why, the protocols which code."""

    text: ClassVar[str]


class UnknownMechanismError(SaslError):
    """No such mechanism here, or not enabled."""

    text = "unsupported authentication mechanism"


class MalformedResponseError(SaslError):
    """Not base64, or not what the mechanism asks for."""

    text = "malformed authentication response"


class CancelledError(SaslError):
    """The client sent ``*``."""

    text = "authentication cancelled"


def plain() -> ServerExchange:
    """PLAIN, RFC 4616: one message, ``[authzid] NUL authcid NUL passwd``."""
    match (yield b"").split(b"\0"):
        case authzid, authcid, password if authcid:
            return _password(authcid, password, authzid)
        case _:
            raise MalformedResponseError


def login() -> ServerExchange:
    """LOGIN, as draft-murchison-sasl-login describes it; RFC 4616 replaces it."""
    authcid = yield b"Username:"
    password = yield b"Password:"
    if not authcid:
        raise MalformedResponseError
    return _password(authcid, password)


def plain_response(credentials: Password) -> ClientExchange:
    """PLAIN from the client's side; its only response may be the initial one."""
    authcid, password = credentials.authcid, credentials.password
    yield b"\0".join((credentials.authzid, authcid, password))


def login_responses(credentials: Password) -> ClientExchange:
    """LOGIN from the client's side; whatever the prompts say."""
    yield credentials.authcid
    yield credentials.password


SERVER_MECHANISMS: Mapping[bytes, Callable[[], ServerExchange]] = {
    b"PLAIN": plain,
    b"LOGIN": login,
}

CLIENT_MECHANISMS: Mapping[str, Callable[[Password], ClientExchange]] = {
    "PLAIN": plain_response,
    "LOGIN": login_responses,
}


def server_exchange(mechanism: bytes) -> ServerExchange:
    """Begin the exchange of a mechanism, named in any case."""
    try:
        return SERVER_MECHANISMS[mechanism.upper()]()
    except KeyError:
        raise UnknownMechanismError from None


def encode(message: bytes) -> bytes:
    """Return a challenge or response as it travels."""
    return base64.b64encode(message)


def decode(line: bytes) -> bytes:
    """Return what a line of base64 says; ``=`` is the empty message (RFC 4954)."""
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise MalformedResponseError from None


def _password(authcid: bytes, password: bytes, authzid: bytes = b"") -> Password:
    try:
        return Password(authcid, password, authzid)
    except MalformedCredentialsError:
        raise MalformedResponseError from None
