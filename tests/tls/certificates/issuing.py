"""Certificates, CRLs and files of them that trustme alone does not make."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from trustme import CA, KeyType, LeafCert

from mailssl_trio.tls.policy import Pair

NOW = datetime.now(UTC)
DAY = timedelta(days=1)

_numbers: Iterator[int] = count()


@frozen
class Issued:
    """A certificate with its key."""

    certificate: bytes
    key: bytes


def write(directory: Path, *data: bytes, mode: int = 0o600) -> Path:
    """Write a file of a name that is not taken yet."""
    path = directory / f"file-{next(_numbers)}.pem"
    path.touch(mode=mode)
    path.chmod(mode)
    path.write_bytes(b"".join(data))
    return path


def pair_of(leaf: LeafCert, directory: Path) -> Pair:
    """Write a certificate, its chain and its key, into one file."""
    both = write(directory, leaf.private_key_and_cert_chain_pem.bytes())
    return Pair(both, both)


def issue(
    ca: CA, directory: Path, *names: str, key_type: KeyType = KeyType.ECDSA
) -> Pair:
    """Issue a pair, as files."""
    return pair_of(ca.issue_cert(*names, key_type=key_type), directory)


def self_signed(
    *names: str,
    key: rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | None = None,
    not_before: datetime = NOW - DAY,
    not_after: datetime = NOW + 365 * DAY,
    extension: x509.ExtensionType | None = None,
) -> Issued:
    """Make a certificate that nobody else stands behind."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "common.example")])
    builder = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if names:
        extension = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    signed_by_digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else SHA256()
    certificate = builder.sign(key, signed_by_digest)
    return Issued(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def lock(
    key: bytes, passphrase: bytes, encoding: PrivateFormat = PrivateFormat.PKCS8
) -> bytes:
    """Encrypt a private key."""
    locked = BestAvailableEncryption(passphrase)
    return load_pem_private_key(key, None).private_bytes(Encoding.PEM, encoding, locked)


def crl_of(
    ca: CA,
    *revoked: LeafCert,
    until: datetime = NOW + DAY,
    in_the_name_of: CA | None = None,
) -> bytes:
    """Have a CA say whom it has revoked, or whom another has."""
    key = load_pem_private_key(ca.private_key_pem.bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    named = in_the_name_of or ca
    issuer = x509.load_pem_x509_certificate(named.cert_pem.bytes()).subject
    builder = (
        x509.CertificateRevocationListBuilder(issuer)
        .last_update(NOW - 2 * DAY)
        .next_update(until)
    )
    for leaf in revoked:
        certificate = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        entry = x509.RevokedCertificateBuilder().serial_number(
            certificate.serial_number
        )
        entry = entry.revocation_date(NOW - DAY)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
