"""Bad configurations, and every word that is said about them."""

from pathlib import Path

import pytest

from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError
from tests.config.site import Site

SERVER = """
[mail]
proxy_pass = "10.0.0.1"
[[mail.server]]
listen = "127.0.0.1:143"
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'startls = "only"',
            "5: mail.server[0].startls: unknown directive; did you mean `starttls`?",
        ),
        (
            "StartTLS = true",
            "5: mail.server[0].StartTLS: unknown directive; did you mean `starttls`?",
        ),
        (
            '"x\\u001b[2J" = 1',
            r'5: mail.server[0]."x\x1b[2J": unknown directive; leave it out',
        ),
        (
            "ssl_preread = true",
            "5: mail.server[0].ssl_preread: a directive of nginx's that is not"
            " available here; leave it out",
        ),
        (
            'pid = "gateway.pid"',
            "5: mail.server[0].pid: not allowed here; `pid` belongs at the"
            " top of the file, above [mail]",
        ),
        (
            'timeout = "5x"',
            '5: mail.server[0].timeout: "5x" is not a time; write seconds, or "5m",'
            ' "1h30m", "500ms"',
        ),
        (
            "timeout = 0",
            "5: mail.server[0].timeout: 0 is no deadline; it must be more than 0,"
            " within a century",
        ),
        (
            "timeout = true",
            '5: mail.server[0].timeout: true is not a time; write seconds, or "5m",'
            ' "1h30m", "500ms"',
        ),
        (
            "max_errors = true",
            "5: mail.server[0].max_errors: true is not a number; write 0, 1, 2, …",
        ),
        (
            'starttls = "maybe"',
            '5: mail.server[0].starttls: unknown starttls mode "maybe" (known: off, on,'
            " only)",
        ),
        (
            'ssl = "yes"',
            '5: mail.server[0].ssl: "yes" is not a flag; write true or false',
        ),
        (
            'ssl_protocols = ["TLSv1.2",\n"TLSv1.4"]',
            '6: mail.server[0].ssl_protocols[1]: unknown protocol "TLSv1.4" (known:'
            " SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3); did you mean `TLSv1.3`?",
        ),
        (
            "ssl_protocols = []",
            "5: mail.server[0].ssl_protocols: no protocol; name at least one of SSLv2,"
            " SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
        ),
        (
            'imap_auth = "plain apop"',
            '5: mail.server[0].imap_auth[1]: unknown mechanism "apop" (known: plain,'
            " login, cram-md5, external, xoauth2, oauthbearer)",
        ),
        (
            'imap_capabilities = ["IDLE\\r\\n* BYE"]',
            r'5: mail.server[0].imap_capabilities[0]: "IDLE\r\n* BYE" is not a word of'
            " printable ASCII",
        ),
        (
            'server_name = "mäil"',
            '5: mail.server[0].server_name: "mäil" is not a host name; write it in'
            " ASCII, without spaces",
        ),
        (
            'protocol = "nntp"',
            '5: mail.server[0].protocol: unknown mail protocol "nntp" (known: imap,'
            " pop3, smtp)",
        ),
        (
            'proxy_pass = "10.0.0.1:99999"',
            '5: mail.server[0].proxy_pass: "10.0.0.1:99999" is no address: port out of'
            " range",
        ),
        (
            "proxy_pass = 1",
            '5: mail.server[0].proxy_pass: 1 is not a string; write "…"',
        ),
        (
            "imap_capabilities = true",
            "5: mail.server[0].imap_capabilities: true is not a list; write"
            ' ["WORD", "WORD"]',
        ),
        (
            'ssl_ciphers = ""',
            '5: mail.server[0].ssl_ciphers: "" is not a cipher list; for example'
            ' "HIGH:!aNULL:!MD5"',
        ),
        (
            'users = ""',
            '5: mail.server[0].users: "" is not a file name',
        ),
        (
            "users = {}",
            '5: mail.server[0].users: a table is not a string; write "…"',
        ),
    ],
)
def test_directive_that_is_wrong_is_named_with_what_to_do(
    site: Site, line: str, said: str
) -> None:
    assert site.said(f"{SERVER}{line}\n") == [said]


@pytest.mark.parametrize(
    ("listen", "said"),
    [
        ('"127.0.0.1"', '"127.0.0.1" is no address to listen on; it must be'
         " ADDRESS:PORT, [IPv6]:PORT, *:PORT or PORT"),
        ('"::1:143"', '"::1:143" is no address to listen on; it must be'
         " ADDRESS:PORT, [IPv6]:PORT, *:PORT or PORT"),
        ('"[127.0.0.1]:143"', '"127.0.0.1" is no address to listen on; it must be'
         " brackets around IPv6, and only around IPv6"),
        ('"300.1.1.1:143"', '"300.1.1.1" is no address to listen on; it must be'
         " an IP address or a host name"),
        ('"127.0.0.1:0"', '"127.0.0.1:0" is no address to listen on; it must be'
         " a port from 1 to 65535"),
        ('"127.0.0.1:143-99999"', '"127.0.0.1:143-99999" is no address to listen on;'
         " it must be a port from 1 to 65535"),
        ('"127.0.0.1:143-142"', '"127.0.0.1:143-142" is no address to listen on; it'
         " must be FIRST-LAST, where a range of ports is meant"),
        ('"127.0.0.1:143-0"', '"127.0.0.1:143-0" is no address to listen on; it must'
         " be FIRST-LAST, where a range of ports is meant"),
        ('"unix:"', '"unix:" is no address to listen on; it must be unix:/PATH, of at'
         " most 107 octets behind unix:"),
        ('"unix:imap.sock"', '"unix:imap.sock" is no address to listen on; it must be'
         " unix:/PATH, of at most 107 octets behind unix:"),
        ('"127.0.0.1:143 tls"', 'unknown parameter "tls" (known: ssl, proxy_protocol,'
         " bind, multipath, backlog=, rcvbuf=, sndbuf=, ipv6only=, so_keepalive=)"),
        ('"127.0.0.1:143 ssl=on"', 'unknown parameter "ssl=on" (known: ssl,'
         " proxy_protocol, bind, multipath, backlog=, rcvbuf=, sndbuf=, ipv6only=,"
         " so_keepalive=)"),
        ('"127.0.0.1:143 backlog=9 backlog=9"', 'parameter "backlog" is there twice'),
        ('"127.0.0.1:143 backlog=0"', '"backlog=0" is no backlog; write 1, 2, 3, …'),
        ('"127.0.0.1:143 backlog=-1"', '"backlog=-1" is no backlog; write 1, 2, 3, …'),
        ('"127.0.0.1:143 rcvbuf=x"', '"rcvbuf=x" is no size of a buffer; write octets,'
         ' or "64k", "1m"'),
        ('"127.0.0.1:143 sndbuf=0"', '"sndbuf=0" is no size of a buffer; write octets,'
         ' or "64k", "1m"'),
        ('"[::1]:143 ipv6only=maybe"', '"ipv6only=maybe" is neither on nor off; write'
         " ipv6only=on or ipv6only=off"),
        ("[]", 'no address; write "127.0.0.1:143"'),
        ("true", 'true is not a string; write "…"'),
    ],
)  # fmt: skip
def test_address_that_cannot_be_listened_on_is_named(
    site: Site, listen: str, said: str
) -> None:
    document = SERVER.replace('"127.0.0.1:143"', listen) + 'protocol = "imap"\n'
    assert site.said(document) == [f"4: mail.server[0].listen: {said}"]


@pytest.mark.parametrize(
    "keepalive",
    ["", "::", "0:0:0", "maybe", "1:2:3:4", "-1", "500ms", "10h", "::128", "::x"],
)
def test_keepalive_that_says_nothing_is_named(site: Site, keepalive: str) -> None:
    address = f"127.0.0.1:143 so_keepalive={keepalive}"
    document = SERVER.replace("127.0.0.1:143", address)
    assert site.said(document) == [
        f'4: mail.server[0].listen: "so_keepalive={keepalive}" says nothing about'
        ' keepalive; write on, off, or IDLE:INTERVAL:COUNT, for example "30m::10";'
        " times are at most 32767 s, and 127 probes"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "timeout = 5",
            "1: timeout: not allowed here; `timeout` belongs in [mail] or"
            " [[mail.server]]",
        ),
        (
            "listen = 143",
            "1: listen: not allowed here; `listen` belongs in [[mail.server]]",
        ),
        (
            "server = {}",
            "1: server: not allowed here; a server is written [[mail.server]]",
        ),
        (
            'error_log = "stderr inof"',
            '1: error_log: unknown log level "inof" (known: debug, info, notice, warn,'
            " error, crit, alert, emerg); did you mean `info`?",
        ),
        (
            'error_log = "memory:32k"',
            '1: error_log: "memory:32k" is a log of nginx\'s that is'
            ' not available here; write "stderr info" or "FILE info"',
        ),
        (
            'error_log = ["stderr", "syslog:facility=mail"]',
            '1: error_log[1]: "syslog:facility=mail" names no server; write'
            ' "syslog:server=HOST[:PORT],…"',
        ),
        (
            'error_log = "syslog:server=a:b"',
            '1: error_log: "a:b" is no server for syslog; write HOST[:PORT] or'
            " unix:/PATH",
        ),
        (
            'error_log = "syslog:server=log,facility=male"',
            '1: error_log: unknown facility "male" (known: kern, user, mail, daemon,'
            " auth, intern, lpr, news, uucp, clock, authpriv, ftp, ntp, audit, alert,"
            " cron, local0, local1, local2, local3, local4, local5, local6, local7);"
            " did you mean `mail`?",
        ),
        (
            'error_log = "syslog:server=log,tag=a-b"',
            '1: error_log: "a-b" is no tag; write at most 32 letters, digits and'
            " underscores",
        ),
        (
            'error_log = "syslog:server=log,color"',
            '1: error_log: unknown parameter "color" of syslog (known: facility=,'
            " severity=, tag=, nohostname)",
        ),
        (
            "error_log = []",
            '1: error_log: no target; write "stderr info" or "FILE info"',
        ),
        (
            'error_log = "nowhere/mail.log"',
            "1: error_log: nowhere is no directory; make it, or mend it",
        ),
        (
            'state_directory = ""',
            '1: state_directory: "" is not a file name',
        ),
        (
            "worker_processes = 0",
            "1: worker_processes: 0 is not a number of processes; write 1 to 1024, or"
            ' "auto"',
        ),
        (
            'worker_processes = "2"',
            '1: worker_processes: "2" is not a number of processes; write 1 to 1024, or'
            ' "auto"',
        ),
        (
            "worker_processes = true",
            "1: worker_processes: true is not a number of processes; write 1 to 1024,"
            ' or "auto"',
        ),
        (
            'pid = "nowhere/mail.pid"',
            "1: pid: nowhere is no directory; make it, or mend it",
        ),
        ('pid = ""', '1: pid: "" is not a file name'),
        (
            'worker_shutdown_timeout = ""',
            '1: worker_shutdown_timeout: "" is not a time; write seconds, or "5m",'
            ' "1h30m", "500ms"',
        ),
    ],
)
def test_top_of_the_file_takes_its_own_directives_only(
    site: Site, line: str, said: str
) -> None:
    assert site.said(f"{line}\n{SERVER}") == [said]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            "",
            "no [mail]; write [[mail.server]] with a `listen` for each virtual server",
        ),
        (
            "[mail]\n",
            "1: mail: there is no server; write [[mail.server]] with a `listen` for"
            " each virtual server",
        ),
        ("mail = 3\n", "1: mail: not a table; write [mail] on a line of its own"),
        (
            "[mail.server]\nlisten = 143\n",
            "1: mail.server: not an array of tables; write [[mail.server]] with a"
            " `listen` for each virtual server",
        ),
        (
            "mail = { server = [1] }\n",
            "1: mail.server[0]: not a table; write [[mail.server]] with a `listen` for"
            " each virtual server",
        ),
        (
            "[mail]\nlisten = 143\n[[mail.server]]\nproxy_pass = '10.0.0.1'\n"
            "listen = '127.0.0.1:143'",
            "2: mail.listen: not allowed here; `listen` belongs in [[mail.server]]",
        ),
        (
            "[mail]\nssl on;\n",
            "2: not TOML: Expected '=' after a key in a key/value pair; a directive is"
            ' written `name = "value"`',
        ),
        (
            "[mail]\ntimeout = 1\n\ntimeout = 2\n",
            "4: mail.timeout: set twice; it is there already in line 2: keep one of"
            " them",
        ),
        (
            "[mail]\n\n[mail]\n",
            "3: mail: set twice; it is there already in line 1: keep one of them",
        ),
        ('[mail]\na = """\n', "2: not TOML: Unterminated string"),
        ("a =" + "[" * 5000, "not TOML: nested too deeply, or a huge number"),
        ("a =" + "9" * 5000, "not TOML: nested too deeply, or a huge number"),
    ],
)
def test_document_that_is_no_configuration_is_refused(
    site: Site, document: str, said: str
) -> None:
    (told,) = site.said(document)
    assert told.removeprefix(f"{site.file}: ").removeprefix("mail.toml: ") == said


