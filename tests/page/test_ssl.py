"""``ssl``, and what the module is for."""

import sys
from collections.abc import Iterator
from pathlib import Path
from ssl import SSLError

import pytest
from trustme import CA, KeyType

from tests.interop.machine import run
from tests.interop.people import ALICE
from tests.page.site import Server, Site, site
from tests.page.visit import greeting, visit, visitor

pytestmark = pytest.mark.process

GREETINGS = {"imap": b"* OK ", "pop3": b"+OK ", "smtp": b"220 "}

USERS_CA = CA()

AS_FOR_HTTP = """\
ssl_certificate = "cert.pem"
ssl_certificate_key = "cert.key"
ssl_ciphers = "AES128-SHA:AES256-SHA:RC4-SHA:DES-CBC3-SHA:RC4-MD5"
ssl_prefer_server_ciphers = "on"
ssl_protocols = "TLSv1 TLSv1.1 TLSv1.2"
ssl_session_cache = "shared:SSL:10m"
ssl_session_timeout = "10m"
"""
"""The example of the documentation of the HTTP module, and its directives."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    users_ca = directory / "users.ca.pem"
    users_ca.write_bytes(USERS_CA.cert_pem.bytes())
    servers: dict[str, Server] = {
        **{f"{protocol} on": {"protocol": protocol} for protocol in GREETINGS},
        "off": {"ssl": "off"},
        "for users": {
            "ssl_verify_client": "on",
            "ssl_client_certificate": str(users_ca),
        },
    }
    with site(directory, servers, ssl="on") as running:
        yield running


@pytest.mark.parametrize("protocol", GREETINGS)
def test_module_enables_tls_for_pop3_imap_and_smtp(
    gateway: Site, protocol: str
) -> None:
    """This module enables SSL/TLS support for POP3/IMAP/SMTP."""
    said = run(
        *("curl", "--silent", "--show-error", "--verbose", "--cacert", gateway.ca),
        *("--user", f"{ALICE.name}:{ALICE.password}"),
        f"{protocol}s://localhost:{gateway.ports[f'{protocol} on']}/",
        *(("--request", "NOOP") if protocol == "smtp" else ()),
    )
    assert "SSL connection using TLSv1.3" in said
    assert {"imap": "INBOX", "pop3": "1 ", "smtp": "235 2.7.0"}[protocol] in said


def test_settings_are_those_of_the_http_module(tmp_path: Path) -> None:
    """The settings are basically those of the HTTP SSL module."""
    leaf = CA().issue_cert("localhost", key_type=KeyType.RSA)
    (tmp_path / "cert.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    (tmp_path / "cert.key").touch(mode=0o600)
    (tmp_path / "cert.key").write_bytes(leaf.private_key_pem.bytes())
    server = 'listen = "127.0.0.1:993 ssl"\nproxy_pass = "127.0.0.1:143"\n'
    file = tmp_path / "mail.toml"
    file.write_text(f"[[mail.server]]\n{server}{AS_FOR_HTTP}")
    said = run(sys.executable, "-m", "mailssl_trio", "check", file)
    assert said.endswith(": ok\n")


def test_certificates_of_clients_are_verified(gateway: Site) -> None:
    """Overtaken: the page says that they cannot be."""
    client = visitor(gateway.ca)
    stranger = visit(gateway, "for users", client)
    assert stranger.said == b"* BYE No required SSL certificate\r\n"
    USERS_CA.issue_cert("alice@example.org").configure_cert(client)
    assert visit(gateway, "for users", client).said.startswith(b"* OK ")


@pytest.mark.parametrize("protocol", GREETINGS)
def test_on_enables_tls_for_this_virtual_server(gateway: Site, protocol: str) -> None:
    """Enables SSL/TLS support for this virtual server, from the first octet on."""
    seen = visit(gateway, f"{protocol} on", visitor(gateway.ca))
    assert seen.said.startswith(GREETINGS[protocol])


def test_off_in_a_server_takes_back_what_mail_has_enabled(gateway: Site) -> None:
    """Context: mail, server."""
    assert greeting(gateway, "off").startswith(b"* OK ")
    with pytest.raises(SSLError):
        visit(gateway, "off", visitor(gateway.ca))


@pytest.mark.parametrize("name", ["nothing", "nothing of pop3", "nothing of smtp"])
def test_default_is_off(default: Site, name: str) -> None:
    """Default: off."""
    assert greeting(default, name).startswith(GREETINGS[default.protocols[name]])
