"""The effective configuration, read again, means the same."""

from pathlib import Path

from attrs import evolve

from mailssl_trio.config.effective import as_toml
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from tests.config.site import Site

EVERYTHING = """
error_log = "mail log notice"
state_directory = "state"
worker_shutdown_timeout = "1h30m"
worker_processes = 3
pid = "mail.pid"
[mail]
server_name = "mx.example.org"
timeout = "1s500ms"
proxy_timeout = "2d"
proxy_connect_timeout = 7
max_errors = 0
ssl_certificate = "cert.pem"
ssl_certificate_key = "key.pem"
ssl_protocols = "TLSv1.3 TLSv1.2"
ssl_ciphers = "HIGH"
ssl_prefer_server_ciphers = true
users = "users.toml"
smtp_capabilities = ["SIZE 10485760", "8BITMIME"]
[[mail.server]]
listen = ["127.0.0.1:143", "[::1]:993 ssl"]
starttls = "only"
imap_auth = "plain login"
proxy_pass = "unix:imap.sock"
[[mail.server]]
listen = "localhost:995 ssl"
proxy_pass = "mx.example.org"
proxy_ssl = "on"
proxy_ssl_trusted_certificate = "cert.pem"
proxy_ssl_name = "mail.example.org"
pop3_capabilities = []
[[mail.server]]
listen = "127.0.0.1:587"
proxy_pass = "[2001:db8::1]:25"
proxy_ssl = "starttls"
proxy_ssl_verify = false
[[mail.server]]
listen = "127.0.0.1:1143"
protocol = "imap"
ssl = true
ssl_certificate = "development"
proxy_pass = "embedded"
"""


def essence(config: Config) -> Config:
    """Return what a configuration means, without where it was written."""
    servers = tuple(evolve(server, name="") for server in config.servers)
    return evolve(config, file=Path(), servers=servers)


def test_effective_configuration_means_the_same(site: Site) -> None:
    config = site.load(EVERYTHING)
    beside = site.directory / "effective.toml"
    beside.write_text(as_toml(config))
    again = load(beside)
    assert again.warnings == ()
    assert essence(again) == essence(evolve(config, warnings=()))
    assert as_toml(again) == as_toml(config)


def test_shipped_configuration_is_right_and_shown_as_the_same(tmp_path: Path) -> None:
    config = load(Path(__file__).parents[2] / "conf" / "mail.toml")
    assert config.warnings == ()
    (tmp_path / "shown.toml").write_text(as_toml(config))
    assert essence(load(tmp_path / "shown.toml")) == essence(config)


def test_inheritance_is_applied_and_defaults_are_written_out(site: Site) -> None:
    config = site.load(
        """
        state_directory = "/var/lib/mailssl"
        [mail]
        server_name = "mx"
        timeout = "5m"
        [[mail.server]]
        listen = 110
        proxy_pass = "10.0.0.1"
        """
    )
    assert (
        as_toml(config)
        == """\
error_log = "stderr error"
state_directory = "/var/lib/mailssl"
worker_processes = 1

[[mail.server]]
listen = "0.0.0.0:110"
protocol = "pop3"
server_name = "mx"
max_errors = 5
pop3_capabilities = "TOP USER UIDL"
pop3_auth = "plain"
timeout = "5m"
proxy_timeout = "1d"
proxy_connect_timeout = "1m"
starttls = "off"
proxy_pass = "10.0.0.1:110"
proxy_ssl = "off"
"""
    )
