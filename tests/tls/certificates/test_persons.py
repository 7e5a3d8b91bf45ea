"""Whom a client's certificate names."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mailssl_trio.tls.certificates.persons import persons_in

KEY = ec.generate_private_key(ec.SECP256R1())
MAIL, COMMON = NameOID.EMAIL_ADDRESS, NameOID.COMMON_NAME
OTHER = (NameOID.ORGANIZATION_NAME, "Lab")


def der(
    *subject: tuple[x509.ObjectIdentifier, str], san: tuple[x509.GeneralName, ...] = ()
) -> bytes:
    """Issue a certificate to somebody."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(kind, text) for kind, text in subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), False)
    return builder.sign(KEY, SHA256()).public_bytes(Encoding.DER)


ALICE = x509.RFC822Name("alice@example.org")
BOB = x509.RFC822Name("bob@example.org")
HOST = x509.DNSName("alice@example.org.invalid")


@pytest.mark.parametrize(
    ("certificate", "persons"),
    [
        (
            der((MAIL, "m@x"), (COMMON, "c"), san=(ALICE, HOST, BOB)),
            ("alice@example.org", "bob@example.org"),
        ),
        (der((MAIL, "m@x"), (COMMON, "c"), san=(HOST,)), ("m@x",)),
        (der((COMMON, "c"), OTHER, (COMMON, "d")), ("c", "d")),
        (der(OTHER, san=(HOST,)), ()),
        (der(OTHER), ()),
        (b"no certificate", ()),
    ],
)
def test_the_nearest_kind_of_name_is_the_only_one(
    certificate: bytes, persons: tuple[str, ...]
) -> None:
    """A mail address outdoes a common name, which may be anything."""
    assert persons_in(certificate) == persons
