"""``ssl_ciphers``, ``proxy_ssl_ciphers``: what TLS 1.2 and older may agree on."""

from collections.abc import Iterator
from ssl import SSLContext, SSLError

from attrs import fields

from mailssl_trio.tls.policy import BackendTlsPolicy, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem
from mailssl_trio.tls.versions import speaks_deprecated

DEFAULTS = {
    "ssl_ciphers": fields(TlsPolicy).ciphers.default,
    "proxy_ssl_ciphers": fields(BackendTlsPolicy).ciphers.default,
}


def allow_ciphers(
    context: SSLContext, ciphers: str, protocols: tuple[str, ...], directive: str
) -> Iterator[TlsProblem]:
    """Set the ciphers, never those without authentication or encryption."""
    listed = f"{ciphers}:!aNULL:!eNULL"
    if speaks_deprecated(protocols):
        listed += ":@SECLEVEL=0"  # their handshakes are signed with MD5 and SHA-1
    try:
        context.set_ciphers(listed)
    except (SSLError, ValueError):  # the latter for NUL
        yield TlsProblem(
            directive,
            f'"{ciphers}" selects no cipher',
            f'see openssl-ciphers(1); the default is "{DEFAULTS[directive]}"',
        )


def is_open(context: SSLContext) -> bool:
    """Whether a context might agree on no authentication, or on no encryption."""
    return any(
        cipher["auth"] == "auth-null" or not cipher["strength_bits"]
        for cipher in context.get_ciphers()
    )
