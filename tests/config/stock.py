"""A file of every kind that a directive of TLS may name, made once."""

from base64 import encodebytes
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

FFDHE2048 = """
-----BEGIN DH PARAMETERS-----
MIIBDAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
+8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
ssbzSibBsu/6iGtCOGEoXJf//////////wIBAgICAOE=
-----END DH PARAMETERS-----
"""  # RFC 7919 appendix A.1

SHORT_PRIME = 2**511 + 111


def stock() -> Mapping[str, bytes]:
    """Return what each file holds."""
    ca, foreign = trustme.CA(), trustme.CA()
    rsa = ca.issue_cert("mail.example.org", key_type=trustme.KeyType.RSA)
    ecdsa = ca.issue_cert("mail.example.org")
    again = ca.issue_cert("mail.example.org")
    return {
        "rsa.pem": rsa.cert_chain_pems[0].bytes(),
        "rsa.key": rsa.private_key_pem.bytes(),
        "ecdsa.pem": ecdsa.private_key_and_cert_chain_pem.bytes(),
        "again.pem": again.private_key_and_cert_chain_pem.bytes(),
        "locked.key": _locked(rsa.private_key_pem.bytes(), b"swordfish"),
        "passphrases": b"wrong\nswordfish\n",
        "wrong-passphrases": b"wrong\n",
        "long-passphrases": b"x" * 4096,
        "ca.pem": ca.cert_pem.bytes(),
        "crl.pem": _crl(ca),
        "old-crl.pem": _crl(ca, days=-1),
        "foreign-crl.pem": _crl(foreign),
        "dh.pem": FFDHE2048.encode(),
        "short-dh.pem": _dh_parameters(SHORT_PRIME),
        "new.key": bytes(range(80)),
        "old.key": bytes(range(1, 49)),
        "short.key": bytes(47),
        "garbage": b"not PEM",
    }


def _locked(key: bytes, passphrase: bytes) -> bytes:
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase)
    )


def _crl(ca: trustme.CA, days: int = 1) -> bytes:
    """Have a CA say that it has revoked nothing, as of some days before its end."""
    end = datetime.now(UTC) + timedelta(days)
    key = load_pem_private_key(ca.private_key_pem.bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_pem_x509_certificate(ca.cert_pem.bytes()).subject)
        .last_update(end - timedelta(2))
        .next_update(end)
        .sign(key, SHA256())
    )
    return crl.public_bytes(Encoding.PEM)


def _dh_parameters(prime: int) -> bytes:
    """Write a prime and the generator 2 as PKCS #3 does."""
    octets = prime.to_bytes(prime.bit_length() // 8 + 1)
    numbers = b"\x02" + bytes([len(octets)]) + octets + b"\x02\x01\x02"
    der = b"\x30" + bytes([len(numbers)]) + numbers
    label = b"DH PARAMETERS-----"
    return b"-----BEGIN %s\n%s-----END %s\n" % (label, encodebytes(der), label)
