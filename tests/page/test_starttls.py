"""``starttls``, as clients meet it that ask for it."""

from collections.abc import Iterator
from contextlib import closing
from imaplib import IMAP4
from poplib import POP3, error_proto
from smtplib import SMTP

import pytest

from tests.interop.machine import PATIENCE
from tests.interop.people import ALICE
from tests.page.site import Site, site
from tests.page.visit import answer_to_starttls, visit, visitor

pytestmark = pytest.mark.process

PROTOCOLS = ("imap", "pop3", "smtp")
REFUSALS = {"imap": b"a BAD", "pop3": b"-ERR", "smtp": b"50"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    servers = {
        f"{protocol} {word}": {"protocol": protocol, "starttls": word}
        for protocol in PROTOCOLS
        for word in ("on", "off", "only")
    }
    servers["inherited"] = {"protocol": "imap"}
    with site(tmp_path_factory.mktemp("site"), servers, starttls="only") as running:
        yield running


def imap(site: Site, name: str) -> IMAP4:
    return IMAP4("localhost", site.ports[name], timeout=PATIENCE)


def pop3(site: Site, name: str) -> closing[POP3]:
    return closing(POP3("localhost", site.ports[name], timeout=PATIENCE))


def smtp(site: Site, name: str) -> SMTP:
    client = SMTP("localhost", site.ports[name], timeout=PATIENCE)
    client.ehlo()
    return client


@pytest.mark.parametrize("word", ["on", "only"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_on_permits_the_use_of_stls_and_starttls(
    gateway: Site, protocol: str, word: str
) -> None:
    """on: permit the use of commands STLS for POP3 and STARTTLS for IMAP/SMTP."""
    name = f"{protocol} {word}"
    assert visit(gateway, name, visitor(gateway.ca), in_line=True).version == "TLSv1.3"


def test_on_does_not_require_it(gateway: Site) -> None:
    """on: permit, and no more: who logs in without is let in."""
    with imap(gateway, "imap on") as client:
        assert "STARTTLS" in client.capabilities
        client.login(ALICE.name, ALICE.password)
    with pop3(gateway, "pop3 on") as reader:
        assert "STLS" in reader.capa()
        reader.user(ALICE.name)
        reader.pass_(ALICE.password)
    with smtp(gateway, "smtp on") as mailer:
        assert mailer.has_extn("starttls")
        mailer.login(ALICE.name, ALICE.password)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_off_does_not_allow_stls_nor_starttls(gateway: Site, protocol: str) -> None:
    """off: do not allow command STLS/STARTTLS."""
    answer = answer_to_starttls(gateway, f"{protocol} off")
    assert answer.startswith(REFUSALS[protocol])


def test_off_does_not_announce_them(gateway: Site) -> None:
    """off: nor would anybody know of them."""
    with imap(gateway, "imap off") as client:
        assert "STARTTLS" not in client.capabilities
    with pop3(gateway, "pop3 off") as reader:
        assert "STLS" not in reader.capa()
    with smtp(gateway, "smtp off") as mailer:
        assert not mailer.has_extn("starttls")


@pytest.mark.parametrize("name", ["nothing", "nothing of pop3", "nothing of smtp"])
def test_default_is_off(default: Site, name: str) -> None:
    """Default: off."""
    answer = answer_to_starttls(default, name)
    assert answer.startswith(REFUSALS[default.protocols[name]])


@pytest.mark.parametrize("name", ["imap only", "inherited"])
def test_only_announces_starttls_of_imap_and_requires_tls(
    gateway: Site, name: str
) -> None:
    """only: announce STARTTLS support and require that clients use TLS encryption.

    Context: mail, server.
    """
    with imap(gateway, name) as client:
        assert {"STARTTLS", "LOGINDISABLED"} <= set(client.capabilities)
        with pytest.raises(IMAP4.error, match="PRIVACYREQUIRED"):
            client.login(ALICE.name, ALICE.password)
        client.starttls(visitor(gateway.ca))
        client.login(ALICE.name, ALICE.password)


def test_only_announces_stls_of_pop3_and_requires_tls(gateway: Site) -> None:
    """only: announce STLS support and require that clients use TLS encryption."""
    with pop3(gateway, "pop3 only") as client:
        assert "STLS" in client.capa()
        assert "USER" not in client.capa()
        with pytest.raises(error_proto, match="-ERR"):
            client.user(ALICE.name)
        client.stls(visitor(gateway.ca))
        client.user(ALICE.name)
        client.pass_(ALICE.password)


def test_only_announces_starttls_of_smtp_and_requires_tls(gateway: Site) -> None:
    """only: announce STARTTLS support and require that clients use TLS encryption."""
    with smtp(gateway, "smtp only") as client:
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        assert client.docmd("MAIL", f"FROM:<{ALICE.name}>")[0] == 530
        assert client.docmd("AUTH", f"PLAIN {ALICE.sasl_plain}")[0] == 530
        client.starttls(context=visitor(gateway.ca))
        client.login(ALICE.name, ALICE.password)
