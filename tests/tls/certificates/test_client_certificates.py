"""``ssl_verify_client``: who may stay, after a handshake that never fails on it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from ssl import MemoryBIO, SSLContext, SSLSession, SSLWantReadError
from typing import TypeAlias

import pytest
from attrs import evolve, frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from trustme import CA, LeafCert

from mailssl_trio.files import Files
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.tls.certificates.client_certificates import judge
from mailssl_trio.tls.certificates.refusal import CertificateRefusal
from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.policy import TlsPolicy, VerifyClient
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from tests.tls.certificates.issuing import DAY, NOW, Issued, crl_of, self_signed, write
from tests.tls.clients import client
from tests.tls.handshake import Secured, shake_hands

OFF, ON, OPTIONAL, OPTIONAL_NO_CA = VerifyClient
VERSIONS = ("TLSv1.2", "TLSv1.3")

Shown: TypeAlias = LeafCert | Issued | None
Believing: TypeAlias = Callable[[TlsPolicy, Path], TlsPolicy]


@frozen
class Clients:
    """Those whom a CA has let in, and others, each with what they show."""

    ca: CA
    other_ca: CA
    good: LeafCert
    good_below_another: LeafCert
    too_deep: LeafCert
    expired: LeafCert
    early: LeafCert
    revoked: LeafCert
    foreign: LeafCert
    self_signed: Issued

    def named(self, kind: str) -> Shown:
        """Return what a client of a kind shows; ``none`` shows nothing."""
        shown: Shown = None if kind == "none" else getattr(self, kind)
        return shown


@pytest.fixture(scope="module")
def clients() -> Clients:
    ca, other_ca = CA(), CA()
    below = ca.create_child_ca()
    return Clients(
        ca,
        other_ca,
        good=ca.issue_cert("alice@example.org"),
        good_below_another=below.issue_cert("alice@example.org"),
        too_deep=below.create_child_ca().issue_cert("alice@example.org"),
        expired=ca.issue_cert(
            "a@example.org", not_before=NOW - 9 * DAY, not_after=NOW - DAY
        ),
        early=ca.issue_cert(
            "a@example.org", not_before=NOW + DAY, not_after=NOW + 9 * DAY
        ),
        revoked=ca.issue_cert("mallory@example.org"),
        foreign=other_ca.issue_cert("alice@example.org"),
        self_signed=self_signed(),
    )


@pytest.fixture
def asking(policy: TlsPolicy, clients: Clients, tmp_path: Path) -> TlsPolicy:
    """Return a server that could ask for certificates of the CA."""
    ca = write(tmp_path, clients.ca.cert_pem.bytes())
    return evolve(policy, client_certificate=ca, session_tickets=True)


@pytest.fixture
def crl(clients: Clients, tmp_path: Path) -> Path:
    return write(tmp_path, crl_of(clients.ca, clients.revoked))


def showing(shown: Shown, version: str, directory: Path) -> SSLContext:
    context = client(None, version)
    match shown:
        case LeafCert():
            shown.configure_cert(context)
        case Issued(certificate, key):
            context.load_cert_chain(write(directory, certificate, key))
    return context


def verdict(policy: TlsPolicy, agreed: Secured) -> CertificateRefusal | None:
    return judge(policy, agreed.server, BENEATH_PYTHON)


def said(refusal: CertificateRefusal | None) -> str:
    """Return ``ok``, ``required``, or the number of what is wrong."""
    match refusal:
        case None:
            return "ok"
        case CertificateRefusal(Goodbye.CERTIFICATE_REQUIRED, ""):
            return "required"
        case CertificateRefusal(Goodbye.BAD_CERTIFICATE, detail):
            return detail.partition(":")[0]
        case unheard_of:
            raise AssertionError(unheard_of)


def secured(
    server: SSLContext, to: SSLContext, session: SSLSession | None = None
) -> Secured:
    outcome = shake_hands(server, to, session=session)
    assert isinstance(outcome, Secured), outcome
    return outcome


MATRIX = """
                     on         optional   optional_no_ca   off
