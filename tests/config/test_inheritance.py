"""What a server does not set it has from [mail], and what [mail] does not, nginx."""

import os

import pytest

from mailssl_trio.config.model import Listen, VirtualServer
from mailssl_trio.logs.syslog import Syslog
from mailssl_trio.logs.writer import ErrorLog
from mailssl_trio.protocol.introduction import ProxyPolicy, XClient
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.tls.policy import BackendTlsPolicy, Pair, TlsPolicy
from mailssl_trio.transport.address import (
    EmbeddedAddress,
    TcpAddress,
    UnixAddress,
)
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.config.site import Site


def server(site: Site, mail: str, lines: str) -> VirtualServer:
    config = site.load(
        f'[mail]\nserver_name = "mx"\n{mail}\n[[mail.server]]\n{lines}\n'
        + ("" if "proxy_pass" in mail + lines else 'proxy_pass = "10.0.0.1"\n')
        + ("" if "listen" in lines else 'listen = "127.0.0.1:143"\n')
    )
    return config.servers[0]


def test_defaults_are_those_of_nginx(site: Site) -> None:
    assert server(site, "", "") == VirtualServer(
        name=f"mail.server[0] at {site.file}:4",
        listens=(Listen("127.0.0.1", 143, ssl=False),),
        protocol="imap",
        policy=Policy(
            server_name="mx",
            starttls=StartTlsMode.OFF,
            mechanisms=("PLAIN",),
            capabilities=("IMAP4", "IMAP4rev1", "UIDPLUS"),
            max_errors=5,
        ),
        tls=None,
        timeouts=Timeouts(session=60, connect=60, relay=86400),
        users=None,
        upstream=Upstream(TcpAddress("10.0.0.1", 143)),
        proxy=ProxyPolicy(XClient.IF_OFFERED),  # nginx's `on`, where it judges itself
    )


@pytest.mark.parametrize(
    ("protocol", "capabilities", "mechanisms"),
    [
        ("imap", ("IMAP4", "IMAP4rev1", "UIDPLUS"), ("PLAIN",)),
        ("pop3", ("TOP", "USER", "UIDL"), ("PLAIN", "LOGIN")),
        ("smtp", (), ("PLAIN", "LOGIN")),
    ],
)
def test_each_protocol_offers_what_it_offers_in_nginx(
    site: Site,
    protocol: str,
    capabilities: tuple[str, ...],
    mechanisms: tuple[str, ...],
) -> None:
    policy = server(site, "", f'protocol = "{protocol}"').policy
    assert policy.capabilities == capabilities
    assert policy.mechanisms == mechanisms


@pytest.mark.parametrize(
    ("mail", "lines", "seconds"),
    [
        ("", "", 60),
        ('timeout = "5m"', "", 300),
        ('timeout = "5m"', 'timeout = "1h30m"', 5400),
        ("", "timeout = 7", 7),
    ],
)
def test_nearer_value_wins(site: Site, mail: str, lines: str, seconds: float) -> None:
    assert server(site, mail, lines).timeouts.session == seconds


def test_lists_are_replaced_as_a_whole(site: Site) -> None:
    mail = 'imap_capabilities = ["IMAP4rev1", "IDLE"]\nimap_auth = "PLAIN login"'
    inherited = server(site, mail, "").policy
    assert inherited.capabilities == ("IMAP4rev1", "IDLE")
    assert inherited.mechanisms == ("PLAIN", "LOGIN")
    assert server(site, mail, 'imap_capabilities = "ID"').policy.capabilities == ("ID",)


@pytest.mark.parametrize(
    ("mail", "lines", "ssl", "starttls"),
    [
        ('starttls = "only"', "", False, StartTlsMode.ONLY),
        ('starttls = "only"', "ssl = true", True, StartTlsMode.OFF),
        ('starttls = "only"', "ssl = false", False, StartTlsMode.ONLY),
        ("ssl = true", "", True, StartTlsMode.OFF),
        ("ssl = true", 'starttls = "ON"', False, StartTlsMode.ON),
        ("ssl = true", "starttls = false", True, StartTlsMode.OFF),
        ('ssl = "on"\nstarttls = "off"', "", True, StartTlsMode.OFF),
        ("", 'ssl = "Off"\nstarttls = true', False, StartTlsMode.ON),
    ],
)
def test_inherited_tls_gives_way_to_the_servers_own(
    site: Site, mail: str, lines: str, ssl: bool, starttls: StartTlsMode
) -> None:
    built = server(site, f'{mail}\nssl_certificate = "development"', lines)
    assert built.listens == (Listen("127.0.0.1", 143, ssl=ssl),)
    assert built.policy.starttls is starttls
    assert built.tls is not None


