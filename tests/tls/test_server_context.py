"""What a mail client finds when it speaks TLS with us: handshakes, in memory."""

from ssl import OP_NO_COMPRESSION, PROTOCOL_TLS_SERVER, SSLContext, SSLSession

import pytest
from attrs import evolve
from trustme import CA, LeafCert

from mailssl_trio.tls.context import missing_features, server_context
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.problems import TlsSettingsError
from tests.tls.clients import client
from tests.tls.handshake import (
    HANDSHAKE_FAILURE,
    NO_APPLICATION_PROTOCOL,
    Alert,
    Secured,
    shake_hands,
)

AES128 = "ECDHE-ECDSA-AES128-GCM-SHA256"
AES256 = "ECDHE-ECDSA-AES256-GCM-SHA384"


def secured(server: SSLContext, to: SSLContext) -> Secured:
    outcome = shake_hands(server, to)
    assert isinstance(outcome, Secured)
    return outcome


def cipher(server: SSLContext, to: SSLContext) -> str:
    agreed = secured(server, to).client.cipher()
    assert agreed is not None
    return agreed[0]


# Application-Layer Protocol Negotiation, RFC 7301.


@pytest.mark.parametrize("protocol", ["imap", "pop3", "smtp"])
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_clients_that_name_our_protocol_are_served(
    protocol: str, version: str, policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(policy, protocol)
    for offer in ((protocol,), ("http/1.1", protocol), (protocol, "h2")):
        agreed = secured(server, client(ca, version, alpn=offer))
        assert agreed.client.selected_alpn_protocol() == protocol


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize(
    "offer",
    [
        ("http/1.1",),
        ("h2", "http/1.1"),
        ("pop3",),
        ("IMAP",),
        ("ima",),
        ("imaps",),
        ("x" * 255,),
    ],
)
def test_clients_of_other_protocols_are_refused(
    offer: tuple[str, ...], version: str, policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(policy, "imap")
    outcome = shake_hands(server, client(ca, version, alpn=offer))
    assert outcome == Alert(NO_APPLICATION_PROTOCOL)


def test_clients_without_alpn_are_served(policy: TlsPolicy, ca: CA) -> None:
    agreed = secured(server_context(policy, "imap"), client(ca))
    assert agreed.client.selected_alpn_protocol() is None


def test_servers_of_different_protocols_do_not_mix(policy: TlsPolicy, ca: CA) -> None:
    servers = {name: server_context(policy, name) for name in ("imap", "pop3", "smtp")}
    for name, server in servers.items():
        for offer in servers:
            outcome = shake_hands(server, client(ca, alpn=(offer,)))
            assert isinstance(outcome, Secured) is (offer == name)


def test_a_python_that_hides_openssl_says_what_it_leaves_out(
    policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(policy, "imap", openssl=None)
    assert isinstance(shake_hands(server, client(ca, alpn=("h2",))), Secured)
    assert "ALPN" in " ".join(missing_features(None))
    assert "resumed" in " ".join(missing_features(None))
    assert missing_features(BENEATH_PYTHON) == ()


# Ciphers.


def test_the_clients_order_counts(old_policy: TlsPolicy, ca: CA) -> None:
    server = server_context(evolve(old_policy, ciphers=f"{AES256}:{AES128}"), "imap")
    assert cipher(server, client(ca, ciphers=f"{AES128}:{AES256}")) == AES128
    assert cipher(server, client(ca, ciphers=f"{AES256}:{AES128}")) == AES256


def test_the_servers_order_counts_when_asked_for(old_policy: TlsPolicy, ca: CA) -> None:
    ciphers = f"{AES256}:{AES128}"
    policy = evolve(old_policy, ciphers=ciphers, prefer_server_ciphers=True)
    server = server_context(policy, "imap")
    assert cipher(server, client(ca, ciphers=f"{AES128}:{AES256}")) == AES256


def test_ciphers_not_on_the_list_are_refused(old_policy: TlsPolicy, ca: CA) -> None:
    server = server_context(evolve(old_policy, ciphers=AES256), "imap")
    outcome = shake_hands(server, client(ca, ciphers=AES128))
    assert outcome == Alert(HANDSHAKE_FAILURE)


GREEDY = "ALL:aNULL:eNULL:@SECLEVEL=0"


@pytest.mark.parametrize("wanted", ["aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0"])
@pytest.mark.parametrize(
    "ciphers", [GREEDY, "ALL:aNULL@SECLEVEL=0", "HIGH:aNULL:eNULL", "+eNULL:ALL"]
)
@pytest.mark.parametrize("protocols", [("TLSv1", "TLSv1.2"), ("TLSv1.2",)])
def test_neither_anonymous_nor_in_the_clear_whatever_the_list_says(
    wanted: str, ciphers: str, protocols: tuple[str, ...], policy: TlsPolicy
) -> None:
    greedy = evolve(policy, ciphers=ciphers, protocols=protocols)
    server = server_context(greedy, "imap")
    outcome = shake_hands(server, client(None, "TLSv1.2", ciphers=wanted))
    assert outcome == Alert(HANDSHAKE_FAILURE)


@pytest.mark.parametrize("wanted", ["aNULL:@SECLEVEL=0", "eNULL:@SECLEVEL=0"])
def test_these_clients_would_find_a_server_that_is_less_careful(
    wanted: str, leaf: LeafCert
) -> None:
    careless = SSLContext(PROTOCOL_TLS_SERVER)
    leaf.configure_cert(careless)
    careless.set_ciphers(GREEDY)
    cipher(careless, client(None, "TLSv1.2", ciphers=wanted))


def test_the_list_of_old_documentation_is_still_accepted(
    policy: TlsPolicy, ca: CA
) -> None:
    words = "ALL:!ADH:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP"
    secured(server_context(evolve(policy, ciphers=words), "imap"), client(ca))


@pytest.mark.parametrize(
    "ciphers",
    ["", "bogus", "aNULL", "eNULL", "HIGH:!ALL", "TLS_AES_128_GCM_SHA256", "A\0B"],
)
def test_lists_that_select_nothing(ciphers: str, policy: TlsPolicy) -> None:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(evolve(policy, ciphers=ciphers), "imap")
    (problem,) = caught.value.problems
    assert problem.directive == "ssl_ciphers"
    assert problem.text == f'"{ciphers}" selects no cipher'


# Resumption. A plain context is tried beside ours, to see that the client can.


def resumes(server: SSLContext, to: SSLContext) -> bool:
    outcome = shake_hands(server, to, session=first_session(server, to))
    assert isinstance(outcome, Secured)
    assert outcome.client.session_reused is outcome.server.session_reused
    return bool(outcome.client.session_reused)


def first_session(server: SSLContext, to: SSLContext) -> SSLSession:
    session = secured(server, to).client.session
    assert session is not None
    return session


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.2", "TLSv1.3"])
def test_nothing_is_resumed(
    version: str, policy: TlsPolicy, leaf: LeafCert, ca: CA
) -> None:
    everything = evolve(policy, protocols=("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"))
    assert not resumes(server_context(everything, "imap"), client(ca, version))
    willing = server_context(everything, "imap")
    leaf.configure_cert(plain := SSLContext(PROTOCOL_TLS_SERVER))
    plain.minimum_version = willing.minimum_version
    plain.set_ciphers("ALL:@SECLEVEL=0")
    assert resumes(plain, client(ca, version))


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_nothing_is_promised(version: str, policy: TlsPolicy, ca: CA) -> None:
    session = first_session(server_context(policy, "imap"), client(ca, version))
    assert not session.has_ticket
    if version == "TLSv1.2":  # TLS 1.3 makes up an id of its own
        assert session.id == b""


# The rest.


def test_compression_is_off(policy: TlsPolicy, ca: CA) -> None:
    server = server_context(policy, "imap")
    assert server.options & OP_NO_COMPRESSION
    assert secured(server, client(ca)).client.compression() is None


def test_the_chain_is_sent_and_no_certificate_is_asked_for(
    policy: TlsPolicy, ca: CA
) -> None:
    agreed = secured(server_context(policy, "imap"), client(ca))
    assert agreed.client.getpeercert()
    assert agreed.server.getpeercert() is None
