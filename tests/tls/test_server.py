"""A virtual server's TLS as it lives: names, renewals, and whose sessions are whose."""

from contextlib import suppress
from pathlib import Path
from ssl import MemoryBIO, SSLContext, SSLError, SSLSession, SSLWantReadError

import pytest
from attrs import evolve
from cryptography import x509
from trustme import CA, KeyType

from mailssl_trio.files import Files
from mailssl_trio.tls.policy import (
    Pair,
    SessionCache,
    SharedCache,
    TlsPolicy,
    VerifyClient,
)
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.resumption import Sessions, session_identity
from mailssl_trio.tls.sessions.session_cache import BuiltinCache
from mailssl_trio.tls.sessions.ticket_keys import RotatingKeys, TicketKeys
from tests.tls.clients import client
from tests.tls.handshake import ALERT, HANDSHAKE, Alert, Secured, shake_hands
from tests.tls.pairs import certificate_of

VERSIONS = ("TLSv1.2", "TLSv1.3")


def pair(
    ca: CA, directory: Path, *names: str, key_type: KeyType = KeyType.ECDSA
) -> Pair:
    """Have a pair issued, in one file."""
    file = directory / f"{names[0].replace('*', 'any')}-{key_type.name}.pem"
    file.touch(mode=0o600)
    leaf = ca.issue_cert(*names, key_type=key_type)
    file.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    return Pair(file, file)


def secured(
    server: ServerTls,
    client: SSLContext,
    name: str = "localhost",
    session: SSLSession | None = None,
) -> Secured:
    outcome = shake_hands(server.context, client, name, session)
    assert isinstance(outcome, Secured)
    return outcome


def shown(secured: Secured) -> tuple[str, str]:
    """Return the first name of the certificate that was shown, and its key's type."""
    der = secured.client.getpeercert(binary_form=True)
    assert der is not None
    leaf = x509.load_der_x509_certificate(der)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    name = names.value.get_values_for_type(x509.DNSName)[0]
    return name, type(leaf.public_key()).__name__.removesuffix("PublicKey")


@pytest.fixture
def names(ca: CA, tmp_path: Path) -> TlsPolicy:
    """Return a server of three names, the first with two types of key."""
    return TlsPolicy(
        (
            pair(ca, tmp_path, "a.example", "localhost", key_type=KeyType.RSA),
            pair(ca, tmp_path, "a.example", "localhost"),
            pair(ca, tmp_path, "b.example"),
            pair(ca, tmp_path, "*.c.example"),
        )
    )


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("a.example", "a.example"),
        ("B.Example", "b.example"),
        ("x.c.example", "*.c.example"),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_is_shown_the_certificate_of_the_name_it_asks_for(
    names: TlsPolicy, ca: CA, asked: str, name: str, version: str
) -> None:
    server = ServerTls(names, "imap", Files())
    reached = secured(server, client(ca, version), asked)
    assert shown(reached)[0] == name
    assert server.server_name(reached.server) == asked


@pytest.mark.parametrize("asked", ["x.y.c.example", "c.example", "nobody.example"])
def test_who_asks_for_an_unknown_name_is_shown_the_first(
    names: TlsPolicy, asked: str
) -> None:
    server = ServerTls(names, "imap", Files())
    assert shown(secured(server, client(None), asked))[0] == "a.example"


def test_a_python_that_hides_openssl_cannot_choose_by_name(names: TlsPolicy) -> None:
    with pytest.raises(TlsSettingsError) as caught:
        ServerTls(names, "imap", Files(), openssl=None)
    [problem] = caught.value.problems
    assert problem.directive == "ssl_certificate"
    assert problem.text == "this Python cannot choose certificates by name"


def test_but_it_lets_clients_choose_the_type_of_key(names: TlsPolicy) -> None:
    policy = evolve(names, pairs=names.pairs[:2])
    assert ServerTls(policy, "imap", Files(), openssl=None).context


