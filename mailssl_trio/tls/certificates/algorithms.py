"""Whose a certificate is and what it is made with, in OpenSSL's short names."""

from collections.abc import Mapping

from cryptography import x509
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID, SignatureAlgorithmOID

from mailssl_trio.tls.certificates.parsing import parse_certificate

SIGNATURES: Mapping[x509.ObjectIdentifier, str] = {
    SignatureAlgorithmOID.RSA_WITH_SHA1: "RSA-SHA1",
    SignatureAlgorithmOID.RSA_WITH_SHA224: "RSA-SHA224",
    SignatureAlgorithmOID.RSA_WITH_SHA256: "RSA-SHA256",
    SignatureAlgorithmOID.RSA_WITH_SHA384: "RSA-SHA384",
    SignatureAlgorithmOID.RSA_WITH_SHA512: "RSA-SHA512",
    SignatureAlgorithmOID.RSASSA_PSS: "RSASSA-PSS",
    SignatureAlgorithmOID.ECDSA_WITH_SHA1: "ecdsa-with-SHA1",
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: "ecdsa-with-SHA256",
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: "ecdsa-with-SHA384",
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: "ecdsa-with-SHA512",
    SignatureAlgorithmOID.ED25519: "ED25519",
    SignatureAlgorithmOID.ED448: "ED448",
}

KEYS: Mapping[x509.ObjectIdentifier, str] = {
    PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5: "rsaEncryption",
    PublicKeyAlgorithmOID.RSASSA_PSS: "RSASSA-PSS",
    PublicKeyAlgorithmOID.EC_PUBLIC_KEY: "id-ecPublicKey",
    PublicKeyAlgorithmOID.ED25519: "ED25519",
    PublicKeyAlgorithmOID.ED448: "ED448",
}


def common_name(der: bytes) -> bytes:
    """Return the first common name of a certificate; empty if it has none."""
    if (certificate := _read(der)) is None:
        return b""
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return b""
    value = names[0].value if names else b""
    return value.encode() if isinstance(value, str) else value


def signature(der: bytes) -> str:
    """Return how a certificate is signed; "" if it is not known by a short name."""
    certificate = _read(der)
    return "" if certificate is None else SIGNATURES.get(_signed_by(certificate), "")


def key(der: bytes) -> str:
    """Return of what kind its key is; "" if it is not known by a short name."""
    certificate = _read(der)
    return "" if certificate is None else KEYS.get(_key_of(certificate), "")


def _signed_by(certificate: x509.Certificate) -> x509.ObjectIdentifier:
    return certificate.signature_algorithm_oid


def _key_of(certificate: x509.Certificate) -> x509.ObjectIdentifier:
    return certificate.public_key_algorithm_oid


def _read(der: bytes) -> x509.Certificate | None:
    """Read what OpenSSL has read before us; ours is the stricter reader of the two."""
    try:
        return parse_certificate(der)
    except ValueError:
        return None