def test_listen_ssl_speaks_for_its_own_address_only(site: Site) -> None:
    built = server(
        site,
        'ssl_certificate = "development"',
        'listen = ["127.0.0.1:143", "[::1]:993 ssl"]\nstarttls = "only"',
    )
    assert built.listens == (Listen("127.0.0.1", 143), Listen("::1", 993, ssl=True))
    assert built.policy.starttls is StartTlsMode.ONLY


def test_certificate_and_key_are_inherited_apart(site: Site) -> None:
    mail = 'ssl_certificate = ["cert.pem"]\nssl_certificate_key = "missing.pem"'
    lines = (
        'starttls = "on"\nssl_certificate_key = "key.pem"\nssl_protocols = "tlsv1.3"'
        '\nssl_ciphers = "HIGH"\nssl_prefer_server_ciphers = "on"'
    )
    assert server(site, mail, lines).tls == TlsPolicy(
        (Pair(site.directory / "cert.pem", site.directory / "key.pem"),),
        protocols=("TLSv1.3",),
        ciphers="HIGH",
        prefer_server_ciphers=True,
    )


@pytest.mark.parametrize(
    ("listen", "protocol"),
    [
        ("143", "imap"),
        ("'127.0.0.1:993'", "imap"),
        ("'127.0.0.1:110'", "pop3"),
        ("'127.0.0.1:995'", "pop3"),
        ("'127.0.0.1:25'", "smtp"),
        ("'127.0.0.1:465'", "smtp"),
        ("'127.0.0.1:587'", "smtp"),
        ("['127.0.0.1:4430', '127.0.0.1:110', '127.0.0.1:143']", "pop3"),
    ],
)
def test_first_well_known_port_tells_the_protocol(
    site: Site, listen: str, protocol: str
) -> None:
    assert server(site, "", f"listen = {listen}").protocol == protocol
    told = server(site, "", f"listen = {listen}\nprotocol = 'SMTP'")
    assert told.protocol == "smtp"


@pytest.mark.parametrize(
    ("protocol", "proxy_ssl", "port"),
    [
        ("imap", "off", 143),
        ("imap", "starttls", 143),
        ("imap", "on", 993),
        ("pop3", "off", 110),
        ("pop3", "on", 995),
        ("smtp", "starttls", 587),
        ("smtp", "on", 465),
    ],
)
def test_backend_without_a_port_has_the_usual_one(
    site: Site, protocol: str, proxy_ssl: str, port: int
) -> None:
    lines = f"protocol = '{protocol}'\nproxy_ssl = '{proxy_ssl}'\nproxy_pass = 'mx'"
    assert server(site, "", lines).upstream == Upstream(
        TcpAddress("mx", port), ProxySsl(proxy_ssl)
    )


def test_backend_has_its_tls_settings(site: Site) -> None:
    mail = 'proxy_ssl = "on"\nproxy_ssl_name = "mail.example.org"'
    lines = 'proxy_pass = "[::1]:9993"\nproxy_ssl_trusted_certificate = "cert.pem"'
    assert server(site, mail, lines).upstream == Upstream(
        TcpAddress("::1", 9993),
        ProxySsl.ON,
        BackendTlsPolicy(
            verify=True,
            trusted_certificate=site.directory / "cert.pem",
            name="mail.example.org",
        ),
    )


def test_inherited_proxy_ssl_gives_way_where_no_wire_is(site: Site) -> None:
    mail = 'proxy_ssl = "on"\nproxy_pass = "10.0.0.1"\nusers = "users.toml"'
    within = server(site, mail, 'proxy_pass = "embedded"').upstream
    assert within == Upstream(EmbeddedAddress(), ProxySsl.OFF)
    beside = server(site, mail, 'proxy_pass = "unix:imap.sock"').upstream
    assert beside == Upstream(UnixAddress(site.directory / "imap.sock"), ProxySsl.OFF)


