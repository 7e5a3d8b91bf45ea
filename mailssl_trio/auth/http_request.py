"""What the auth server is told of a login attempt: nginx's headers, in its order.

Ours stand behind all of nginx's, so that no auth server ever finds what it knows in
another place: ``Client-Port``, ``Server-Addr``, ``Server-Port``, ``Auth-SSL-SNI``.
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.auth.route import LoginAttempt
from mailssl_trio.protocol.credentials import (
    Apop,
    Bearer,
    Credentials,
    Digest,
    Envelope,
    External,
    Password,
)
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.proxy_header import written
from mailssl_trio.tls.certificates.facts import certificate_facts

Header: TypeAlias = tuple[bytes, bytes]

ESCAPED = re.compile(rb"[\x00-\x20%]")
"""What nginx escapes in names, passwords and certificates; all else goes as it is."""

NOT_FOR_HTTP = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
"""What no other value may hold either (RFC 9110 section 5.5), raw in nginx."""


def request_headers(settings: AuthHttp, attempt: LoginAttempt) -> Iterator[Header]:
    """Yield the headers of a request, ``Host`` first."""
    yield b"Host", settings.server.host.encode()
    yield from _credentials(attempt.credentials)
    yield b"Auth-Protocol", attempt.protocol.encode()
    yield b"Auth-Login-Attempt", b"%d" % attempt.number
    yield b"Client-IP", attempt.client.client.encode()
    if attempt.protocol == "smtp":
        yield b"Client-Host", _raw(attempt.client.host.encode())
    yield from _proxy_header(attempt)
    if isinstance(envelope := attempt.credentials, Envelope):
        yield b"Auth-SMTP-Helo", _raw(attempt.client.helo)
        yield b"Auth-SMTP-From", _raw(envelope.mail)
        yield b"Auth-SMTP-To", _raw(envelope.rcpt)
    if attempt.tls is not None:
        yield from _tls(attempt.tls, pass_client_cert=settings.pass_client_cert)
    yield from _of_our_own(attempt)
    for name, value in settings.headers:
        yield name.encode(), value.encode()


def _credentials(credentials: Credentials) -> Iterator[Header]:
    method, secret, salt = _presented(credentials)
    yield b"Auth-Method", method
    yield b"Auth-User", escape(credentials.authcid)
    yield b"Auth-Pass", escape(secret)
    if salt:
        yield b"Auth-Salt", salt


def _presented(credentials: Credentials) -> tuple[bytes, bytes, bytes]:
    """Return the method, what takes the password's place, and what it answers."""
    match credentials:
        case Password(password=password):
            return b"plain", password, b""
        case Apop(timestamp=timestamp, digest=digest):
            return b"apop", digest, timestamp
        case Digest(challenge=challenge, response=response):
            return b"cram-md5", response, challenge
        case External():
            return b"external", b"", b""
        case Bearer(token=token, mechanism=mechanism):
            return mechanism.lower().encode(), token, b""
        case Envelope():
            return b"none", b"", b""


def _proxy_header(attempt: LoginAttempt) -> Iterator[Header]:
    if (addresses := attempt.proxy_addresses) is not None:
        yield b"Proxy-Protocol-Addr", written(addresses.source).encode()
        yield b"Proxy-Protocol-Port", b"%d" % addresses.source_port
        yield b"Proxy-Protocol-Server-Addr", written(addresses.destination).encode()
        yield b"Proxy-Protocol-Server-Port", b"%d" % addresses.destination_port


def _tls(tls: TlsInfo, *, pass_client_cert: bool) -> Iterator[Header]:
    """Yield what the handshake agreed on, and what the client has shown in it."""
    yield b"Auth-SSL", b"on"
    yield b"Auth-SSL-Protocol", tls.version.encode()
    yield b"Auth-SSL-Cipher", tls.cipher.encode()
    if tls.verified:
        yield b"Auth-SSL-Verify", tls.verified.encode()
    if tls.certificate is not None:
        facts = certificate_facts(tls.certificate)
        for name, value in (
            (b"Auth-SSL-Subject", facts.subject),
            (b"Auth-SSL-Issuer", facts.issuer),
            (b"Auth-SSL-Serial", facts.serial),
            (b"Auth-SSL-Fingerprint", facts.fingerprint),
        ):
            if value:  # as in nginx, what is empty is not said
                yield name, _raw(value.encode())
        if pass_client_cert:
            yield b"Auth-SSL-Cert", escape(facts.pem.encode())


def _of_our_own(attempt: LoginAttempt) -> Iterator[Header]:
    client = attempt.client
    if client.client_port:
        yield b"Client-Port", b"%d" % client.client_port
    yield b"Server-Addr", client.server.encode()
    if client.server_port:
        yield b"Server-Port", b"%d" % client.server_port
    if attempt.tls is not None and attempt.tls.server_name:
        yield b"Auth-SSL-SNI", _raw(attempt.tls.server_name.encode())


def escape(value: bytes) -> bytes:
    """Escape as nginx does: octets up to space, and the percent sign."""
    return ESCAPED.sub(_percent, value)


def _raw(value: bytes) -> bytes:
    """Let a value stand as it is, but for what would not come through HTTP."""
    return NOT_FOR_HTTP.sub(_percent, value).strip(b" \t")


def _percent(octet: re.Match[bytes]) -> bytes:
    return b"%%%02X" % octet[0][0]
