"""Tokens on the wire: the messages of OAUTHBEARER (RFC 7628) and XOAUTH2.

XOAUTH2 is Google's, and what RFC 7628 grew out of: the same pairs, and the user's name
as one of them in place of a GS2 header.
"""

import re
from collections.abc import Sequence

from mailssl_trio.protocol.credentials import Bearer

KVSEP = b"\x01"  # RFC 7628 section 3.1

GS2_HEADER = re.compile(rb"[ny],(?:a=((?:[^,=\0]|=2C|=3D)+))?,")  # RFC 5801 section 4
"""No channel binding; the name in it may be missing, for a token may tell it."""

PAIR = re.compile(rb"([A-Za-z]+)=([\t\r\n\x20-\x7e]*)")  # RFC 7628 section 3.1

BEARER = re.compile(rb"bearer +([A-Za-z0-9\-._~+/]+=*)", re.IGNORECASE)
"""RFC 6750 section 2.1."""


def read_oauthbearer(message: bytes) -> Bearer | None:
    """Read ``n,a=NAME,^Aauth=Bearer TOKEN^A^A``; None for anything else."""
    match message.split(KVSEP):
        case header, *pairs, b"", b"" if found := GS2_HEADER.fullmatch(header):
            name = (found[1] or b"").replace(b"=2C", b",").replace(b"=3D", b"=")
            token = _token(pairs)
            return Bearer(name, token) if token else None
        case _:
            return None


def read_xoauth2(message: bytes) -> Bearer | None:
    """Read ``user=NAME^Aauth=Bearer TOKEN^A^A``; None for anything else."""
    match message.split(KVSEP):
        case user, *pairs, b"", b"" if user.startswith(b"user="):
            name, token = user.removeprefix(b"user="), _token(pairs)
            return Bearer(name, token, "XOAUTH2") if name and token else None
        case _:
            return None


def write(credentials: Bearer) -> bytes:
    """Write the message of the mechanism by which the token came."""
    name, token = credentials.authcid, credentials.token
    if credentials.mechanism == "XOAUTH2":
        return b"user=%b\x01auth=Bearer %b\x01\x01" % (name, token)
    authzid = name.replace(b"=", b"=3D").replace(b",", b"=2C")
    header = b"n,a=%b," % authzid if authzid else b"n,,"
    return b"%b\x01auth=Bearer %b\x01\x01" % (header, token)


def _token(pairs: Sequence[bytes]) -> bytes | None:
    """Return the token among other pairs; None if it is not one and only."""
    read = [*filter(None, map(PAIR.fullmatch, pairs))]
    tokens = [
        found[1] if (found := BEARER.fullmatch(pair[2])) else None
        for pair in read
        if pair[1].lower() == b"auth"
    ]
    return tokens[0] if len(read) == len(pairs) and len(tokens) == 1 else None
