"""What is right by itself and wrong together."""

import pytest

from tests.config.site import Site

KEEP = "keep `ssl` for TLS from the start, or `starttls` for TLS in-line"
OWN_PORT = "give each an address and port of its own"


def test_ssl_with_starttls_in_one_server_names_both_lines(site: Site) -> None:
    assert site.said(
        """
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        [[mail.server]]
        listen = "127.0.0.1:143"
        starttls = "only"
        ssl = true
        """
    ) == [f"7: mail.server[0].ssl: conflicts with `starttls` in line 6; {KEEP}"]


def test_ssl_with_starttls_in_mail_names_both_lines_once(site: Site) -> None:
    assert site.said(
        """
        [mail]
        ssl = true
        starttls = "on"
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        [[mail.server]]
        listen = "127.0.0.1:143"
        [[mail.server]]
        listen = "127.0.0.1:110"
        """
    ) == [f"2: mail.ssl: conflicts with `starttls` in line 3; {KEEP}"]


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (
            "127.0.0.1:143",
            "127.0.0.1:143 ssl",
            "127.0.0.1:143 is taken by mail.server[0].listen in line 5",
        ),
        (
            "*:143",
            "0.0.0.0:143",
            "0.0.0.0:143 is taken by mail.server[0].listen in line 5",
        ),
        (
            "[::1]:143",
            "[0:0::1]:143",
            "[::1]:143 is taken by mail.server[0].listen in line 5",
        ),
        (
            "LocalHost:143",
            "localhost:143",
            "localhost:143 is taken by mail.server[0].listen in line 5",
        ),
        (
            "unix:/run/imap",
            "unix:/run/imap",
            "unix:/run/imap is taken by mail.server[0].listen in line 5",
        ),
        (
            "127.0.0.1:2000-2003",
            "127.0.0.1:2003-2005",
            "127.0.0.1:2003-2005 and 127.0.0.1:2000-2003 overlap, the latter is"
            " mail.server[0].listen in line 5",
        ),
        (
            "[::]:143 ipv6only=off",
            "127.0.0.1:143",
            "127.0.0.1:143 and [::]:143 overlap, the latter is"
            " mail.server[0].listen in line 5",
        ),
    ],
)
def test_two_servers_on_one_address_name_both(
    site: Site, first: str, second: str, said: str
) -> None:
    assert site.said(
        f"""
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        [[mail.server]]
        listen = "{first}"
        protocol = "imap"
        starttls = "only"
        [[mail.server]]
        listen = ["127.0.0.1:110",
          "{second}"]
        protocol = "imap"
        starttls = "only"
        """
    ) == [f"10: mail.server[1].listen[1]: {said}; {OWN_PORT}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("127.0.0.1:143", "127.0.0.2:143"),
        ("127.0.0.1:143", "127.0.0.1:144"),
        ("0.0.0.0:143", "[::]:143"),
        ("0.0.0.0:143", "[::1]:143"),
        ("0.0.0.0:143", "127.0.0.1:143"),
        ("127.0.0.1:143", "0.0.0.0:143"),
        ("127.0.0.1:143", "127.0.0.1:2000-2005"),
        ("127.0.0.1:143", "unix:/run/imap"),
    ],
)
def test_addresses_that_differ_get_along(site: Site, first: str, second: str) -> None:
    config = site.load(
        f"""
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        starttls = "only"
        [[mail.server]]
        listen = ["{first}", "{second}"]
        """
    )
    assert [str(listen) for listen in config.servers[0].listens] == [first, second]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            'protocol = "imap"\nproxy_pass = "10.0.0.1"',
            '2: mail.server[0]: no `listen`; write listen = "127.0.0.1:143"',
        ),
        (
            'listen = ["127.0.0.1:1143", "127.0.0.1:2143"]\nproxy_pass = "10.0.0.1"',
            "2: mail.server[0]: no `protocol`, and no port that is well known for one;"
            ' set `protocol` to "imap", "pop3" or "smtp"',
        ),
        (
            'listen = "127.0.0.1:143"',
            "2: mail.server[0]: nobody judges logins here: neither `auth_http`, `users`"
            " nor `proxy_pass` is set; set `auth_http` to an auth server, `users` to a"
            " file, or `proxy_pass` to a backend that judges",
        ),
        (
            'listen = "127.0.0.1:143"\nproxy_pass = "embedded"',
            "4: mail.server[0].proxy_pass: the embedded mailbox judges nobody, and"
            " `users` is not set; set `users` to a file",
        ),
    ],
)
def test_server_that_could_not_serve_is_named(
    site: Site, lines: str, said: str
) -> None:
    assert site.said(f"[mail]\n[[mail.server]]\n{lines}\n") == [said]


