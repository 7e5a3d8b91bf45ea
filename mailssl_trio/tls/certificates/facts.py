"""What a client's certificate says, in the form in which nginx tells an auth server."""

import re
from collections.abc import Mapping
from hashlib import sha1
from ssl import DER_cert_to_PEM_cert

from attrs import frozen
from cryptography import x509
from cryptography.x509.oid import NameOID

from mailssl_trio.tls.certificates.parsing import parse_certificate

SHORT_NAMES: Mapping[x509.ObjectIdentifier, str] = {
    NameOID.EMAIL_ADDRESS: "emailAddress",
    NameOID.SERIAL_NUMBER: "serialNumber",
    NameOID.GIVEN_NAME: "GN",
    NameOID.SURNAME: "SN",
    NameOID.INITIALS: "initials",
    NameOID.STREET_ADDRESS: "street",
    NameOID.TITLE: "title",
    NameOID.GENERATION_QUALIFIER: "generationQualifier",
    NameOID.DN_QUALIFIER: "dnQualifier",
    NameOID.PSEUDONYM: "pseudonym",
    NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier",
    NameOID.POSTAL_CODE: "postalCode",
    NameOID.BUSINESS_CATEGORY: "businessCategory",
}
"""OpenSSL's, where RFC 4514 section 3 has another or none."""

NOT_PRINTABLE = re.compile(r"[^ -~]")


@frozen
class CertificateFacts:
    """A certificate in words; "" is what cannot be read of it."""

    subject: str
    """RFC 2253, ``O=Lab,CN=b.example.com``: the last part of the name comes first."""
    issuer: str
    serial: str
    """In upper-case hexadecimal, whole octets."""
    fingerprint: str
    """SHA-1 of all of it, in lower-case hexadecimal."""
    pem: str


def certificate_facts(der: bytes) -> CertificateFacts:
    """Read a certificate that OpenSSL has read before us."""
    fingerprint = sha1(der, usedforsecurity=False).hexdigest()
    subject, issuer, serial = _read(der)
    return CertificateFacts(
        subject, issuer, serial, fingerprint, DER_cert_to_PEM_cert(der)
    )


def _read(der: bytes) -> tuple[str, str, str]:
    """Return subject, issuer and serial; ours is the stricter reader of the two."""
    try:
        certificate = parse_certificate(der)
        return (
            _name(certificate.subject),
            _name(certificate.issuer),
            _serial(certificate.serial_number),
        )
    except ValueError:
        return "", "", ""


def _name(name: x509.Name) -> str:
    """Write a name as OpenSSL does, from its end.

    A control character in it must not end a header, so none stays as it is.
    """
    written = (
        "+".join(part.rfc4514_string(SHORT_NAMES) for part in reversed([*parts]))
        for parts in reversed(name.rdns)
    )
    return NOT_PRINTABLE.sub(_escaped, ",".join(written))


def _escaped(character: re.Match[str]) -> str:
    octets = character[0].encode("utf-8", "replace")
    return "".join(f"\\{octet:02X}" for octet in octets)


def _serial(number: int) -> str:
    digits = f"{abs(number):X}"
    return ("-" if number < 0 else "") + "0" * (len(digits) % 2) + digits
