"""How backends are believed, and when they are not (RFC 9525)."""

from pathlib import Path
from ssl import OP_NO_RENEGOTIATION, PROTOCOL_TLS_SERVER, SSLContext

import pytest
from attrs import evolve
from trustme import CA, LeafCert

from mailssl_trio.files import Files
from mailssl_trio.tls.ciphers import is_open
from mailssl_trio.tls.context import client_context
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from mailssl_trio.tls.versions import allow_versions
from tests.tls.handshake import Alert, Declined, Secured, shake_hands
from tests.tls.unprivileged import unprivileged

UNVERIFIED = BackendTlsPolicy(verify=False)


def serving(leaf: LeafCert, *versions: str) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    context.set_alpn_protocols(["imap"])
    if versions:
        assert not tuple(allow_versions(context, versions, BENEATH_PYTHON))
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1", "::1"])
def test_a_backend_is_believed_by_its_name_or_address(
    name: str, leaf: LeafCert, backend: BackendTlsPolicy
) -> None:
    outcome = shake_hands(serving(leaf), client_context(backend), name)
    assert isinstance(outcome, Secured)
    assert outcome.client.selected_alpn_protocol() is None  # never asked for


@pytest.mark.parametrize("name", ["example.org", "127.0.0.2", "localhost.example"])
def test_a_backend_of_another_name_is_not(
    name: str, leaf: LeafCert, backend: BackendTlsPolicy
) -> None:
    outcome = shake_hands(serving(leaf), client_context(backend), name)
    assert outcome == Declined("CERTIFICATE_VERIFY_FAILED")


def test_a_common_name_is_no_name(ca: CA, backend: BackendTlsPolicy) -> None:
    leaf = ca.issue_cert("10.0.0.0/8", common_name="mail.example.org")
    context = client_context(backend)
    outcome = shake_hands(serving(leaf), context, "mail.example.org")
    assert outcome == Declined("CERTIFICATE_VERIFY_FAILED")