none                 required   ok         ok               ok
good                 ok         ok         ok               ok
foreign              21         21         ok               ok
too_deep             20         20         ok               ok
expired              10         10         10               ok
early                9          9          9                ok
self_signed          18         18         ok               ok
revoked              ok         ok         ok               ok
revoked + ssl_crl    23         23         23               ok
good + ssl_crl       ok         ok         ok               ok
"""


def cells() -> list[tuple[str, str, str]]:
    head, *rows = MATRIX.strip().splitlines()
    return [
        (row[:21].strip(), word, expected)
        for row in rows
        for word, expected in zip(head.split(), row[21:].split(), strict=True)
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("kind", "word", "expected"), cells())
def test_who_may_stay_and_who_may_not_at_first_and_when_they_come_back(
    kind: str,
    word: str,
    expected: str,
    version: str,
    asking: TlsPolicy,
    clients: Clients,
    crl: Path,
    tmp_path: Path,
) -> None:
    name, _, with_crl = kind.partition(" + ")
    policy = evolve(asking, verify_client=VerifyClient(word))
    policy = evolve(policy, crl=crl if with_crl else None)
    server = server_context(policy, "imap")
    server.num_tickets = 1
    to = showing(clients.named(name), version, tmp_path)
    first = secured(server, to)
    assert said(verdict(policy, first)) == expected
    again = secured(server, to, first.client.session)
    assert again.server.session_reused
    assert said(verdict(policy, again)) == expected


def test_a_certificate_below_another_may_stay_when_so_deep_is_allowed(
    asking: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    """Between leaf and root may stand as many as ``ssl_verify_depth`` says."""
    verdicts = {}
    for depth in (0, 1, 2):
        policy = evolve(asking, verify_client=ON, verify_depth=depth)
        server = server_context(policy, "imap")
        for name in ("good", "good_below_another", "too_deep"):
            to = showing(clients.named(name), "TLSv1.3", tmp_path)
            verdicts[name, depth] = said(verdict(policy, secured(server, to)))
    assert verdicts == {
        **{("good", depth): "ok" for depth in (0, 1, 2)},
        ("good_below_another", 0): "20",
        ("good_below_another", 1): "ok",
        ("good_below_another", 2): "ok",
        ("too_deep", 0): "20",
        ("too_deep", 1): "20",
        ("too_deep", 2): "ok",
    }


def test_the_log_hears_the_number_and_the_words(
    asking: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    policy = evolve(asking, verify_client=OPTIONAL)
    to = showing(clients.self_signed, "TLSv1.3", tmp_path)
    refusal = verdict(policy, secured(server_context(policy, "imap"), to))
    words = "18:self-signed certificate"
    assert refusal == CertificateRefusal(Goodbye.BAD_CERTIFICATE, words)


# Whom to believe.


def announcing(policy: TlsPolicy, cas: Path) -> TlsPolicy:
    return evolve(policy, client_certificate=cas)


def trusting(policy: TlsPolicy, cas: Path) -> TlsPolicy:
    return evolve(policy, trusted_certificate=cas)


@pytest.mark.parametrize("believing", [announcing, trusting])
def test_either_list_of_cas_is_believed(
    believing: Believing, policy: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    ca = write(tmp_path, clients.ca.cert_pem.bytes())
    policy = evolve(believing(policy, ca), verify_client=ON)
    server = server_context(policy, "imap")
    to = showing(clients.good, "TLSv1.3", tmp_path)
    assert verdict(policy, secured(server, to)) is None


def test_both_lists_are_believed_together(
    policy: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    announced, silent = (
        write(tmp_path, ca.cert_pem.bytes()) for ca in (clients.ca, clients.other_ca)
    )
    policy = evolve(
        policy,
        verify_client=ON,
        client_certificate=announced,
        trusted_certificate=silent,
    )
    server = server_context(policy, "imap")
    for shown in (clients.good, clients.foreign):
        to = showing(shown, "TLSv1.3", tmp_path)
        assert verdict(policy, secured(server, to)) is None
    asked = request_of(server)
    assert name_of(clients.ca) in asked
    assert name_of(clients.other_ca) not in asked


def request_of(server: SSLContext) -> bytes:
    """Return what a server of TLS 1.2 says before a client says who it is."""
    to_server, to_client = MemoryBIO(), MemoryBIO()
    accepting = server.wrap_bio(to_server, to_client, server_side=True)
    connecting = client(None, "TLSv1.2").wrap_bio(to_client, to_server)
    for side in (connecting, accepting):
        with suppress(SSLWantReadError):
            side.do_handshake()
    return to_client.read()


def name_of(ca: CA) -> bytes:
    return x509.load_pem_x509_certificate(ca.cert_pem.bytes()).subject.public_bytes()


def test_nobody_is_asked_where_verification_is_off(
    asking: TlsPolicy, clients: Clients
) -> None:
    assert name_of(clients.ca) not in request_of(server_context(asking, "imap"))


def test_our_own_chain_does_not_grow_by_the_cas_of_clients(
    asking: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    """OpenSSL would send the root after a leaf that has no chain in its file."""
    root = x509.load_pem_x509_certificate(ca.cert_pem.bytes())
    own = write(tmp_path, ca.cert_pem.bytes())
    policy = evolve(asking, verify_client=ON, trusted_certificate=own)
    sent = request_of(server_context(policy, "imap"))
    assert root.public_bytes(Encoding.DER) not in sent


# What is revoked.


def test_whoever_has_no_issuer_here_is_forgiven_that_nobody_could_revoke_him(
    asking: TlsPolicy, clients: Clients, crl: Path, tmp_path: Path
) -> None:
    policy = evolve(asking, verify_client=OPTIONAL_NO_CA, crl=crl)
    server = server_context(policy, "imap")
    to = showing(clients.foreign, "TLSv1.3", tmp_path)
    assert verdict(policy, secured(server, to)) is None


def test_every_ca_of_a_chain_must_say_whom_it_has_revoked(
    asking: TlsPolicy, clients: Clients, crl: Path, tmp_path: Path
) -> None:
    policy = evolve(asking, verify_client=ON, crl=crl)
    to = showing(clients.good_below_another, "TLSv1.3", tmp_path)
    refusal = verdict(policy, secured(server_context(policy, "imap"), to))
    assert said(refusal) == "3"  # unable to get certificate CRL


def test_several_crls_may_stand_in_one_file(
    asking: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    other = write(tmp_path, clients.other_ca.cert_pem.bytes())
    both = write(
        tmp_path,
        crl_of(clients.ca, clients.revoked),
        crl_of(clients.other_ca, clients.foreign),
    )
    policy = evolve(asking, verify_client=ON, trusted_certificate=other, crl=both)
    server = server_context(policy, "imap")
    for shown, expected in (
        (clients.good, "ok"),
        (clients.revoked, "23"),
        (clients.foreign, "23"),
    ):
        to = showing(shown, "TLSv1.3", tmp_path)
        assert said(verdict(policy, secured(server, to))) == expected


def test_what_is_revoked_is_handed_down_like_other_files(
    asking: TlsPolicy, clients: Clients, crl: Path, tmp_path: Path
) -> None:
    policy, files = evolve(asking, verify_client=ON, crl=crl), Files()
    server_context(policy, "imap", files)
    crl.unlink()
    server = server_context(policy, "imap", Files(files.known, on_disk=False))
    to = showing(clients.revoked, "TLSv1.3", tmp_path)
    assert said(verdict(policy, secured(server, to))) == "23"


# What operators name by mistake.


def problems(policy: TlsPolicy) -> tuple[TlsProblem, ...]:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(policy, "imap")
    return caught.value.problems


def problem(policy: TlsPolicy) -> TlsProblem:
    (only,) = problems(policy)
    return only


@pytest.mark.parametrize("word", [ON, OPTIONAL])
def test_somebody_must_be_believed(word: VerifyClient, policy: TlsPolicy) -> None:
    found = problem(evolve(policy, verify_client=word))
    assert found.directive == "ssl_verify_client"
    assert found.text == (
        "no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"
    )


def test_unless_it_is_nobodys_business(
    policy: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    policy = evolve(policy, verify_client=OPTIONAL_NO_CA)
    to = showing(clients.foreign, "TLSv1.3", tmp_path)
    assert verdict(policy, secured(server_context(policy, "imap"), to)) is None


@pytest.mark.parametrize(
    ("believing", "directive"),
    [
        (announcing, "ssl_client_certificate"),
        (trusting, "ssl_trusted_certificate"),
    ],
)
@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "does not exist"),
        (b"nothing", "is not PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "damaged"),
        (b"-----BEGIN X509 CRL-----\n", "holds no certificate, but X509 CRL"),
    ],
)
def test_cas_that_are_none(
    content: bytes | None,
    text: str,
    believing: Believing,
    directive: str,
    asking: TlsPolicy,
    tmp_path: Path,
) -> None:
    file = tmp_path / "missing" if content is None else write(tmp_path, content)
    found = problem(evolve(believing(asking, file), verify_client=ON))
    assert found.directive == directive
    assert text in found.text


GARBAGE = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "does not exist"),
        (b"nothing", "is not PEM"),
        (self_signed().certificate, "holds no CRL, but CERTIFICATE"),
        (b"-----BEGIN X509 CRL-----\n", "is damaged (no CRL in it can be read)"),
        (GARBAGE, "is damaged (no CRL in it can be read)"),
    ],
)
def test_crls_that_are_none(
    content: bytes | None, text: str, asking: TlsPolicy, tmp_path: Path
) -> None:
    file = tmp_path / "missing" if content is None else write(tmp_path, content)
    found = problem(evolve(asking, verify_client=ON, crl=file))
    assert found.directive == "ssl_crl"
    assert text in found.text


def test_a_crl_out_of_date_would_have_everybody_refused(
    asking: TlsPolicy, clients: Clients, tmp_path: Path
) -> None:
    old = write(tmp_path, crl_of(clients.ca, until=NOW - DAY))
    found = problem(evolve(asking, verify_client=ON, crl=old))
    assert found.directive == "ssl_crl"
    assert f"is out of date since {NOW - DAY:%Y-%m-%d %H:%M} UTC" in found.text


@pytest.mark.parametrize(
    ("signer", "in_the_name_of"),
    [("other_ca", "other_ca"), ("other_ca", "ca"), ("ca", "other_ca")],
)
def test_a_crl_of_somebody_else_would_have_nobody_refused(
    signer: str,
    in_the_name_of: str,
    asking: TlsPolicy,
    clients: Clients,
    tmp_path: Path,
) -> None:
    cas = {"ca": clients.ca, "other_ca": clients.other_ca}
    crl = crl_of(cas[signer], clients.revoked, in_the_name_of=cas[in_the_name_of])
    found = problem(evolve(asking, verify_client=ON, crl=write(tmp_path, crl)))
    assert found.directive == "ssl_crl"
    assert "which is none of the CAs here" in found.text


def test_nothing_of_it_is_looked_at_where_verification_is_off(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"
    server_context(evolve(policy, client_certificate=missing, crl=missing), "imap")


def test_a_python_that_hides_openssl_verifies_nobody(asking: TlsPolicy) -> None:
    plain = evolve(asking, verify_client=ON, session_tickets=False)
    with pytest.raises(TlsSettingsError, match="cannot let a handshake") as caught:
        server_context(plain, "imap", openssl=None)
    (found,) = caught.value.problems
    assert found.directive == "ssl_verify_client"
    assert "Debian's python3" in found.remedy
