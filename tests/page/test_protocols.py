"""``ssl_protocols``: exactly those that are named."""

from collections.abc import Iterator
from ssl import SSLError

import pytest

from tests.page.site import Site, site
from tests.page.visit import visit, visitor

pytestmark = pytest.mark.process

VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

SPOKEN = {
    "SSLv2 SSLv3 TLSv1": ["TLSv1"],  # the page's own default
    "TLSv1.1": ["TLSv1.1"],
    "TLSv1.2": ["TLSv1.2"],
    "TLSv1.3": ["TLSv1.3"],
    "TLSv1 TLSv1.3": ["TLSv1", "TLSv1.3"],
    "TLSv1.1 TLSv1.2": ["TLSv1.1", "TLSv1.2"],
    "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3": list(VERSIONS),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    servers = {words: {"ssl": True, "ssl_protocols": words} for words in SPOKEN}
    servers["inherited"] = {"ssl": True}
    servers["in line"] = {"starttls": "only"}
    with site(
        tmp_path_factory.mktemp("site"), servers, ssl_protocols="TLSv1.2"
    ) as running:
        yield running


def spoken(gateway: Site, name: str, *, in_line: bool = False) -> list[str]:
    """Return the versions of which clients that know one only are served."""
    served = []
    for version in VERSIONS:
        try:
            client = visitor(gateway.ca, version)
            seen = visit(gateway, name, client, in_line=in_line)
        except SSLError:
            continue
        assert seen.version == version
        served.append(version)
    return served


@pytest.mark.parametrize("words", SPOKEN)
def test_directive_enables_the_protocols_indicated(gateway: Site, words: str) -> None:
    """The directive enables the protocols indicated, and no other between them."""
    assert spoken(gateway, words) == SPOKEN[words]


def test_protocols_of_mail_are_those_of_a_server_without_its_own(
    gateway: Site,
) -> None:
    """Context: mail, server."""
    assert spoken(gateway, "inherited") == ["TLSv1.2"]
    assert spoken(gateway, "in line", in_line=True) == ["TLSv1.2"]


def test_default_is_what_may_still_be_spoken(default: Site) -> None:
    """Overtaken: the default was SSLv2 SSLv3 TLSv1 (RFC 6176, 7568 and 8996)."""
    assert spoken(default, "ssl on") == ["TLSv1.2", "TLSv1.3"]
