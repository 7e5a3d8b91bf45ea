"""Login attempts to ask an auth server about."""

from mailssl_trio.auth.route import LoginAttempt
from mailssl_trio.protocol.credentials import Credentials, Password
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.protocol.proxy_header import Addresses

CLIENT = Introduction("192.0.2.1", 50000, "198.51.100.1", 143)
JOE = Password(b"joe", b"wonderland")


def attempt(
    credentials: Credentials = JOE,
    *,
    protocol: str = "imap",
    client: Introduction = CLIENT,
    tls: TlsInfo | None = None,
    number: int = 1,
    proxy_addresses: Addresses | None = None,
) -> LoginAttempt:
    """Return an attempt over IMAP, unless told otherwise."""
    return LoginAttempt(
        credentials, protocol, client, tls, number, proxy_addresses=proxy_addresses
    )
