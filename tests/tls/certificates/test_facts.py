"""A client's certificate in words, compared with OpenSSL's own."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from mailssl_trio.tls.certificates.facts import certificate_facts

KEY = ec.generate_private_key(ec.SECP256R1())

PLAIN = [
    x509.NameAttribute(NameOID.COMMON_NAME, "b.example.com"),
    x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lab"),
]


def der(subject: x509.Name, serial: int = 0x0A) -> bytes:
    """Issue a certificate to a name, by itself."""
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")]))
        .public_key(KEY.public_key())
        .serial_number(serial)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(KEY, SHA256())
    )
    return certificate.public_bytes(Encoding.DER)


def openssl(certificate: bytes, directory: Path, *asked: str) -> str:
    """Return what OpenSSL says of a certificate."""
    file = directory / "certificate.der"
    file.write_bytes(certificate)
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-in", str(file), *asked]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return said.partition("=")[2].rstrip("\n")


NAMES = {
    "plain": x509.Name(PLAIN),
    "e-mail": x509.Name(
        [*PLAIN, x509.NameAttribute(NameOID.EMAIL_ADDRESS, "joe@example.com")]
    ),
    "every kind": x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.STATE_OR_PROVINCE_NAME, "Bayern"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, "Nürnberg"),
            x509.NameAttribute(NameOID.STREET_ADDRESS, "Weg 1"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Post"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "1-2"),
            x509.NameAttribute(NameOID.GIVEN_NAME, "Joe"),
            x509.NameAttribute(NameOID.SURNAME, "Doe"),
            x509.NameAttribute(NameOID.TITLE, "Dr"),
            x509.NameAttribute(NameOID.INITIALS, "J"),
            x509.NameAttribute(NameOID.PSEUDONYM, "jd"),
            x509.NameAttribute(NameOID.DN_QUALIFIER, "x"),
            x509.NameAttribute(NameOID.GENERATION_QUALIFIER, "II"),
            x509.NameAttribute(NameOID.POSTAL_CODE, "90402"),
            x509.NameAttribute(NameOID.BUSINESS_CATEGORY, "none"),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, "example"),
            x509.NameAttribute(NameOID.USER_ID, "joe"),
        ]
    ),
    "escaped": x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, ' #a, b+c"d\\e<f>g;h=i ')]
    ),
    "not ASCII": x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Jürgen 北京")]),
    "two at once": x509.Name(
        [
            x509.RelativeDistinguishedName(PLAIN),
            x509.RelativeDistinguishedName(PLAIN[:1]),
        ]
    ),
    "line end": x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "joe\r\nAuth-User: root\x00\x7f")]
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_are_written_as_openssl_writes_them(name: str, tmp_path: Path) -> None:
    certificate = der(NAMES[name])
    expected = openssl(certificate, tmp_path, "-subject", "-nameopt", "RFC2253")
    assert certificate_facts(certificate).subject == expected


def test_the_last_part_of_a_name_comes_first() -> None:
    facts = certificate_facts(der(NAMES["plain"]))
    assert (facts.subject, facts.issuer) == ("O=Lab,CN=b.example.com", "CN=CA")


@pytest.mark.parametrize("serial", [1, 0x0A, 0xABC, 2**64, 2**158 + 1])
def test_serials_are_written_as_openssl_writes_them(
    serial: int, tmp_path: Path
) -> None:
    certificate = der(NAMES["plain"], serial)
    expected = openssl(certificate, tmp_path, "-serial")
    assert certificate_facts(certificate).serial == expected


def test_fingerprint_is_the_sha1_in_lower_case(tmp_path: Path) -> None:
    certificate = der(NAMES["plain"])
    expected = openssl(certificate, tmp_path, "-fingerprint", "-sha1")
    fingerprint = certificate_facts(certificate).fingerprint
    assert fingerprint == expected.replace(":", "").lower()


def test_pem_is_the_certificate() -> None:
    certificate = der(NAMES["plain"])
    assert ssl.PEM_cert_to_DER_cert(certificate_facts(certificate).pem) == certificate


def test_certificate_that_cannot_be_read_is_still_known_by_its_fingerprint() -> None:
    facts = certificate_facts(b"\x30\x03\x02\x01\x01")
    assert (facts.subject, facts.issuer, facts.serial) == ("", "", "")
    assert len(facts.fingerprint) == 40