@pytest.mark.parametrize(
    ("ciphers", "key_type"), [("ECDHE-RSA", "RSA"), ("ECDHE-ECDSA", "EC")]
)
def test_of_several_key_types_the_client_chooses(
    names: TlsPolicy, ca: CA, ciphers: str, key_type: str
) -> None:
    visitor = client(ca, "TLSv1.2", ciphers=f"{ciphers}-AES128-GCM-SHA256")
    reached = secured(ServerTls(names, "imap", Files()), visitor)
    assert key_type in shown(reached)[1]


@pytest.mark.parametrize("asked", ["localhost", "b.example", "x.c.example"])
def test_foreign_protocols_are_refused_whatever_the_name(
    names: TlsPolicy, ca: CA, asked: str
) -> None:
    server = ServerTls(names, "imap", Files())
    outcome = shake_hands(server.context, client(ca, alpn=("http/1.1",)), asked)
    assert outcome == Alert(120)


@pytest.mark.parametrize("asked", ["localhost", "b.example", "x.c.example"])
def test_versions_and_ciphers_are_the_same_whatever_the_name(
    names: TlsPolicy, ca: CA, asked: str
) -> None:
    strict = evolve(names, protocols=("TLSv1.2",), ciphers="ECDHE+CHACHA20")
    server = ServerTls(strict, "imap", Files())
    assert shake_hands(server.context, client(ca, "TLSv1.3"), asked) == Alert(70)
    outcome = secured(server, client(ca), asked)
    cipher = outcome.server.cipher()
    assert cipher is not None
    assert "CHACHA20" in cipher[0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tickets", [False, True])
@pytest.mark.parametrize("asked", ["localhost", "b.example"])
def test_sessions_resume_whatever_the_name(
    names: TlsPolicy, ca: CA, asked: str, version: str, tickets: bool
) -> None:
    server, visitor = resuming(names, tickets), client(ca, version)
    first = secured(server, visitor, asked)
    again = secured(server, visitor, asked, first.client.session)
    assert again.server.session_reused


def resuming(
    policy: TlsPolicy,
    tickets: bool = False,
    sessions: Sessions | None = None,
    files: Files | None = None,
) -> ServerTls:
    """Return a server that resumes all it can."""
    keys = TicketKeys(RotatingKeys(300).keys) if tickets else None
    return ServerTls(
        evolve(
            policy, session_tickets=tickets, session_cache=SessionCache(builtin=100)
        ),
        "imap",
        files or Files(),
        sessions or Sessions(BuiltinCache(100), keys),
    )


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tickets", [False, True])
@pytest.mark.parametrize("asked", ["localhost", "b.example"])
def test_sessions_survive_the_renewal_of_a_certificate(
    names: TlsPolicy, ca: CA, asked: str, version: str, tickets: bool, tmp_path: Path
) -> None:
    files = Files()
    server = resuming(names, tickets, files=files)
    visitor = client(ca, version)
    session = secured(server, visitor, asked).client.session
    before = secured(server, visitor, asked).client.getpeercert()
    for renewed in ("a.example", "b.example"):
        pair(ca, tmp_path, renewed, *(["localhost"] if renewed[0] == "a" else []))
    server.renew(files.afresh())
    assert secured(server, visitor, asked, session).server.session_reused
    assert secured(server, visitor, asked).client.getpeercert() != before


def test_a_pair_that_is_broken_leaves_the_old_one_serving(
    policy: TlsPolicy, ca: CA
) -> None:
    server = ServerTls(policy, "imap", Files())
    certificate_of(policy).write_text("nothing")
    with pytest.raises(TlsSettingsError):
        server.renew(Files())
    secured(server, client(ca))


def other_policies(policy: TlsPolicy, ca: CA, directory: Path) -> list[TlsPolicy]:
    """Return policies that differ in what a session must not carry over."""
    trusted = directory / "ca.pem"
    trusted.write_bytes(ca.cert_pem.bytes())
    verifying = evolve(
        policy, verify_client=VerifyClient.OPTIONAL, client_certificate=trusted
    )
    return [
        policy,
        evolve(policy, pairs=(pair(ca, directory, "localhost"),)),
        verifying,
        evolve(verifying, verify_client=VerifyClient.ON),
        evolve(verifying, verify_depth=2),
        evolve(policy, ciphers="ECDHE+AESGCM:ECDHE+CHACHA20"),
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("tickets", [False, True])
def test_no_session_resumes_where_the_policy_differs(
    policy: TlsPolicy, ca: CA, version: str, tickets: bool, tmp_path: Path
) -> None:
    """CVE-2014-3616: one zone, and one set of ticket keys, for all of them."""
    keys = TicketKeys(RotatingKeys(300).keys) if tickets else None
    shared, visitor = Sessions(BuiltinCache(100), keys), client(ca, version)
    servers = [
        resuming(other, tickets, shared)
        for other in other_policies(policy, ca, tmp_path)
    ]
    for server in servers:
        session = secured(server, visitor).client.session
        resumed = [secured(s, visitor, session=session) for s in servers]
        reused = [outcome.server.session_reused for outcome in resumed]
        assert reused == [other is server for other in servers]


def test_a_change_of_what_is_revoked_ends_all_sessions(
    policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    (tmp_path / "crl.pem").write_text("one")
    with_crl = evolve(policy, crl=tmp_path / "crl.pem")
    files = Files()
    before = session_identity(with_crl, files)
    (tmp_path / "crl.pem").write_text("two")
    assert session_identity(with_crl, files.afresh()) != before


def test_a_change_of_what_a_command_believes_ends_all_sessions(
    policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(ca.cert_pem.bytes())
    believing = evolve(policy, conf_commands=(("VerifyCAFile", str(trusted)),))
    files = Files()
    ServerTls(believing, "imap", files)
    before = session_identity(believing, files)
    assert session_identity(believing, files) == before
    trusted.write_bytes(CA().cert_pem.bytes())
    after = files.afresh()
    ServerTls(believing, "imap", after)
    assert session_identity(believing, after) != before


def test_a_renewal_does_not_change_whose_a_session_is(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    files = Files()
    before = session_identity(policy, files)
    certificate_of(policy).write_text("renewed")
    assert session_identity(policy, files.afresh()) == before
    assert session_identity(policy, Files()) != before


def test_where_the_cache_is_does_not_change_whose_a_session_is(
    policy: TlsPolicy,
) -> None:
    cache = SessionCache(shared=SharedCache("SSL", 2**20))
    elsewhere = evolve(policy, session_cache=cache, session_timeout=1)
    assert session_identity(elsewhere, Files()) == session_identity(policy, Files())


@pytest.mark.parametrize("name", [b"\xff\xfelocal", b"b.examp\x00", b"LOCALHO\n"])
def test_a_name_that_is_none_is_nobodys(names: TlsPolicy, name: bytes) -> None:
    """Python's own callback would print a traceback for the first."""
    server = ServerTls(names, "imap", Files())
    to_server, to_client = MemoryBIO(), MemoryBIO()
    accepting = server.context.wrap_bio(to_server, to_client, server_side=True)
    hello = client_hello("b.examp")
    to_server.write(hello.replace(b"b.examp", name[:7].ljust(7, b"x")))
    try:
        accepting.do_handshake()
    except SSLWantReadError:
        assert to_client.read(1) == bytes([HANDSHAKE])
    except SSLError:  # OpenSSL's own refusal of a name with NUL
        assert to_client.read(1) == bytes([ALERT])


def client_hello(name: str) -> bytes:
    """Return the first octets of a client that asks for a name."""
    to_client, to_server = MemoryBIO(), MemoryBIO()
    asking = client(None).wrap_bio(to_client, to_server, server_hostname=name)
    with suppress(SSLWantReadError):
        asking.do_handshake()
    return to_server.read()
