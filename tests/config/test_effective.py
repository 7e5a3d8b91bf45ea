"""The effective configuration, read again, means the same."""

import os
import tomllib
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailssl_trio.config.directives import SERVER, TOP
from mailssl_trio.config.effective import as_toml
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError
from tests.config.site import Site

EVERYTHING = """
error_log = "mail log notice"
access_log = ["access log json", "syslog:server=log,severity=notice,tag=mail nginx"]
state_directory = "state"
worker_shutdown_timeout = "1h30m"
worker_processes = 3
worker_rlimit_nofile = 4096
worker_connections = 10000
worker_login_connections = 500
user = "nobody"
pid = "mail.pid"
control = "control.sock"
[mail]
server_name = "mx.example.org"
timeout = "1s500ms"
proxy_timeout = "2d"
proxy_connect_timeout = 7
max_errors = 0
ssl_certificate = ["rsa.pem", "ecdsa.pem"]
ssl_certificate_key = ["locked.key", "ecdsa.pem"]
ssl_password_file = "passphrases"
ssl_protocols = "TLSv1.3 TLSv1.2"
ssl_ciphers = "HIGH"
ssl_prefer_server_ciphers = true
ssl_dhparam = "dh.pem"
ssl_ecdh_curve = "prime256v1:X25519"
ssl_conf_command = ["Options -MiddleboxCompat", "VerifyCAFile ca.pem"]
ssl_session_cache = "builtin:1000 shared:SSL:10m"
ssl_session_timeout = "1h30m"
ssl_session_tickets = true
ssl_session_ticket_key = ["new.key", "old.key"]
ssl_verify_client = "optional"
ssl_client_certificate = "ca.pem"
ssl_trusted_certificate = "ca.pem"
ssl_verify_depth = 2
ssl_crl = "crl.pem"
smtp_capabilities = ["SIZE 10485760", "8BITMIME"]
access = ["deny 192.0.2.1", "allow 192.0.2.0/24", "allow unix:", "deny all"]
limit_conn = ["address 20", "user 10", "user+address 5"]
limit_login = ["address 20 time=1h ban=1d", "user+address 5 delay=500ms"]
limit_exempt = "10.0.0.0/8 2001:db8::/32 unix:"
[[mail.server]]
listen = [
    "127.0.0.1:143 so_keepalive=off", "[::1]:993 ssl", "unix:/run/imap",
    "[::]:2000-2005 backlog=9 rcvbuf=64k sndbuf=1m ipv6only=off so_keepalive=30m::10",
]
starttls = "only"
imap_auth = "plain login"
imap_client_buffer = "16k"
proxy_pass = "unix:imap.sock"
proxy_protocol = "on"
proxy_pass_error_message = true
xclient = false
users = "users.toml"
[[mail.server]]
listen = "localhost:995 ssl"
error_log = [
    "pop3.log info", "syslog:server=[::1]:5140,facility=mail,tag=pop3,nohostname"
]
access_log = "off"
proxy_pass = "mx.example.org"
proxy_ssl = "on"
proxy_ssl_trusted_certificate = "cert.pem"
proxy_ssl_name = "mail.example.org"
proxy_ssl_certificate = "rsa.pem"
proxy_ssl_certificate_key = "rsa.key"
proxy_ssl_protocols = "TLSv1.2"
proxy_ssl_ciphers = "HIGH"
proxy_ssl_session_reuse = false
pop3_capabilities = []
users = "users.toml"
[[mail.server]]
resolver = "192.0.2.1 [2001:db8::1]:5353 valid=30s ipv6=off"
resolver_timeout = "5s"
listen = "127.0.0.1:587 proxy_protocol"
smtp_auth = "login plain"
smtp_greeting_delay = "1s500ms"
smtp_client_buffer = "4k"
set_real_ip_from = "10.0.0.0/8 2001:db8::1 unix:"
proxy_smtp_auth = false
proxy_protocol = "v2"
proxy_buffer = "16k"
xclient = true
proxy_pass = "[2001:db8::1]:25"
proxy_ssl = "starttls"
proxy_ssl_verify = false
users = "users.toml"
[[mail.server]]
listen = "127.0.0.1:1143"
protocol = "imap"
ssl = true
ssl_certificate = "development"
ssl_session_cache = ["shared:a zone:1m"]
ssl_verify_client = false
proxy_pass = "embedded"
users = "users.toml"
[[mail.server]]
listen = "127.0.0.1:1995 ssl"
protocol = "pop3"
auth_http = "https://auth.example.org:8443/mail?x"
auth_http_header = ["X-Key secret", "X-Other two words"]
auth_http_timeout = "2s"
auth_http_pass_client_cert = true
auth_http_ssl_trusted_certificate = "ca.pem"
proxy_ssl_name = "mail.example.org"
[[mail.server]]
listen = "127.0.0.1:1996"
protocol = "pop3"
auth_http = "unix:auth.sock:/mail"
"""


