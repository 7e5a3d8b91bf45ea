"""What is accepted of certificates, as nginx accepts it, and deserves a word."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.certificate import (
    Certificate,
    expiry_line,
    read_certificates,
)
from mailssl_trio.tls.certificates.choice import never_shown
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.problems import TlsProblem

DIRECTIVE = "ssl_certificate"


def certificate_warnings(
    policy: TlsPolicy, files: Files, now: datetime | None = None
) -> tuple[TlsProblem, ...]:
    """Return what an operator should hear of certificates that can be read."""
    certificates = read_certificates(policy.pairs, files)
    hidden = never_shown(certificates)
    return tuple(
        warning
        for one in certificates
        for warning in _warnings(one, one in hidden, now or datetime.now(UTC))
    )


def _warnings(
    certificate: Certificate, is_hidden: bool, now: datetime
) -> Iterator[TlsProblem]:
    if not certificate.not_before <= now < certificate.not_after:
        text = expiry_line(certificate, now)
        yield TlsProblem(DIRECTIVE, text, "clients refuse it: have it issued anew")
    if is_hidden:
        yield TlsProblem(
            DIRECTIVE,
            f"certificate {certificate} is never shown: earlier ones of its type of"
            " key have all its names",
            "leave it out, or put it first",
        )
    elif not certificate.names:
        yield TlsProblem(
            DIRECTIVE,
            f"certificate {certificate} has no subjectAltName",
            "today's clients look for a name nowhere else: have it issued anew",
        )
