"""Whom a client's certificate names: a person, or whoever else logs in with it.

That is the mail addresses of its subjectAltName; where it has none, those of its
subject, as certificates of mail users once had them (RFC 8550 section 3); and where it
has none of these either, its common names.
"""

from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

from mailssl_trio.tls.certificates.parsing import extensions_of, parse_certificate


def persons_in(der: bytes) -> tuple[str, ...]:
    """Return the names; none of a certificate that cannot be read."""
    try:
        certificate = parse_certificate(der)
        return (
            tuple(_mail_addresses(certificate))
            or tuple(_in_subject(certificate, NameOID.EMAIL_ADDRESS))
            or tuple(_in_subject(certificate, NameOID.COMMON_NAME))
        )
    except ValueError:
        return ()


def _mail_addresses(certificate: x509.Certificate) -> Iterator[str]:
    try:
        names = extensions_of(certificate).get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return
    yield from names.value.get_values_for_type(x509.RFC822Name)


def _in_subject(
    certificate: x509.Certificate, kind: x509.ObjectIdentifier
) -> Iterator[str]:
    for attribute in certificate.subject.get_attributes_for_oid(kind):
        if isinstance(attribute.value, str):
            yield attribute.value
