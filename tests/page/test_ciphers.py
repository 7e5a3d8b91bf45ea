"""``ssl_ciphers`` and ``ssl_prefer_server_ciphers``."""

from collections.abc import Iterator
from ssl import SSLContext, SSLError

import pytest

from tests.page.site import Server, Site, site
from tests.page.visit import visit, visitor

pytestmark = pytest.mark.process

ONE = "ECDHE-ECDSA-AES128-GCM-SHA256"
OTHER = "ECDHE-ECDSA-CHACHA20-POLY1305"

DEFAULT_OF_THE_PAGE = "ALL:!ADH:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    ssl: Server = {"ssl": True}
    both = f"{ONE}:{OTHER}"
    servers = {
        "inherited": ssl,
        "own": {**ssl, "ssl_ciphers": OTHER},
        "in a format": {**ssl, "ssl_ciphers": "kEECDH+AESGCM:!AES256:@STRENGTH"},
        "the page's": {**ssl, "ssl_ciphers": DEFAULT_OF_THE_PAGE},
        "off": {**ssl, "ssl_ciphers": both, "ssl_prefer_server_ciphers": "off"},
        "on": {**ssl, "ssl_ciphers": both, "ssl_prefer_server_ciphers": "on"},
        "inherited on": {**ssl, "ssl_ciphers": both},
    }
    directory = tmp_path_factory.mktemp("site")
    with site(
        directory, servers, ssl_ciphers=ONE, ssl_prefer_server_ciphers="on"
    ) as running:
        yield running


def client(gateway: Site, ciphers: str) -> SSLContext:
    """Return a client of TLS 1.2, the last version that these are for."""
    return visitor(gateway.ca, "TLSv1.2", ciphers=ciphers)


def agreed(gateway: Site, name: str, ciphers: str) -> str | None:
    """Return the cipher that is agreed on, None if there is none."""
    try:
        return visit(gateway, name, client(gateway, ciphers)).cipher
    except SSLError:
        return None


def test_directive_describes_the_permitted_ciphers(gateway: Site) -> None:
    """Describes the permitted ciphers. Context: mail, server."""
    assert agreed(gateway, "inherited", ONE) == ONE
    assert agreed(gateway, "inherited", OTHER) is None
    assert agreed(gateway, "own", OTHER) == OTHER
    assert agreed(gateway, "own", ONE) is None


def test_ciphers_are_assigned_in_the_formats_of_openssl(gateway: Site) -> None:
    """Ciphers are assigned in the formats supported by OpenSSL: openssl-ciphers(1)."""
    assert agreed(gateway, "in a format", "ALL") == ONE
    assert agreed(gateway, "in a format", f"ALL:!{ONE}") is None


def test_default_of_the_page_is_accepted_without_what_protects_nobody(
    gateway: Site,
) -> None:
    """Overtaken as a default: it asks for RC4, export ciphers and those of SSLv2."""
    assert agreed(gateway, "the page's", ONE) == ONE
    assert agreed(gateway, "the page's", "aNULL:eNULL:@SECLEVEL=0") is None


@pytest.mark.parametrize("word", ["off", "default"])
def test_without_it_the_clients_ciphers_are_preferred(
    gateway: Site, default: Site, word: str
) -> None:
    """Default: off."""
    server = (default, "ssl on") if word == "default" else (gateway, "off")
    assert agreed(*server, f"{ONE}:{OTHER}") == ONE
    assert agreed(*server, f"{OTHER}:{ONE}") == OTHER


@pytest.mark.parametrize("name", ["on", "inherited on"])
def test_with_it_server_ciphers_are_preferred_over_the_clients(
    gateway: Site, name: str
) -> None:
    """Requires that server ciphers be preferred over the client's ciphers.

    Context: mail, server.
    """
    assert agreed(gateway, name, f"{ONE}:{OTHER}") == ONE
    assert agreed(gateway, name, f"{OTHER}:{ONE}") == ONE
