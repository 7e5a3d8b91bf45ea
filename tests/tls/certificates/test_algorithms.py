"""What a certificate is made with, in OpenSSL's short names."""

from ssl import PEM_cert_to_DER_cert

import pytest
from trustme import CA, KeyType

from mailssl_trio.tls.certificates.algorithms import common_name, key, signature


@pytest.mark.parametrize(
    ("kind", "signed", "made"),
    [
        (KeyType.RSA, "ecdsa-with-SHA256", "rsaEncryption"),
        (KeyType.ECDSA, "ecdsa-with-SHA256", "id-ecPublicKey"),
    ],
)
def test_certificate_says_whose_it_is_and_how_it_is_made(
    kind: KeyType, signed: str, made: str
) -> None:
    issued = CA().issue_cert("x.example", common_name="Jos\u00e9", key_type=kind)
    der = PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    assert common_name(der) == "Jos\u00e9".encode()
    assert (signature(der), key(der)) == (signed, made)


def test_certificate_signed_by_rsa_says_so() -> None:
    issued = CA(key_type=KeyType.RSA).issue_cert("x.example")
    der = PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    assert (common_name(der), signature(der)) == (b"", "RSA-SHA256")


def test_what_cannot_be_read_says_nothing() -> None:
    assert (common_name(b"x"), signature(b"x"), key(b"x")) == (b"", "", "")
