"""What backends hear, and may say: nginx's directives and their defaults."""

import pytest

from mailssl_trio.protocol.introduction import ProxyPolicy, XClient
from mailssl_trio.transport.announcing import ProxyProtocol
from tests.config.site import Site

AUTH_HTTP = 'auth_http = "127.0.0.1/auth"'
USERS = 'users = "users.toml"\nproxy_pass = "10.0.0.1"'
BACKEND = 'proxy_pass = "10.0.0.1"'


def server(judge: str, *lines: str) -> str:
    own = "\n".join(lines)
    return f'[mail]\n{judge}\n[[mail.server]]\nlisten = "127.0.0.1:587"\n{own}\n'


def policy(stocked: Site, judge: str, *lines: str) -> ProxyPolicy:
    return stocked.load(server(judge, *lines)).servers[0].proxy


@pytest.mark.parametrize(
    ("judge", "expected"),
    [
        (AUTH_HTTP, ProxyPolicy(XClient.ON, smtp_auth=False)),
        (USERS, ProxyPolicy(XClient.IF_OFFERED, smtp_auth=True)),
        (BACKEND, ProxyPolicy(XClient.IF_OFFERED, smtp_auth=True)),
    ],
)
def test_default_depends_on_who_judges(
    stocked: Site, judge: str, expected: ProxyPolicy
) -> None:
    assert policy(stocked, judge) == expected


@pytest.mark.parametrize("judge", [AUTH_HTTP, USERS])
@pytest.mark.parametrize("smtp_auth", [True, False])
@pytest.mark.parametrize("xclient", [True, False])
def test_what_is_set_is_so(
    stocked: Site, judge: str, smtp_auth: bool, xclient: bool
) -> None:
    words = {True: "on", False: "off"}
    lines = (
        f'proxy_smtp_auth = "{words[smtp_auth]}"',
        f'xclient = "{words[xclient]}"',
        'proxy_buffer = "8k"',
    )
    wanted = XClient.ON if xclient else XClient.OFF
    expected = ProxyPolicy(wanted, smtp_auth=smtp_auth, proxy_buffer=8192)
    assert policy(stocked, judge, *lines) == expected


def test_backend_that_alone_judges_must_see_the_password(site: Site) -> None:
    assert site.said(server(BACKEND, "proxy_smtp_auth = false")) == [
        "5: mail.server[0].proxy_smtp_auth: nobody would judge a password: the backend"
        " is not shown it, and neither `auth_http` nor `users` is set; leave it out, or"
        " say who judges"
    ]


def test_directive_of_smtp_is_idle_elsewhere(site: Site) -> None:
    assert site.said(
        server(BACKEND, 'protocol = "imap"', "proxy_smtp_auth = 'on'")
    ) == [
        "6: warning: mail.server[0].proxy_smtp_auth: has no effect here: the protocol"
        " is imap; leave it out"
    ]


@pytest.mark.parametrize(
    ("word", "form"),
    [
        ("true", ProxyProtocol.ON),
        ('"off"', ProxyProtocol.OFF),
        ('"V2"', ProxyProtocol.V2),
    ],
)
def test_header_has_a_form(site: Site, word: str, form: ProxyProtocol) -> None:
    config = site.load(server(BACKEND, f"proxy_protocol = {word}"))
    assert config.servers[0].proxy_protocol is form


EMBEDDED = 'users = "users.toml"\nproxy_pass = "embedded"'


def test_embedded_mailbox_takes_no_header(stocked: Site) -> None:
    assert stocked.said(server(EMBEDDED, "proxy_protocol = true")) == [
        "6: mail.server[0].proxy_protocol: the embedded mailbox (line 3) takes no PROXY"
        " header; leave it out, or name a backend by host and port"
    ]
    inherited = "[mail]\nproxy_protocol = true\n[[mail.server]]\n" + EMBEDDED
    config = stocked.load(inherited + '\nlisten = "127.0.0.1:587"')
    assert config.servers[0].proxy_protocol is ProxyProtocol.OFF


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'proxy_protocol = "v3"',
            '5: mail.server[0].proxy_protocol: unknown form of PROXY header "v3"'
            " (known: off, on, v2)",
        ),
        (
            'proxy_buffer = "4g"',
            '5: mail.server[0].proxy_buffer: "4g" is not a size; write octets, or "4k",'
            ' "1m"',
        ),
        (
            "proxy_buffer = 511",
            "5: mail.server[0].proxy_buffer: 511 is too little or too much for a reply;"
            " write at least 512",
        ),
        (
            'xclient = "maybe"',
            '5: mail.server[0].xclient: "maybe" is not a flag; write true or false',
        ),
    ],
)
def test_wrong_value_is_named(site: Site, line: str, said: str) -> None:
    assert site.said(server(BACKEND, line)) == [said]
