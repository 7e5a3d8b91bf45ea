"""What certificates say of themselves: their names, their kind of key, their end.

Names are dNSNames of the subjectAltName and nothing else: a common name is none (RFC
9525 section 2), and no client asks for an address.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from attrs import frozen
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.der import element
from mailssl_trio.tls.certificates.parsing import extensions_of, parse_certificate
from mailssl_trio.tls.certificates.pem import CERTIFICATES, parts
from mailssl_trio.tls.certificates.sources import read
from mailssl_trio.tls.policy import Pair, Source
from mailssl_trio.tls.problems import TlsProblem

NEAR, VERY_NEAR = timedelta(days=30), timedelta(days=7)
SHOWN_NAMES = 3

KEY_TYPES = (
    (rsa.RSAPublicKey, "RSA"),
    (ec.EllipticCurvePublicKey, "ECDSA"),
    (ed25519.Ed25519PublicKey, "Ed25519"),
    (ed448.Ed448PublicKey, "Ed448"),
)


@frozen
class Certificate:
    """A pair's certificate, as far as it matters to whom it is shown, and when."""

    pair: Pair
    names: tuple[str, ...]
    """In lower case; a wildcard is one with ``*.`` in front."""
    key_type: str
    """OpenSSL shows a client one certificate for each type of key."""
    not_before: datetime
    not_after: datetime

    def __str__(self) -> str:
        more = ", …" if len(self.names) > SHOWN_NAMES else ""
        names = ", ".join(self.names[:SHOWN_NAMES]) or "without names"
        return f"{self.pair.certificate} ({names}{more}; {self.key_type})"


def read_certificates(pairs: Iterable[Pair], files: Files) -> tuple[Certificate, ...]:
    """Return what the pairs' certificates say, without those that cannot be read.

    Why those cannot, ``server_context()`` says.
    """
    found = (certificate_of(pair, files) for pair in dict.fromkeys(pairs))
    return tuple(certificate for certificate in found if certificate is not None)


def certificate_of(pair: Pair, files: Files) -> Certificate | None:
    """Return what a pair's leaf says; None if it cannot be read."""
    try:
        leaf = next(certificates_in(pair.certificate, files))
        return Certificate(
            pair,
            tuple(_names(leaf)),
            _key_type(leaf),
            leaf.not_valid_before_utc,
            leaf.not_valid_after_utc,
        )
    except (ValueError, StopIteration):
        return None


def certificates_in(source: Source, files: Files) -> Iterator[x509.Certificate]:
    """Yield the certificates of a file. Raises ValueError for a damaged one."""
    content = read("", source, files)
    if not isinstance(content, TlsProblem):
        for der in parts(content.data, CERTIFICATES):
            _tag, _content, end = element(der)  # OpenSSL's trust may stand behind it
            yield parse_certificate(der[:end])


def _names(leaf: x509.Certificate) -> Iterator[str]:
    for extension in extensions_of(leaf):
        if isinstance(extension.value, x509.SubjectAlternativeName):
            names = extension.value.get_values_for_type(x509.DNSName)
            yield from dict.fromkeys(name.lower() for name in names)


def _key_type(leaf: x509.Certificate) -> str:
    try:
        key = leaf.public_key()
    except UnsupportedAlgorithm:
        return "unknown"
    return next((name for kind, name in KEY_TYPES if isinstance(key, kind)), "unknown")


def expiry_lines(
    certificates: Iterable[Certificate], now: datetime | None = None
) -> tuple[str, ...]:
    """Say of each certificate when it ends: for the log, at the start."""
    now = now or datetime.now(UTC)
    return tuple(expiry_line(certificate, now) for certificate in certificates)


def expiry_warnings(
    certificates: Iterable[Certificate], now: datetime | None = None
) -> tuple[str, ...]:
    """Say it of those that have ended, or will within 30 days, or have not begun."""
    now = now or datetime.now(UTC)
    return tuple(
        expiry_line(certificate, now)
        for certificate in certificates
        if not certificate.not_before <= now < certificate.not_after - NEAR
    )


def expiry_line(certificate: Certificate, now: datetime) -> str:
    """Say when a certificate ends, and how soon that is."""
    left = certificate.not_after - now
    if left <= timedelta(0):
        return f"certificate {certificate} expired on {_date(certificate.not_after)}"
    if now < certificate.not_before:
        begin = _date(certificate.not_before)
        return f"certificate {certificate} is not valid before {begin}"
    urgently = ": renew it now" if left <= VERY_NEAR else ""
    return (
        f"certificate {certificate} expires on {_date(certificate.not_after)},"
        f" in {left.days} {'day' if left.days == 1 else 'days'}{urgently}"
    )


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
