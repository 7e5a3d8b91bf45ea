"""What operators name by mistake, and what they are told."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
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

from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from tests.tls.clients import client
from tests.tls.handshake import Secured, shake_hands
from tests.tls.pairs import certificate_of, key_of
from tests.tls.unprivileged import unprivileged


def problems(policy: TlsPolicy) -> tuple[TlsProblem, ...]:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(policy, "imap")
    return caught.value.problems


def problem(policy: TlsPolicy) -> TlsProblem:
    (only,) = problems(policy)
    return only


Damage = Callable[[TlsPolicy], object]


def become_a_fifo(policy: TlsPolicy) -> None:
    certificate_of(policy).unlink()
    os.mkfifo(certificate_of(policy))


def become_a_directory(policy: TlsPolicy) -> None:
    certificate_of(policy).unlink()
    certificate_of(policy).mkdir()


EC_GARBAGE = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"
GARBAGE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("damage", "text", "remedy"),
    [
        (lambda p: certificate_of(p).unlink(), "cert.pem does not exist", "name"),
        (
            become_a_directory,
            "cert.pem is a directory",
            "PEM file",
        ),
        (
            become_a_fifo,
            "cert.pem is not a regular file",
            "PEM file",
        ),
        (
            lambda p: certificate_of(p).write_text(""),
            "cert.pem is not PEM",
            "-inform DER",
        ),
        (
            lambda p: certificate_of(p).write_bytes(
                PEM_cert_to_DER_cert(certificate_of(p).read_text())
            ),
            "cert.pem is not PEM",
            "openssl x509 -inform DER",
        ),
        (
            lambda p: certificate_of(p).write_bytes(key_of(p).read_bytes()),
            "cert.pem holds no certificate, but EC PRIVATE KEY",
            "name the file with the certificate",
        ),
        (
            lambda p: certificate_of(p).write_text(GARBAGE),
            "cert.pem is damaged (",
            "restore",
        ),
    ],
)
def test_certificates_that_are_none(
    damage: Damage, text: str, remedy: str, policy: TlsPolicy
) -> None:
    damage(policy)
    found = problem(policy)
    assert found.directive == "ssl_certificate"
    assert text in found.text
    assert remedy in found.remedy
    assert not found.denied


@pytest.mark.parametrize(
    ("damage", "text", "remedy"),
    [
        (lambda p: key_of(p).unlink(), "key.pem does not exist", "name"),
        (
            lambda p: key_of(p).write_text("secret"),
            "key.pem is not PEM",
            "openssl pkey -inform DER",
        ),
        (
            lambda p: key_of(p).write_bytes(certificate_of(p).read_bytes()),
            "key.pem holds no private key, but CERTIFICATE",
            "private key",
        ),
        (
            lambda p: key_of(p).write_text(EC_GARBAGE),
            "key.pem is damaged (",
            "restore",
        ),
        (
            lambda p: key_of(p).chmod(0o644),
            "is open to every user (mode 0644)",
            "chmod o-rwx ",
        ),
        (
            lambda p: key_of(p).chmod(0o602),
            "is open to every user (mode 0602)",
            "chmod o-rwx ",
        ),
    ],
)
def test_keys_that_are_none_or_everybodys(
    damage: Damage, text: str, remedy: str, policy: TlsPolicy
) -> None:
    damage(policy)
    found = problem(policy)
    assert found.directive == "ssl_certificate_key"
    assert text in found.text
    assert remedy in found.remedy
    assert "AAAA" not in found.text


def test_a_key_may_be_its_groups(policy: TlsPolicy) -> None:
    key_of(policy).chmod(0o640)
    server_context(policy, "imap")


@pytest.mark.parametrize(
    "encoding", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8]
)
def test_an_encrypted_key_is_not_asked_for_on_the_terminal(
    encoding: PrivateFormat, policy: TlsPolicy
) -> None:
    key = load_pem_private_key(key_of(policy).read_bytes(), None)
    locked = BestAvailableEncryption(b"passphrase")
    key_of(policy).write_bytes(key.private_bytes(Encoding.PEM, encoding, locked))
    found = problem(policy)
    assert found.directive == "ssl_certificate_key"
    assert "is encrypted, and there is no ssl_password_file" in found.text
    assert "openssl pkey -in " in found.remedy


@pytest.mark.parametrize("kind", list(KeyType))
def test_a_key_of_another_certificate(kind: KeyType, policy: TlsPolicy, ca: CA) -> None:
    other = ca.issue_cert("localhost", key_type=kind)
    key_of(policy).write_bytes(other.private_key_pem.bytes())
    found = problem(policy)
    assert found.directive == "ssl_certificate_key"
    assert "belongs to another certificate than" in found.text


def test_a_key_that_openssl_finds_too_short(policy: TlsPolicy) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    key_of(policy).write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2040, 1, 1))
        .sign(key, SHA256())
    )
    certificate_of(policy).write_bytes(certificate.public_bytes(Encoding.PEM))
    found = problem(policy)
    assert found.directive == "ssl_certificate"
    assert "is too weak for OpenSSL (ee key too small)" in found.text


def test_one_file_may_hold_both(policy: TlsPolicy, leaf: LeafCert, ca: CA) -> None:
    both = key_of(policy)
    both.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    server = server_context(TlsPolicy((Pair(both, both),)), "imap")
    assert isinstance(shake_hands(server, client(ca)), Secured)


def test_a_file_that_this_user_may_not_read_is_denied(policy: TlsPolicy) -> None:
    key_of(policy).chmod(0)
    with unprivileged():
        found = problems(policy)
    denied = {p.directive: p for p in found if p.denied}
    assert "may not be read" in denied["ssl_certificate_key"].text


def test_a_name_that_is_none(policy: TlsPolicy) -> None:
    pair = Pair(Path("cert\0.pem"), key_of(policy))
    found = problem(evolve(policy, pairs=(pair,)))
    assert found.text == "'cert\\x00.pem' is no file name"


def test_everything_that_is_wrong_is_said_at_once(policy: TlsPolicy) -> None:
    certificate_of(policy).unlink()
    key_of(policy).write_text("secret")
    key_of(policy).chmod(0o604)
    wrong = evolve(policy, protocols=("TLSv9",), ciphers="bogus")
    assert [p.directive for p in problems(wrong)] == [
        "ssl_protocols",
        "ssl_protocols",
        "ssl_ciphers",
        "ssl_certificate",
        "ssl_certificate_key",
        "ssl_certificate_key",
    ]


def test_the_exception_itself_reads_well(policy: TlsPolicy) -> None:
    with pytest.raises(TlsSettingsError, match='ssl_ciphers: "x" selects no cipher'):
        server_context(evolve(policy, ciphers="x"), "imap")
