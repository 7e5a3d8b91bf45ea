"""Login attempts to ask an auth server about."""

from typing import TypedDict, Unpack

from mailssl_trio.auth.route import LoginAttempt
from mailssl_trio.protocol.credentials import Credentials, Password
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.protocol.proxy_header import Addresses

CLIENT = Introduction("192.0.2.1", 50000, "198.51.100.1", 143)
JOE = Password(b"joe", b"wonderland")


class Rest(TypedDict, total=False):
    """What else there may be to tell."""

    protocol: str
    client: Introduction
    tls: TlsInfo | None
    number: int
    proxy_addresses: Addresses | None


def attempt(credentials: Credentials = JOE, **rest: Unpack[Rest]) -> LoginAttempt:
    """Return an attempt over IMAP, unless told otherwise."""
    defaults: Rest = {"protocol": "imap", "client": CLIENT, "tls": None}
    return LoginAttempt(credentials, **{**defaults, **rest})
