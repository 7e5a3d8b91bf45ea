"""Keys that others can read: nginx serves with them, so its configuration does here."""

from pathlib import Path

import pytest
import trustme

from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.files import Files
from mailssl_trio.supervision.judging import judge
from tests.config.nginx.site import Site

CONFIGURATION = """\
events {}
mail {
    auth_http 127.0.0.1:1/auth;
    ssl_certificate cert.pem;
    ssl_certificate_key key.pem;
    ssl_session_ticket_key ticket.key;
    server { listen 127.0.0.1:993 ssl; protocol imap; }
}
"""


@pytest.fixture
def exposed(nginx: Site) -> Site:
    pair = trustme.CA().issue_cert("mail.example.org")
    (nginx.directory / "cert.pem").write_bytes(pair.cert_chain_pems[0].bytes())
    (nginx.directory / "key.pem").write_bytes(pair.private_key_pem.bytes())
    (nginx.directory / "ticket.key").write_bytes(bytes(range(80)))
    for name in ("key.pem", "ticket.key"):
        (nginx.directory / name).chmod(0o644)
    nginx.write(CONFIGURATION)
    return nginx


def test_configuration_of_nginxs_works_and_the_keys_are_named(
    exposed: Site, tmp_path: Path
) -> None:
    files = Files()
    config = load(exposed.file, state_directory=tmp_path / "var", files=files)
    told = [str(warning) for warning in config.warnings if "every user" in str(warning)]
    place, key = f"{exposed.file}", f"{exposed.directory}"
    assert told == [
        f"{place}:5: warning: mail.ssl_certificate_key: {key}/key.pem is open to every"
        f" user (mode 0644); it holds secrets: chmod o-rwx {key}/key.pem",
        f"{place}:6: warning: mail.ssl_session_ticket_key: {key}/ticket.key is open to"
        f" every user (mode 0644); it holds secrets: chmod o-rwx {key}/ticket.key",
    ]
    judged = judge(config, files)
    assert judged.tls.known[exposed.directory / "key.pem"].mode == 0o640


def test_translation_is_held_to_our_rules(exposed: Site) -> None:
    text = exposed.imported_file().text
    file = exposed.write(text, "mail.toml")
    with pytest.raises(ConfigError, match=r"key\.pem is open to every user"):
        load(file)


def test_key_that_is_nobodys_else_is_not_spoken_of(exposed: Site) -> None:
    for name in ("key.pem", "ticket.key"):
        (exposed.directory / name).chmod(0o640)
    assert not [one for one in load(exposed.file).warnings if "user" in one.text]