@pytest.mark.parametrize(
    ("starttls", "listen", "warned"),
    [
        ("off", "0.0.0.0:143", ["0.0.0.0:143"]),
        ("on", "[::]:143", ["[::]:143"]),
        ("on", "mail.example.org:143", ["mail.example.org:143"]),
        ("only", "0.0.0.0:143", []),
        ("on", "127.9.9.9:143", []),
        ("off", "[::1]:143", []),
        ("off", "localhost:143", []),
        ("off", "0.0.0.0:143 ssl", []),
    ],
)
def test_plaintext_logins_beyond_loopback_are_warned_of(
    site: Site, starttls: str, listen: str, warned: list[str]
) -> None:
    assert site.said(
        f"""
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        [[mail.server]]
        listen = ["127.0.0.1:144 ssl", "{listen}"]
        starttls = "{starttls}"
        """
    ) == [
        "5: warning: mail.server[0].listen: passwords may cross the network in the"
        f' clear on {address}; `starttls = "only"` would refuse every login until TLS'
        " is up"
        for address in warned
    ]


@pytest.mark.parametrize(
    ("mail", "server", "said"),
    [
        (
            "",
            'imap_auth = "plain"',
            [
                "6: warning: mail.server[0].imap_auth: has no effect here: the protocol"
                " is pop3; leave it out"
            ],
        ),
        (
            'imap_auth = "plain"',
            "",
            [
                "3: warning: mail.imap_auth: has no effect here: in no server: the"
                " protocol is pop3; leave it out"
            ],
        ),
        (
            "",
            'ssl_ciphers = "BOGUS"',
            [
                "6: warning: mail.server[0].ssl_ciphers: has no effect here: neither"
                " `ssl`, `starttls` nor a `listen` asks for TLS; leave it out"
            ],
        ),
        (
            "",
            "proxy_ssl_verify = false",
            [
                "6: mail.server[0].proxy_ssl_verify: has no effect here: there is no"
                " TLS towards the backend, since `proxy_ssl` is off; leave it out"
            ],
        ),
        (
            "proxy_ssl_verify = false",
            "",
            [
                "3: mail.proxy_ssl_verify: has no effect here: in no server: there is"
                " no TLS towards the backend, since `proxy_ssl` is off; leave it out"
            ],
        ),
        ("proxy_ssl_verify = false", "proxy_ssl = true", []),
        (
            "proxy_ssl = true",
            'proxy_ssl_verify = false\nproxy_ssl_trusted_certificate = "cert.pem"',
            [
                "7: mail.server[0].proxy_ssl_trusted_certificate: has no effect here:"
                " `proxy_ssl_verify` is off; leave it out"
            ],
        ),
        (
            "proxy_ssl = true",
            'proxy_ssl_certificate_key = "key.pem"',
            [
                "6: mail.server[0].proxy_ssl_certificate_key: has no effect here: there"
                " is no `proxy_ssl_certificate`; leave it out"
            ],
        ),
        (
            "",
            "proxy_ssl_session_reuse = false",
            [
                "6: mail.server[0].proxy_ssl_session_reuse: has no effect here: there"
                " is no TLS towards the backend, since `proxy_ssl` is off; leave it out"
            ],
        ),
        (
            'ssl_certificate = "development"\nstarttls = "on"',
            'ssl_certificate_key = "key.pem"',
            [
                "7: warning: mail.server[0].ssl_certificate_key: has no effect here:"
                " the development certificate has its own; leave it out"
            ],
        ),
        (
            'ssl_certificate = "development"',
            'starttls = "on"\nlisten = "127.0.0.1:110 ssl"',
            [
                "6: warning: mail.server[0].starttls: has no effect here: every address"
                " speaks TLS from the start; leave it out"
            ],
        ),
    ],
)
def test_directive_that_decides_nothing_is_named(
    site: Site, mail: str, server: str, said: list[str]
) -> None:
    listen = "" if "listen" in server else 'listen = "127.0.0.1:110"'
    document = f'[mail]\nproxy_pass = "10.0.0.1"\n{mail}\n[[mail.server]]\n'
    assert site.said(f"{document}{listen}\n{server}\n") == said