@pytest.mark.parametrize("believed", ["another CA", "the system's"])
def test_a_backend_of_a_foreign_ca_is_not(
    believed: str, leaf: LeafCert, backend: BackendTlsPolicy, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    CA().cert_pem.write_to_path(other)
    trusted = other if believed == "another CA" else None
    context = client_context(evolve(backend, trusted_certificate=trusted))
    outcome = shake_hands(serving(leaf), context)
    assert outcome == Declined("CERTIFICATE_VERIFY_FAILED")


def test_a_backend_need_not_be_believed(leaf: LeafCert) -> None:
    context = client_context(UNVERIFIED)
    assert isinstance(shake_hands(serving(leaf), context, "example.org"), Secured)


@pytest.mark.parametrize(
    ("version", "spoken"),
    [("TLSv1", False), ("TLSv1.1", False), ("TLSv1.2", True), ("TLSv1.3", True)],
)
def test_a_backend_must_speak_a_version_of_today(
    version: str, spoken: bool, leaf: LeafCert, backend: BackendTlsPolicy
) -> None:
    outcome = shake_hands(serving(leaf, version), client_context(backend))
    assert isinstance(outcome, Secured) is spoken


@pytest.mark.parametrize(
    ("protocols", "spoken"),
    [
        (("TLSv1.3",), {"TLSv1.3"}),
        (("TLSv1.2",), {"TLSv1.2"}),
        (("TLSv1.1", "TLSv1.2"), {"TLSv1.1", "TLSv1.2"}),
        (("SSLv3", "TLSv1.1"), {"TLSv1.1"}),
    ],
)
def test_an_older_or_newer_version_is_spoken_when_asked_for(
    protocols: tuple[str, ...],
    spoken: set[str],
    leaf: LeafCert,
    backend: BackendTlsPolicy,
) -> None:
    context = client_context(evolve(backend, protocols=protocols))
    for version in ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"):
        outcome = shake_hands(serving(leaf, version), context)
        assert isinstance(outcome, Secured) is (version in spoken)


def test_ciphers_not_on_the_list_are_not_offered(
    leaf: LeafCert, backend: BackendTlsPolicy
) -> None:
    only = "ECDHE-ECDSA-AES256-GCM-SHA384"
    old = evolve(backend, protocols=("TLSv1.2",), ciphers=only)
    server = serving(leaf)
    outcome = shake_hands(server, client_context(old))
    assert isinstance(outcome, Secured)
    assert outcome.client.cipher() == (only, "TLSv1.2", 256)
    server.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert isinstance(shake_hands(server, client_context(old)), Alert)


def test_no_cipher_is_offered_that_protects_nobody(backend: BackendTlsPolicy) -> None:
    greedy = evolve(backend, ciphers="ALL:aNULL:eNULL", protocols=("TLSv1",))
    assert not is_open(client_context(greedy))


def test_a_backend_may_not_renegotiate(backend: BackendTlsPolicy) -> None:
    assert client_context(backend).options & OP_NO_RENEGOTIATION


def problem(policy: BackendTlsPolicy) -> TlsProblem:
    with pytest.raises(TlsSettingsError) as caught:
        client_context(policy)
    (only,) = caught.value.problems
    return only


@pytest.mark.parametrize(
    ("policy", "directive", "text", "remedy"),
    [
        (
            evolve(UNVERIFIED, protocols=("TLSv9", "TLSv1.2")),
            "proxy_ssl_protocols",
            'unknown protocol "TLSv9"',
            "known: SSLv2",
        ),
        (
            evolve(UNVERIFIED, protocols=("SSLv3",)),
            "proxy_ssl_protocols",
            "no protocol is left that OpenSSL can speak",
            "TLSv1.2 TLSv1.3",
        ),
        (
            evolve(UNVERIFIED, protocols=("TLSv1.3", "SSLv3", "TLSv1.1")),
            "proxy_ssl_protocols",
            "a client that speaks TLSv1.1 and TLSv1.3 cannot leave out TLSv1.2",
            "add TLSv1.2",
        ),
        (
            evolve(UNVERIFIED, protocols=("TLSv1", "TLSv1.3")),
            "proxy_ssl_protocols",
            "a client that speaks TLSv1 and TLSv1.3 cannot leave out TLSv1.1 and"
            " TLSv1.2",
            "add TLSv1.1 and TLSv1.2",
        ),
        (
            evolve(UNVERIFIED, ciphers="nonsense"),
            "proxy_ssl_ciphers",
            '"nonsense" selects no cipher',
            'the default is "DEFAULT"',
        ),
    ],
)
def test_words_that_are_none(
    policy: BackendTlsPolicy, directive: str, text: str, remedy: str
) -> None:
    found = problem(policy)
    assert found.directive == directive
    assert found.text == text
    assert remedy in found.remedy


def test_a_python_that_hides_openssl_speaks_todays_versions_only() -> None:
    client_context(UNVERIFIED, openssl=None)
    old = evolve(UNVERIFIED, protocols=("TLSv1.1", "TLSv1.2"))
    with pytest.raises(TlsSettingsError, match="cannot be held to TLS"):
        client_context(old, openssl=None)


def test_cas_are_handed_down_like_other_files(
    leaf: LeafCert, backend: BackendTlsPolicy
) -> None:
    files = Files()
    client_context(backend, files)
    assert backend.trusted_certificate is not None
    backend.trusted_certificate.unlink()
    context = client_context(backend, Files(files.known, on_disk=False))
    assert isinstance(shake_hands(serving(leaf), context), Secured)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "ca.pem does not exist"),
        ("nothing", "ca.pem is not PEM"),
        ("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "damaged"),
        ("-----BEGIN X509 CRL-----\nAA==\n", "holds no certificate, but X509 CRL"),
    ],
)
def test_trust_that_cannot_be_read(
    content: str | None, text: str, tmp_path: Path
) -> None:
    trusted = tmp_path / "ca.pem"
    if content is not None:
        trusted.write_text(content)
    found = problem(BackendTlsPolicy(trusted_certificate=trusted))
    assert found.directive == "proxy_ssl_trusted_certificate"
    assert text in found.text


def test_trust_that_may_not_be_read(backend: BackendTlsPolicy) -> None:
    assert backend.trusted_certificate is not None
    backend.trusted_certificate.chmod(0)
    with unprivileged():
        assert problem(backend).denied


@pytest.mark.parametrize("name", ["", ".example.org", "a..b", "a\0b", "a" * 64 + ".b"])
def test_names_that_are_none(name: str) -> None:
    found = problem(evolve(UNVERIFIED, name=name))
    assert found.directive == "proxy_ssl_name"
    assert found.text == f'"{name}" is neither a host name nor an IP address'


@pytest.mark.parametrize("name", ["mail.example.org", "10.0.0.1", "::1", "müller.de"])
def test_names_that_are(name: str) -> None:
    client_context(evolve(UNVERIFIED, name=name))