def essence(config: Config) -> Config:
    """Return what a configuration means, without where it was written."""
    servers = tuple(evolve(server, name="") for server in config.servers)
    return evolve(config, file=Path(), servers=servers)


def shown_again(config: Config, site: Site, *, secrets: bool = False) -> Config:
    """Return what is read from what is shown."""
    beside = site.directory / "effective.toml"
    beside.touch(0o600)
    beside.write_text(as_toml(config, secrets=secrets))
    return load(beside)


def test_effective_configuration_means_the_same(stocked: Site) -> None:
    config = stocked.load(EVERYTHING)
    again = shown_again(config, stocked, secrets=True)
    assert again.warnings == ()
    assert essence(again) == essence(evolve(config, warnings=()))
    assert as_toml(again) == as_toml(config)


def test_everything_that_there_is_to_set_is_shown(stocked: Site) -> None:
    shown = as_toml(stocked.load(EVERYTHING))
    written = {line.partition(" ")[0] for line in shown.splitlines()}
    of_root = {"user"} if os.geteuid() else set[str]()
    assert SERVER | TOP - {"ssl", "mail"} <= written | {"ssl"} | of_root


GOOD_LINES = {
    "cache": [
        "off",
        "none",
        "builtin",
        "builtin:5",
        "shared:a:1m builtin",
        "shared:b:33k",
    ],
    "timeout": ["1", "5m", "7d"],
    "tickets": ["on", "off"],
    "verify": ["on", "off", "optional", "optional_no_ca"],
    "protocols": ["TLSv1.2", "TLSv1.3", "TLSv1.3 TLSv1.2"],
    "proxy": ["on", "off", "starttls"],
    "proxy_verify": ["on", "off"],
}


@given(st.fixed_dictionaries({k: st.sampled_from(v) for k, v in GOOD_LINES.items()}))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_idle_is_left_out_and_nothing_else(
    stocked: Site, chosen: dict[str, str]
) -> None:
    towards_backend = """
        proxy_ssl_verify = "{proxy_verify}"
        proxy_ssl_trusted_certificate = "ca.pem"
        proxy_ssl_certificate = "ecdsa.pem"
        """
    if chosen["proxy"] == "off" or chosen["proxy_verify"] == "off":
        towards_backend = ""
    config = stocked.load(
        f"""
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "ecdsa.pem"
        ssl_session_cache = "{{cache}}"
        ssl_session_timeout = "{{timeout}}"
        ssl_session_tickets = "{{tickets}}"
        ssl_session_ticket_key = ["new.key", "old.key"]
        ssl_verify_client = "{{verify}}"
        ssl_client_certificate = "ca.pem"
        ssl_verify_depth = 3
        ssl_crl = "crl.pem"
        ssl_protocols = "{{protocols}}"
        ssl_dhparam = "dh.pem"
        proxy_ssl = "{{proxy}}"
        {towards_backend}
        [[mail.server]]
        listen = "127.0.0.1:143"
        starttls = "only"
        """.format(**chosen)
    )
    again = shown_again(config, stocked)
    assert again.warnings == ()
    assert essence(again) == essence(evolve(config, warnings=()))


def test_key_that_stands_in_the_configuration_is_shown_only_when_asked_for(
    site: Site, pem: tuple[str, str]
) -> None:
    certificate, key = pem
    site.file.touch(0o600)
    config = site.load(
        f"[mail]\nproxy_pass = 'mx'\nproxy_ssl = true\n[[mail.server]]\n"
        f"listen = '127.0.0.1:993 ssl'\n"
        f'ssl_certificate = """data:{certificate}"""\n'
        f'ssl_certificate_key = """data:{key}"""\n'
        f'proxy_ssl_certificate = """data:{key}{certificate}"""\n'
    )
    shown = as_toml(config)
    assert "PRIVATE KEY" not in shown
    assert tomllib.loads(shown)["mail"]["server"][0]["ssl_certificate_key"] == (
        "data:hidden"
    )
    assert essence(shown_again(config, site, secrets=True)) == essence(config)
    with pytest.raises(ConfigError, match="`show --secrets` writes it out"):
        shown_again(config, site)


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
access_log = "off"
state_directory = "/var/lib/mailssl"
worker_processes = 1
worker_login_connections = 2000

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
proxy_protocol = "off"
proxy_pass_error_message = false
proxy_pass = "10.0.0.1:110"
proxy_ssl = "off"
"""
    )