SERVED = """\
[mail]
proxy_pass = "10.0.0.1"
ssl_certificate = "development"
starttls = "only"
"""
NO_TICKETS = "`ssl_session_tickets` is off"
NO_CLIENT_CERTIFICATES = "`ssl_verify_client` is off"
NOTHING_RESUMES = "`ssl_session_cache` keeps no session, and there are no tickets"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('ssl_session_ticket_key = "new.key"', NO_TICKETS),
        ('ssl_session_timeout = "1h"', NOTHING_RESUMES),
        ('ssl_client_certificate = "ca.pem"', NO_CLIENT_CERTIFICATES),
        ('ssl_trusted_certificate = "ca.pem"', NO_CLIENT_CERTIFICATES),
        ("ssl_verify_depth = 2", NO_CLIENT_CERTIFICATES),
        ('ssl_crl = "crl.pem"', NO_CLIENT_CERTIFICATES),
        (
            'ssl_password_file = "passphrases"',
            "the development certificate's key is not encrypted",
        ),
    ],
)
def test_directive_of_tls_that_decides_nothing_beside_others_is_named(
    site: Site, line: str, reason: str
) -> None:
    name = line.partition(" ")[0]
    told = f"has no effect here: {reason}; leave it out"
    listening = '[[mail.server]]\nlisten = "127.0.0.1:143"\n'
    assert site.said(f"{SERVED}{listening}{line}\n") == [
        f"7: warning: mail.server[0].{name}: {told}"
    ]
    assert site.said(f"{SERVED}{line}\n{listening}") == [
        f"5: warning: mail.{name}: {told.replace('here: ', 'here: in no server: ')}"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        'ssl_session_cache = "off"',
        'ssl_session_cache = "builtin"\nssl_session_timeout = "1h"',
        'ssl_session_cache = "shared:SSL:1m"\nssl_session_timeout = "1h"',
        'ssl_session_tickets = true\nssl_session_timeout = "1h"',
        "ssl_session_tickets = false",
        "ssl_verify_client = false",
        'ssl_verify_client = "optional_no_ca"\nssl_verify_depth = 2',
        'ssl_protocols = "TLSv1.3"\nssl_ciphers = "HIGH"',
    ],
)
def test_directive_that_decides_something_is_no_matter(site: Site, lines: str) -> None:
    listening = '[[mail.server]]\nlisten = "127.0.0.1:143"\n'
    assert site.said(f"{SERVED}{listening}{lines}\n") == []


def test_inherited_directive_that_one_server_needs_is_no_matter(site: Site) -> None:
    assert (
        site.said(
            f"""{SERVED}
            ssl_session_timeout = "1h"
            [[mail.server]]
            listen = "127.0.0.1:143"
            [[mail.server]]
            listen = "127.0.0.1:110"
            ssl_session_cache = "builtin"
            """
        )
        == []
    )
