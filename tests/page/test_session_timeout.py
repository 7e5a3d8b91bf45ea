"""``ssl_session_timeout``: how long a client may come back."""

import time
from collections.abc import Iterator

import pytest

from tests.page.site import Site, site
from tests.page.visit import visit, visitor

pytestmark = pytest.mark.process

TIMEOUT = 3


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    servers = {
        "builtin": {"ssl": True, "ssl_session_cache": "builtin"},
        "shared": {"ssl": True, "ssl_session_cache": "shared:SSL:1m"},
        "longer": {
            "ssl": True,
            "ssl_session_cache": "builtin",
            "ssl_session_timeout": "1h",
        },
    }
    directory = tmp_path_factory.mktemp("site")
    with site(directory, servers, ssl_session_timeout=TIMEOUT) as running:
        yield running


def test_it_is_the_time_during_which_a_client_can_repeatedly_use_a_session(
    gateway: Site,
) -> None:
    """Assigns the time during which a client can repeatedly use the parameters.

    Repeatedly: as often as it likes. And during that time only: the newest session
    that came of it ends when the first would have.
    """
    clients = {
        (name, version): visitor(gateway.ca, version)
        for name in ("builtin", "shared")
        for version in ("TLSv1.2", "TLSv1.3")
    }

    def come_back() -> list[bool]:
        visits = {
            (name, version): visit(gateway, name, client, sessions[name, version])
            for (name, version), client in clients.items()
        }
        sessions.update({who: each.session for who, each in visits.items()})
        return [each.resumed for each in visits.values()]

    sessions = dict.fromkeys(clients)
    began = time.monotonic()
    assert not any(come_back())
    while time.monotonic() < began + TIMEOUT - 1.2:  # OpenSSL counts whole seconds
        assert all(come_back())
        time.sleep(0.1)
    time.sleep(began + TIMEOUT + 0.3 - time.monotonic())
    assert not any(come_back())


def lifetime(gateway: Site, name: str) -> int:
    """Return what clients are told: the lifetime of RFC 8446 section 4.6.1."""
    session = visit(gateway, name, visitor(gateway.ca, "TLSv1.3")).session
    assert session is not None
    return session.ticket_lifetime_hint


def test_default_is_five_minutes(default: Site) -> None:
    """Default: 5m."""
    assert lifetime(default, "builtin") == 300


def test_it_may_be_set_for_mail_and_for_a_server(gateway: Site) -> None:
    """Context: mail, server."""
    assert lifetime(gateway, "shared") == TIMEOUT
    assert lifetime(gateway, "longer") == 3600
