"""What was judged once is handed down, and gives the same again without the disk."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.files import Content, Files
from tests.config.site import Site

DOCUMENT = """
error_log = "log/mail.log"
pid = "run/mail.pid"
[mail]
users = "users.toml"
ssl_certificate = ["rsa.pem", "ecdsa.pem"]
ssl_certificate_key = ["locked.key", "ecdsa.pem"]
ssl_password_file = "passphrases"
ssl_dhparam = "dh.pem"
ssl_conf_command = "VerifyCAFile ca.pem"
ssl_session_tickets = true
ssl_session_ticket_key = "new.key"
ssl_verify_client = true
ssl_client_certificate = "ca.pem"
ssl_crl = "crl.pem"
[[mail.server]]
listen = "127.0.0.1:143"
starttls = "only"
proxy_pass = "embedded"
[[mail.server]]
listen = "127.0.0.1:993 ssl"
proxy_pass = "10.0.0.1"
proxy_ssl = true
proxy_ssl_trusted_certificate = "ca.pem"
proxy_ssl_certificate = "rsa.pem"
proxy_ssl_certificate_key = "rsa.key"
"""


@pytest.fixture
def judged(stocked: Site) -> tuple[Config, Files]:
    """A configuration, and what was read for it."""
    for name in ("log", "run"):
        (stocked.directory / name).mkdir()
    files = Files()
    stocked.file.write_text(DOCUMENT)
    return load(stocked.file, environment={}, files=files), files


def wipe(directory: Path) -> None:
    for file in directory.iterdir():
        if file.is_dir():
            file.rmdir()
        else:
            file.unlink()


def test_all_that_is_named_is_read_through_one_object(
    judged: tuple[Config, Files],
) -> None:
    _, files = judged
    assert {path.name for path in files.known} == {
        "mail.toml",
        "users.toml",
        "rsa.pem",
        "rsa.key",
        "ecdsa.pem",
        "locked.key",
        "passphrases",
        "dh.pem",
        "new.key",
        "ca.pem",
        "crl.pem",
    }


def test_worker_has_the_same_configuration_though_the_disk_is_empty(
    site: Site, judged: tuple[Config, Files]
) -> None:
    config, files = judged
    wipe(site.directory)
    handed_down = Files(files.known, origins=files.origins, on_disk=False)
    again = load(
        site.file,
        state_directory=config.state_directory,
        environment={},
        files=handed_down,
    )
    assert again == config


def test_what_was_not_handed_down_is_missing_though_it_lies_there(
    site: Site, judged: tuple[Config, Files]
) -> None:
    _, files = judged
    known = {path: what for path, what in files.known.items() if path == site.file}
    with pytest.raises(ConfigError) as wrong:
        load(site.file, environment={}, files=Files(known, on_disk=False))
    assert "mail.users" in {problem.path for problem in wrong.value.problems}


def test_worker_that_comes_when_the_crl_has_ended_is_as_good_as_the_others(
    site: Site, judged: tuple[Config, Files], in_stock: Mapping[str, bytes]
) -> None:
    config, files = judged
    crl = site.directory / "crl.pem"
    handed_down = Files(
        {**files.known, crl: Content(in_stock["old-crl.pem"])}, on_disk=False
    )
    again = load(
        site.file,
        state_directory=config.state_directory,
        environment={},
        files=handed_down,
    )
    assert again.servers == config.servers
