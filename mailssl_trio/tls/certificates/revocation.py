"""The directive ``ssl_crl``: what the CAs of clients have revoked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from ssl import VERIFY_CRL_CHECK_CHAIN, SSLContext, SSLError

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.certificate import certificates_in
from mailssl_trio.tls.certificates.parsing import parse_crl
from mailssl_trio.tls.certificates.pem import (
    believe,
    damaged,
    data_of,
    parts,
    problems_of,
    words,
)
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.problems import TlsProblem

CRL = "ssl_crl"
CRLS = frozenset({b"X509 CRL"})


def refuse_revoked(
    context: SSLContext, policy: TlsPolicy, path: Path, files: Files
) -> Iterator[TlsProblem]:
    """Refuse what CAs have revoked; each CA of a chain must say what it has."""
    problems = tuple(_crl_problems(policy, path, files))
    yield from problems
    if problems:
        return
    try:
        believe(context, path, files)
    except SSLError as error:
        yield damaged(CRL, path, words(error))
    context.verify_flags |= VERIFY_CRL_CHECK_CHAIN


def crl_warnings(policy: TlsPolicy) -> Iterator[TlsProblem]:
    """Yield that nobody is refused where no CA is known, as under ``optional_no_ca``.

    As in nginx: OpenSSL looks into a CRL only behind a chain up to a CA.
    """
    if policy.crl and not (policy.client_certificate or policy.trusted_certificate):
        yield TlsProblem(
            CRL,
            "revokes nothing, since there is no CA whose certificates it could revoke",
            "name the CA as ssl_trusted_certificate",
        )


def _crl_problems(policy: TlsPolicy, path: Path, files: Files) -> Iterator[TlsProblem]:
    """Yield why a file of CRLs would have everybody refused, or nobody."""
    problems = tuple(problems_of(CRL, path, files, CRLS, "CRL", "crl"))
    yield from problems
    if problems:
        return
    try:
        crls = [parse_crl(der) for der in parts(data_of(path, files), CRLS)]
    except ValueError:
        crls = []
    if not crls:
        yield damaged(CRL, path, "no CRL in it can be read")
    cas = _cas(policy, files)
    if cas == []:  # nobody is believed, so nobody can be revoked: see crl_warnings()
        cas = None
    for crl in crls:
        if files.on_disk:  # a worker that comes later is as good as those before it
            yield from _out_of_date(crl, path)
        if cas is not None and not any(_is_signed_by(crl, ca) for ca in cas):
            yield TlsProblem(
                CRL,
                f"{path} holds the CRL of {crl.issuer.rfc4514_string()}, which is none"
                " of the CAs here",
                "name the CA as ssl_trusted_certificate, or remove its CRL",
            )


def _cas(policy: TlsPolicy, files: Files) -> list[x509.Certificate] | None:
    """Return the CAs; None if one cannot be read, which is a problem of its own."""
    named = (policy.client_certificate, policy.trusted_certificate)
    try:
        found = [[*certificates_in(path, files)] for path in named if path is not None]
    except ValueError:
        return None
    return [ca for cas in found for ca in cas] if all(found) else None


def _out_of_date(
    crl: x509.CertificateRevocationList, path: Path
) -> Iterator[TlsProblem]:
    end = crl.next_update_utc
    if end is not None and end <= datetime.now(UTC):
        yield TlsProblem(
            CRL,
            f"{path} is out of date since {end:%Y-%m-%d %H:%M} UTC, so that every"
            " client would be refused",
            "fetch the CA's newest CRL",
        )


def _is_signed_by(crl: x509.CertificateRevocationList, ca: x509.Certificate) -> bool:
    if ca.subject != crl.issuer:
        return False
    try:
        return crl.is_signature_valid(ca.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
