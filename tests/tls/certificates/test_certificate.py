"""What is read off certificates, and what is said of their end."""

from datetime import timedelta
from pathlib import Path
from ssl import DER_cert_to_PEM_cert, PEM_cert_to_DER_cert

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from trustme import CA, KeyType

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.certificate import (
    Certificate,
    certificate_of,
    expiry_lines,
    expiry_warnings,
    read_certificates,
)
from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import Inline, Pair, TlsPolicy
from tests.tls.certificates.issuing import DAY, NOW, issue, self_signed, write


def read(pair: Pair) -> Certificate:
    (certificate,) = read_certificates((pair,), Files())
    return certificate


def ending(after: timedelta, *, beginning: timedelta = -DAY) -> Certificate:
    pair = Pair(Path("tls/cert.pem"), Path("tls/key.pem"))
    return Certificate(pair, ("mx.example.org",), "RSA", NOW + beginning, NOW + after)


def test_names_are_those_for_hosts(ca: CA, tmp_path: Path) -> None:
    names = ("mail.example.org", "*.example.org", "127.0.0.1", "a@example.org")
    found = read(issue(ca, tmp_path, *names))
    assert found.names == ("mail.example.org", "*.example.org")


def test_names_are_read_in_lower_case(tmp_path: Path) -> None:
    made = self_signed("Mail.Example.ORG", "mail.example.org")
    file = write(tmp_path, made.certificate)
    assert read(Pair(file, file)).names == ("mail.example.org",)


def test_a_common_name_is_no_name(tmp_path: Path) -> None:
    file = write(tmp_path, self_signed().certificate)
    assert read(Pair(file, file)).names == ()


def test_the_leaf_is_the_first_certificate_wherever_the_key_is(
    ca: CA, tmp_path: Path
) -> None:
    leaf = ca.create_child_ca().issue_cert("mx.example.org")
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    for content in (
        leaf.private_key_pem.bytes() + chain,
        chain + leaf.private_key_pem.bytes(),
        b"mail, renewed in autumn\n" + chain.replace(b"\n", b"\r\n"),
    ):
        file = write(tmp_path, content)
        assert read(Pair(file, file)).names == ("mx.example.org",)


@pytest.mark.parametrize(
    ("kind", "name"), [(KeyType.RSA, "RSA"), (KeyType.ECDSA, "ECDSA")]
)
def test_the_type_of_key_is_known(
    kind: KeyType, name: str, ca: CA, tmp_path: Path
) -> None:
    assert read(issue(ca, tmp_path, "localhost", key_type=kind)).key_type == name


def test_ed25519_is_a_type_of_its_own(tmp_path: Path) -> None:
    made = self_signed("localhost", key=ed25519.Ed25519PrivateKey.generate())
    file = write(tmp_path, made.certificate)
    assert read(Pair(file, file)).key_type == "Ed25519"


def test_what_openssl_calls_trusted_is_read_without_what_is_behind_it(
    tmp_path: Path,
) -> None:
    made = self_signed("localhost")
    der = PEM_cert_to_DER_cert(made.certificate.decode()) + b"\x30\0"  # no trust at all
    pem = DER_cert_to_PEM_cert(der).replace(" CERTIFICATE", " TRUSTED CERTIFICATE")
    pair = Pair(write(tmp_path, pem.encode()), write(tmp_path, made.key))
    assert read(pair).names == ("localhost",)
    server_context(TlsPolicy((pair,)), "imap")


def test_pem_in_the_configuration_is_read_and_never_printed() -> None:
    made = self_signed("localhost")
    certificate, key = Inline(made.certificate.decode()), Inline(made.key.decode())
    found = read(Pair(certificate, key))
    assert str(found) == "data:… (localhost; ECDSA)"
    assert "BEGIN" not in repr(found)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not PEM",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n.\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\nMIIB",
    ],
)
def test_what_cannot_be_read_is_left_out(content: bytes, tmp_path: Path) -> None:
    file = write(tmp_path, content)
    assert certificate_of(Pair(file, file), Files()) is None
    missing = tmp_path / "missing.pem"
    assert read_certificates((Pair(file, file), Pair(missing, missing)), Files()) == ()


def test_the_same_pair_twice_is_one(ca: CA, tmp_path: Path) -> None:
    pair = issue(ca, tmp_path, "localhost")
    assert len(read_certificates((pair, pair), Files())) == 1


@pytest.mark.parametrize(
    ("certificate", "is_near", "end"),
    [
        (ending(90 * DAY), False, "in 90 days"),
        (ending(31 * DAY), False, "in 31 days"),
        (ending(30 * DAY), True, "in 30 days"),
        (ending(8 * DAY), True, "in 8 days"),
        (ending(7 * DAY), True, "in 7 days: renew it now"),
        (ending(1.5 * DAY), True, "in 1 day: renew it now"),
        (ending(timedelta(hours=5)), True, "in 0 days: renew it now"),
    ],
)
def test_an_end_is_told_at_the_start_and_again_when_it_is_near(
    certificate: Certificate, is_near: bool, end: str
) -> None:
    (line,) = expiry_lines((certificate,), NOW)
    date = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    subject = "certificate tls/cert.pem (mx.example.org; RSA)"
    assert line == f"{subject} expires on {date}, {end}"
    assert expiry_warnings((certificate,), NOW) == ((line,) if is_near else ())


def test_one_that_has_expired_or_not_begun_is_warned_of() -> None:
    expired, early = ending(-DAY), ending(365 * DAY, beginning=DAY)
    said = expiry_warnings((expired, early), NOW)
    assert "expired on " in said[0]
    assert "is not valid before " in said[1]


def test_many_names_do_not_make_a_long_line(ca: CA, tmp_path: Path) -> None:
    names = [f"n{number}.example.org" for number in range(100)]
    found = read(issue(ca, tmp_path, *names))
    first = "n0.example.org, n1.example.org, n2.example.org"
    assert str(found).endswith(f" ({first}, …; ECDSA)")