def test_address_in_an_array_is_named_in_its_own_line(site: Site) -> None:
    document = SERVER.replace('"127.0.0.1:143"', '[143,\n"[::1]"]')
    assert site.said(document) == [
        '5: mail.server[0].listen[1]: "[::1]" is no address to listen on; it must be'
        " ADDRESS:PORT, [IPv6]:PORT, *:PORT or PORT"
    ]


def test_everything_is_said_at_once_in_the_order_of_the_lines(site: Site) -> None:
    assert site.said(
        """
        timeout = 5
        [mail]
        ssl_certificte = "cert.pem"
        users = "users.toml"
        [[mail.server]]
        listen = "127.0.0.1:143"
        starttls = "only"
        max_errors = -1
        [[mail.server]]
        listen = "127.0.0.1:1110"
        """
    ) == [
        "1: timeout: not allowed here; `timeout` belongs in [mail] or [[mail.server]]",
        "3: mail.ssl_certificte: unknown directive; did you mean `ssl_certificate`?",
        '4: mail.users: user "alice@example.org" has no backend for imap; give the user'
        " an `upstream`, or the server a `proxy_pass`",
        "5: mail.server[0].ssl_certificate: missing, for the `starttls` in line 7; name"
        ' a PEM file, or "development" to try things out',
        "8: mail.server[0].max_errors: -1 is not a number; write 0, 1, 2, …",
        "9: mail.server[1]: no `protocol`, and no port that is well known for one; set"
        ' `protocol` to "imap", "pop3" or "smtp"',
    ]


def test_what_many_servers_inherit_is_wrong_once(site: Site) -> None:
    assert site.said(
        """
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "cert.pem"
        ssl_certificate_key = "key.pem"
        ssl_ciphers = "BOGUS"
        starttls = "only"
        [[mail.server]]
        listen = "127.0.0.1:143"
        [[mail.server]]
        listen = "127.0.0.1:110"
        """
    ) == [
        '5: mail.ssl_ciphers: "BOGUS" selects no cipher; see openssl-ciphers(1); the'
        ' default is "HIGH:!aNULL:!MD5"'
    ]


def test_file_that_is_not_there_is_a_wrong_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory") as wrong:
        load(tmp_path / "mail.toml")
    assert wrong.value.exit_code == 78


def test_file_that_is_not_utf_8_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "mail.toml").write_bytes(b"[mail]\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"toml:2: not UTF-8; TOML is always UTF-8"):
        load(tmp_path / "mail.toml")
