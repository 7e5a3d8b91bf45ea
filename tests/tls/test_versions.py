"""``ssl_protocols`` as clients see it: exactly the set, gaps included."""

from itertools import chain, combinations

import pytest
from attrs import evolve
from trustme import CA

from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.tls.versions import version_warnings
from tests.tls.clients import ALL_VERSIONS, client
from tests.tls.handshake import Alert, Declined, Outcome, Secured, shake_hands

SETS = tuple(chain.from_iterable(combinations(ALL_VERSIONS, n) for n in range(1, 5)))


def version(outcome: Outcome) -> str | None:
    return outcome.client.version() if isinstance(outcome, Secured) else None


@pytest.mark.parametrize("protocols", SETS, ids=" ".join)
def test_exactly_the_set_is_spoken(
    protocols: tuple[str, ...], policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(evolve(policy, protocols=protocols), "imap")
    for only in ALL_VERSIONS:
        agreed = version(shake_hands(server, client(ca, only)))
        assert agreed == (only if only in protocols else None)


@pytest.mark.parametrize("protocols", SETS, ids=" ".join)
def test_the_newest_of_the_set_is_agreed_on(
    protocols: tuple[str, ...], policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(evolve(policy, protocols=protocols), "imap")
    assert version(shake_hands(server, client(ca))) == protocols[-1]


def test_a_client_below_the_set_is_told_so(policy: TlsPolicy, ca: CA) -> None:
    server = server_context(policy, "imap")
    assert shake_hands(server, client(ca, "TLSv1.1")) == Alert(70)  # protocol_version


def test_a_client_inside_a_gap_declines_what_is_below_it(
    policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(evolve(policy, protocols=("TLSv1", "TLSv1.3")), "imap")
    outcome = shake_hands(server, client(ca, "TLSv1.2"))
    assert outcome == Declined("UNSUPPORTED_PROTOCOL")


def test_order_and_repetition_say_nothing(policy: TlsPolicy, ca: CA) -> None:
    protocols = ("TLSv1.3", "TLSv1.2", "TLSv1.3")
    server = server_context(evolve(policy, protocols=protocols), "imap")
    assert version(shake_hands(server, client(ca))) == "TLSv1.3"
    assert version(shake_hands(server, client(ca, "TLSv1.2"))) == "TLSv1.2"


def test_dead_versions_are_known_and_leave_the_others(
    policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(evolve(policy, protocols=("SSLv3", "TLSv1.2")), "imap")
    assert version(shake_hands(server, client(ca))) == "TLSv1.2"


def test_the_security_level_falls_only_for_those_that_need_it(
    policy: TlsPolicy,
) -> None:
    levels = {
        protocols: server_context(
            evolve(policy, protocols=protocols), "imap"
        ).security_level
        for protocols in SETS
    }
    for protocols, level in levels.items():
        deprecated = "TLSv1" in protocols or "TLSv1.1" in protocols
        assert (level == 0) is deprecated


@pytest.mark.parametrize(
    ("protocols", "texts"),
    [
        (("SSLv2", "SSLv3"), ("no protocol is left that OpenSSL can speak",)),
        ((), ("no protocol is left that OpenSSL can speak",)),
        (("TLSv1.4", "TLSv1.2"), ('unknown protocol "TLSv1.4"',)),
        (
            ("tlsv1.2",),
            (
                'unknown protocol "tlsv1.2"',
                "no protocol is left that OpenSSL can speak",
            ),
        ),
    ],
)
def test_sets_that_cannot_be(
    protocols: tuple[str, ...], texts: tuple[str, ...], policy: TlsPolicy
) -> None:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(evolve(policy, protocols=protocols), "imap")
    assert tuple(p.text for p in caught.value.problems) == texts
    assert {p.directive for p in caught.value.problems} == {"ssl_protocols"}


def test_a_python_that_hides_openssl_refuses_what_it_cannot_hold(
    policy: TlsPolicy, ca: CA
) -> None:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(
            evolve(policy, protocols=("TLSv1", "TLSv1.3")), "imap", openssl=None
        )
    (problem,) = caught.value.problems
    assert problem.text == "this Python cannot be held to TLSv1 TLSv1.3"
    assert "Debian's python3" in problem.remedy
    server = server_context(policy, "imap", openssl=None)
    assert version(shake_hands(server, client(ca, "TLSv1.1"))) is None


@pytest.mark.parametrize(
    ("protocols", "texts"),
    [
        (("TLSv1.2", "TLSv1.3"), ()),
        (
            ("SSLv2", "SSLv3", "TLSv1.2"),
            (
                "SSLv2 is known, but OpenSSL cannot speak it",
                "SSLv3 is known, but OpenSSL cannot speak it",
            ),
        ),
        (
            ("TLSv1", "TLSv1.2"),
            ("TLSv1 is deprecated, and lowers OpenSSL's security level to 0",),
        ),
        (("TLSv1.4",), ()),
    ],
)
def test_accepted_versions_that_deserve_a_warning(
    protocols: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    assert tuple(warning.text for warning in version_warnings(protocols)) == texts