@pytest.mark.parametrize("address", ["embedded", "unix:/run/imap.sock"])
def test_proxy_ssl_beside_such_a_backend_is_an_error(site: Site, address: str) -> None:
    assert site.said(
        f"""
        [mail]
        users = "users.toml"
        proxy_pass = "{address}"
        proxy_ssl = "starttls"
        [[mail.server]]
        listen = "127.0.0.1:143"
        """
    ) == [
        f"4: mail.proxy_ssl: there is no TLS towards `{address}` (line 3); leave it"
        " out, or name a backend by host and port"
    ]


def test_state_directory_is_given_set_or_systemds_or_var(site: Site) -> None:
    document = (
        '{}\n[mail]\nproxy_pass = "mx"\n[[mail.server]]\nlisten = "127.0.0.1:143"\n'
    )
    unset, is_set = document.format(""), document.format('state_directory = "s"')
    beside = site.directory.parent / "var"
    assert site.load(unset).state_directory == beside
    systemd = site.load(unset, STATE_DIRECTORY="/var/lib/mailssl:/var/lib/other")
    assert str(systemd.state_directory) == "/var/lib/mailssl"
    chosen = site.load(is_set, STATE_DIRECTORY="/var/lib/mailssl")
    assert chosen.state_directory == site.directory / "s"


@pytest.mark.parametrize(
    ("value", "file", "level"),
    [
        ("stderr", None, "error"),
        ("stderr INFO", None, "info"),
        ("mail.log", "mail.log", "error"),
        ("mail log debug", "mail log", "debug"),
    ],
)
def test_error_log_has_a_target_and_a_level(
    site: Site, value: str, file: str | None, level: str
) -> None:
    config = site.load(
        f"""
        error_log = "{value}"
        worker_shutdown_timeout = "10s"
        [mail]
        proxy_pass = "mx"
        [[mail.server]]
        listen = "127.0.0.1:143"
        """
    )
    target = None if file is None else site.directory / file
    assert config.error_log == (ErrorLog(target, level),)
    assert config.worker_shutdown_timeout == 10


@pytest.mark.parametrize(
    ("line", "workers"),
    [
        ("", 1),
        ("worker_processes = 4", 4),
        ('worker_processes = "auto"', len(os.sched_getaffinity(0))),
    ],
)
def test_there_is_one_worker_or_as_many_as_asked_for(
    site: Site, line: str, workers: int
) -> None:
    document = f'{line}\n[mail]\nproxy_pass = "mx"\n[[mail.server]]\nlisten = 143\n'
    assert site.load(document).worker_processes == workers


def test_pid_file_is_there_when_asked_for_beside_the_configuration(site: Site) -> None:
    document = '{}\n[mail]\nproxy_pass = "mx"\n[[mail.server]]\nlisten = 143\n'
    assert site.load(document.format("")).pid is None
    named = site.load(document.format('pid = "mail.pid"'))
    assert named.pid == site.directory / "mail.pid"


def test_targets_of_a_server_replace_those_of_mail_and_these_those_of_the_whole(
    site: Site,
) -> None:
    config = site.load(
        """
        error_log = ["stderr notice", "all.log"]
        [mail]
        proxy_pass = "mx"
        error_log = "mail.log info"
        [[mail.server]]
        listen = "127.0.0.1:143"
        [[mail.server]]
        listen = "127.0.0.1:110"
        error_log = "syslog:server=log,facility=mail crit"
        """
    )
    first, second = (server.error_log for server in config.servers)
    assert config.error_log == (
        ErrorLog(None, "notice"),
        ErrorLog(site.directory / "all.log", "error"),
    )
    assert first == (ErrorLog(site.directory / "mail.log", "info"),)
    assert second == (ErrorLog(Syslog("log", "log", 514, "mail"), "crit"),)


def test_server_without_targets_of_its_own_has_those_of_the_whole(site: Site) -> None:
    config = site.load(
        """
        [mail]
        proxy_pass = "mx"
        [[mail.server]]
        listen = "127.0.0.1:143"
        """
    )
    assert config.error_log == (ErrorLog(),)
    assert config.servers[0].error_log == ()


def test_severity_that_nginx_takes_and_does_not_use_is_warned_of(site: Site) -> None:
    assert site.said(
        """
        error_log = "syslog:server=log,severity=info"
        [mail]
        proxy_pass = "mx"
        [[mail.server]]
        listen = "127.0.0.1:143"
        """
    ) == ["1: warning: error_log: `severity` decides nothing: each line has its own"]
