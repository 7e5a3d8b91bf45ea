"""SASL mechanisms (RFC 4422): each a few lines, in both roles.

The server's part is an exchange, a generator that yields challenges, is sent responses
and returns the credentials. The client's part is all that it says, for in the
mechanisms here no challenge changes that. How messages travel (``+``, ``334``, base64)
is the protocols' business.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Generator, Mapping
from typing import ClassVar, ParamSpec, TypeAlias, TypeVar

from mailssl_trio.protocol import bearer
from mailssl_trio.protocol.credentials import (
    BackendCredentials,
    Bearer,
    Credentials,
    Digest,
    External,
    MalformedCredentialsError,
    Password,
)
from mailssl_trio.protocol.failures import Failure

MAX_LINE = 12_288  # RFC 4954 section 4; the longest line of any protocol here

MD5 = re.compile(rb"[0-9a-fA-F]{32}")
"""A digest as CRAM-MD5 and APOP write it."""

ServerExchange: TypeAlias = Generator[bytes, bytes, Credentials]

Parts = ParamSpec("Parts")
Kind = TypeVar("Kind")


class SaslError(Exception):
    """An exchange came to nothing; ``text`` says why, the protocols which code."""

    text: ClassVar[str]
    failure: ClassVar[Failure]


class UnknownMechanismError(SaslError):
    """No such mechanism here, or not enabled."""

    text = "unsupported authentication mechanism"
    failure = Failure.INVALID_MECHANISM


class MalformedResponseError(SaslError):
    """Not what the mechanism asks for."""

    text = "malformed authentication response"
    failure = Failure.AUTH_FAILED


class NotBase64Error(MalformedResponseError):
    """Not base64."""

    failure = Failure.INVALID_BASE64


class CancelledError(SaslError):
    """The client sent ``*``."""

    text = "authentication cancelled"
    failure = Failure.ABORTED_BY_CLIENT


def plain() -> ServerExchange:
    """PLAIN, RFC 4616: one message, ``[authzid] NUL authcid NUL passwd``."""
    match (yield b"").split(b"\0"):
        case authzid, authcid, password if authcid:
            return _legal(Password, authcid, password, authzid)
        case _:
            raise MalformedResponseError


def login() -> ServerExchange:
    """LOGIN, as draft-murchison-sasl-login describes it; RFC 4616 replaces it."""
    authcid = yield b"Username:"
    password = yield b"Password:"
    if not authcid:
        raise MalformedResponseError
    return _legal(Password, authcid, password)


def cram_md5(challenge: bytes) -> ServerExchange:
    """CRAM-MD5, RFC 2195: a name, and what only its password makes of a challenge."""
    authcid, _, digest = (yield challenge).rpartition(b" ")
    if not authcid or MD5.fullmatch(digest) is None:
        raise MalformedResponseError
    return _legal(Digest, authcid, challenge, digest)


def external() -> ServerExchange:
    """EXTERNAL, RFC 4422 appendix A; the prompt, which says nothing, is nginx's."""
    return _legal(External, (yield b"Username:"))


def oauthbearer() -> ServerExchange:
    """OAUTHBEARER, RFC 7628; how it fails is its verdict's business."""
    return _told(_legal(bearer.read_oauthbearer, (yield b"")))


def xoauth2() -> ServerExchange:
    """XOAUTH2, OAUTHBEARER's predecessor."""
    return _told(_legal(bearer.read_xoauth2, (yield b"")))


FAILURE_HEARD: Mapping[str, bytes] = {
    "OAUTHBEARER": bearer.KVSEP,  # RFC 7628 section 3.2.3
    "XOAUTH2": b"",
}
"""What a client says, beyond all that, to a challenge behind its token, which tells of
its failure."""

IN_ONE_MESSAGE = frozenset({"PLAIN", *FAILURE_HEARD})
"""Whose client has said all with its first response."""

SERVER_MECHANISMS: Mapping[str, Callable[[], ServerExchange]] = {
    "PLAIN": plain,
    "LOGIN": login,
    "EXTERNAL": external,
    "XOAUTH2": xoauth2,
    "OAUTHBEARER": oauthbearer,
}
"""CRAM-MD5 is not among them: it needs a challenge."""

ALWAYS = frozenset({"PLAIN", "LOGIN"})
"""Accepted whether they are advertised or not, as in nginx: what they carry, the
protocols' own commands carry too."""


def no_challenge() -> bytes:
    """Stand in for a maker of challenges where no mechanism asks for one."""
    raise RuntimeError("a challenge where nobody makes any")


def server_exchange(
    mechanism: bytes,
    enabled: Collection[str] = (),
    challenge: Callable[[], bytes] = no_challenge,
) -> ServerExchange:
    """Begin the exchange of a mechanism that is enabled, named in any case."""
    name = mechanism.upper().decode("latin-1")
    if name in ALWAYS.union(enabled):
        if name == "CRAM-MD5":
            return cram_md5(challenge())
        if name in SERVER_MECHANISMS:
            return SERVER_MECHANISMS[name]()
    raise UnknownMechanismError


def takes_initial_response(mechanism: bytes) -> bool:
    """Whether a client may speak first (RFC 4422 section 5); LOGIN's may, as MUAs do.

    What answers a challenge of ours cannot come before it.
    """
    return mechanism.upper() != b"CRAM-MD5"


def client_mechanisms(
    credentials: BackendCredentials,
) -> Mapping[str, tuple[bytes, ...]]:
    """Return what can carry these credentials, the best first, and all we say in it."""
    match credentials:
        case Password(authcid, password, authzid):
            in_one = b"\0".join((authzid, authcid, password))
            return {"PLAIN": (in_one,), "LOGIN": (authcid, password)}
        case Bearer(mechanism=mechanism):
            return {mechanism: (bearer.write(credentials),)}
        case _:
            return {}


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
        raise NotBase64Error from None


def _legal(
    kind: Callable[Parts, Kind], *parts: Parts.args, **named: Parts.kwargs
) -> Kind:
    """Make credentials out of what a client has sent."""
    try:
        return kind(*parts, **named)
    except MalformedCredentialsError:
        raise MalformedResponseError from None


def _told(credentials: Bearer | None) -> Bearer:
    if credentials is None:
        raise MalformedResponseError
    return credentials
