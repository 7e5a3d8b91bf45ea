"""Certificates and lists of revoked ones, read so that what is wrong is a ValueError.

The library has exceptions of its own beside ValueError, and clients send what they
like.
"""

from cryptography import x509


def parse_certificate(der: bytes) -> x509.Certificate:
    """Read a certificate. Raises ValueError."""
    try:
        return x509.load_der_x509_certificate(der)
    except x509.InvalidVersion as version:
        raise ValueError(str(version)) from None


def parse_crl(der: bytes) -> x509.CertificateRevocationList:
    """Read a list of revoked certificates. Raises ValueError."""
    try:
        return x509.load_der_x509_crl(der)
    except x509.InvalidVersion as version:
        raise ValueError(str(version)) from None


def extensions_of(certificate: x509.Certificate) -> x509.Extensions:
    """Read the extensions of a certificate. Raises ValueError."""
    try:
        return certificate.extensions
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from None
