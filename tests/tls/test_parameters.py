"""``ssl_dhparam`` and ``ssl_ecdh_curve``, as clients meet them."""

from base64 import encodebytes
from pathlib import Path
from ssl import SSLContext

import pytest
from attrs import evolve
from trustme import CA, KeyType

from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from tests.tls.certificates.issuing import issue, write
from tests.tls.clients import client
from tests.tls.handshake import HANDSHAKE_FAILURE, Alert, Secured, shake_hands

FFDHE2048 = int(  # RFC 7919 appendix A.1
    "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1D8B9C583CE2D3695A9E13641146433FB"
    "CC939DCE249B3EF97D2FE363630C75D8F681B202AEC4617AD3DF1ED5D5FD65612433F51F5F066ED0"
    "856365553DED1AF3B557135E7F57C935984F0C70E0E68B77E2A689DAF3EFE8721DF158A136ADE735"
    "30ACCA4F483A797ABC0AB182B324FB61D108A94BB2C8E3FBB96ADAB760D7F4681D4F42A3DE394DF4"
    "AE56EDE76372BB190B07A7C8EE0A6D709E02FCE1CDF7E2ECC03404CD28342F619172FE9CE98583FF"
    "8E4F1232EEF28183C3FE3B1B4C6FAD733BB5FCBC2EC22005C58EF1837D1683B2C6F34A26C1B2EFFA"
    "886B423861285C97FFFFFFFFFFFFFFFF",
    16,
)
OAKLEY1024 = int(  # RFC 2409 section 6.2
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22"
    "514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6"
    "F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381"
    "FFFFFFFFFFFFFFFF",
    16,
)
OAKLEY768 = int(  # RFC 2409 section 6.1
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22"
    "514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6"
    "F44C42E9A63A3620FFFFFFFFFFFFFFFF",
    16,
)


def integer(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1)
    return b"\2" + length(data) + data


def length(data: bytes) -> bytes:
    size = len(data)
    return bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2)


def parameters(prime: int, label: str = "DH PARAMETERS") -> bytes:
    """Write parameters as PKCS #3 has them: a prime and the generator 2."""
    numbers = integer(prime) + integer(2)
    return pem(b"\x30" + length(numbers) + numbers, label)


def pem(der: bytes, label: str = "DH PARAMETERS") -> bytes:
    begin, end = f"-----BEGIN {label}-----\n", f"-----END {label}-----\n"
    return begin.encode() + encodebytes(der) + end.encode()


def problem(policy: TlsPolicy) -> TlsProblem:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(policy, "imap")
    (only,) = caught.value.problems
    return only


@pytest.fixture(scope="module")
def rsa_policy(ca: CA, tmp_path_factory: pytest.TempPathFactory) -> TlsPolicy:
    """Return a server that DHE is possible with: there is none for ECDSA."""
    directory = tmp_path_factory.mktemp("rsa")
    return TlsPolicy((issue(ca, directory, "localhost", key_type=KeyType.RSA),))


def test_there_is_no_dhe_without_parameters(rsa_policy: TlsPolicy, ca: CA) -> None:
    server = server_context(rsa_policy, "imap")
    outcome = shake_hands(server, client(ca, "TLSv1.2", ciphers="DHE"))
    assert outcome == Alert(HANDSHAKE_FAILURE)


def test_with_parameters_there_is(
    rsa_policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    file = write(tmp_path, parameters(FFDHE2048))
    server = server_context(evolve(rsa_policy, dhparam=file), "imap")
    outcome = shake_hands(server, client(ca, "TLSv1.2", ciphers="DHE"))
    assert isinstance(outcome, Secured)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is not PEM"),
        (b"\x30\x03", "is not PEM"),
        (pem(b"", "CERTIFICATE"), "holds no parameters for Diffie-Hellman, but CERT"),
        (pem(b""), "is damaged (no prime in it)"),
        (pem(b"\x30\x82\1"), "is damaged (no prime in it)"),
        (pem(b"\x30\x80\0\0"), "is damaged (no prime in it)"),
        (pem(b"\x30\3\4\1\0"), "is damaged (no prime in it)"),
        (parameters(FFDHE2048)[:60], "is damaged (no prime in it)"),
        (pem(b"\x30\x82\1\4" + integer(FFDHE2048)[:260]), "is damaged (no prime in"),
        (pem(b"\x30\x82\1\5" + integer(FFDHE2048)), "is damaged ("),
        (parameters(OAKLEY768), "has 768 bits, and everybody can break that"),
        (parameters(OAKLEY1024), "is too short for OpenSSL's security level"),
    ],
)
def test_parameters_that_will_not_do(
    content: bytes, text: str, policy: TlsPolicy, tmp_path: Path
) -> None:
    found = problem(evolve(policy, dhparam=write(tmp_path, content)))
    assert found.directive == "ssl_dhparam"
    assert text in found.text


def test_a_prime_that_everybody_can_break_is_refused_at_every_level(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    old = evolve(policy, protocols=("TLSv1", "TLSv1.2"))
    found = problem(evolve(old, dhparam=write(tmp_path, parameters(OAKLEY768))))
    assert "has 768 bits" in found.text
    server_context(evolve(old, dhparam=write(tmp_path, parameters(OAKLEY1024))), "imap")


def test_parameters_that_are_missing(policy: TlsPolicy, tmp_path: Path) -> None:
    found = problem(evolve(policy, dhparam=tmp_path / "missing.pem"))
    assert found.text.endswith("missing.pem does not exist")


def only(context: SSLContext, group: str) -> SSLContext:
    assert BENEATH_PYTHON is not None
    assert BENEATH_PYTHON.set_groups(context, group)
    return context


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize(
    ("curves", "agreed"),
    [
        ("auto", {"X25519", "P-256", "P-384"}),
        ("prime256v1", {"P-256"}),
        ("X25519:secp384r1", {"X25519", "P-384"}),
    ],
)
def test_keys_are_agreed_on_over_these_curves_only(
    curves: str, agreed: set[str], version: str, ca: CA, tmp_path: Path
) -> None:
    policy = TlsPolicy((issue(ca, tmp_path, "localhost", key_type=KeyType.RSA),))
    server = server_context(evolve(policy, ecdh_curve=curves), "imap")
    for curve in ("X25519", "P-256", "P-384"):
        ciphers = "ECDHE:@SECLEVEL=0"
        to = only(client(ca, version, ciphers=ciphers), curve)
        outcome = shake_hands(server, to)
        assert isinstance(outcome, Secured) is (curve in agreed)


@pytest.mark.parametrize(
    "curves", ["", "P-9", "auto:P-256", "X25519:nonsense", "ü", "P-256\0"]
)
def test_curves_that_openssl_does_not_know(curves: str, policy: TlsPolicy) -> None:
    found = problem(evolve(policy, ecdh_curve=curves))
    assert found.directive == "ssl_ecdh_curve"
    assert found.text == f'OpenSSL does not know every curve of "{curves}"'


def test_a_python_that_hides_openssl_cannot_choose_curves(policy: TlsPolicy) -> None:
    with pytest.raises(TlsSettingsError, match="cannot choose curves") as caught:
        server_context(evolve(policy, ecdh_curve="P-256"), "imap", openssl=None)
    assert "Debian's python3" in caught.value.problems[0].remedy
