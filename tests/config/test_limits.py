"""The directives of limits: what they take, and what they do not."""

import tomllib
from ipaddress import ip_network

import pytest

from mailssl_trio.config.effective import as_toml
from mailssl_trio.limits.access import AccessRule
from mailssl_trio.limits.policy import ConnectionRule, Counted, LimitPolicy
from mailssl_trio.limits.sanctions import LoginRule
from tests.config.site import Site

ONE_SERVER = """
[mail]
proxy_pass = "10.0.0.1"
[[mail.server]]
listen = "127.0.0.1:143"
"""


def limits(site: Site, lines: str) -> LimitPolicy:
    return site.load(ONE_SERVER + lines).servers[0].limits


def test_nothing_is_limited_but_who_has_not_logged_in(site: Site) -> None:
    config = site.load(ONE_SERVER)
    assert config.servers[0].limits == LimitPolicy()
    assert config.worker_connections is None
    assert config.worker_login_connections == 2000


def test_limits_are_read(site: Site) -> None:
    assert limits(
        site,
        """
        access = ["deny 192.0.2.1", "allow 192.0.2.0/24", "allow unix:", "deny all"]
        limit_conn = ["address 20", "user+address 5"]
        limit_login = ["user+address 5", "address 20 time=1h ban=1d"]
        limit_exempt = "10.0.0.0/8 unix:"
        """,
    ) == LimitPolicy(
        (
            AccessRule(False, ip_network("192.0.2.1")),
            AccessRule(True, ip_network("192.0.2.0/24")),
            AccessRule(True, unix=True),
            AccessRule(False),
        ),
        (AccessRule(True, ip_network("10.0.0.0/8")), AccessRule(True, unix=True)),
        (
            ConnectionRule(Counted.ADDRESS, 20),
            ConnectionRule(Counted.USER_AND_ADDRESS, 5),
        ),
        (
            LoginRule(True, 5, time=600, delay=1, ban=3600),
            LoginRule(False, 20, time=3600, delay=0, ban=86400),
        ),
    )


def test_everybody_may_be_let_in_where_the_others_are_asked(site: Site) -> None:
    assert site.load(ONE_SERVER + 'access = "allow all"').warnings == ()


def test_one_rule_needs_no_array(site: Site) -> None:
    policy = limits(site, 'limit_conn = "user 10"\nlimit_login = "address 3 delay=2s"')
    assert policy.connections == (ConnectionRule(Counted.USER, 10),)
    assert policy.logins == (LoginRule(False, 3, delay=2),)


def test_server_says_its_own_in_place_of_what_it_inherits(site: Site) -> None:
    config = site.load("""
        worker_connections = 512
        worker_login_connections = 50
        [mail]
        proxy_pass = "10.0.0.1"
        limit_conn = "address 20"
        access = "deny all"
        [[mail.server]]
        listen = "127.0.0.1:143"
        [[mail.server]]
        listen = "127.0.0.1:110"
        limit_conn = []
        access = []
        """)
    first, second = (server.limits for server in config.servers)
    assert first.connections == (ConnectionRule(Counted.ADDRESS, 20),)
    assert first.access == (AccessRule(False),)
    assert second == LimitPolicy()
    assert (config.worker_connections, config.worker_login_connections) == (512, 50)
    shown = tomllib.loads(as_toml(config))
    assert shown["worker_connections"] == 512
    assert shown["mail"]["server"][0]["limit_conn"] == ["address 20"]
    assert "limit_conn" not in shown["mail"]["server"][1]


PLACE = "mail.server[0]"
NO_NETWORK = (
    'is neither an address nor a network; write "192.0.2.1", "192.0.2.0/24",'
    ' "2001:db8::/32"'
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'limit_conn = "address 0"',
            "limit_conn: 0 would let nobody in; write 1 or more",
        ),
        (
            'limit_conn = "address -1"',
            'limit_conn: "-1" is not a number; write 1, 2, 3, …',
        ),
        (
            'limit_conn = "address 4294967296"',
            "limit_conn: 4294967296 is too much; write at most 2147483647",
        ),
        (
            'limit_conn = ["address 5", "adress 5"]',
            'limit_conn[1]: unknown who is counted "adress" (known: address, user,'
            " user+address); did you mean `address`?",
        ),
        (
            'limit_conn = ["user 5", "user 6"]',
            "limit_conn[1]: `user` is there twice; write one of them",
        ),
        (
            'limit_conn = "address 5 6"',
            'limit_conn: "address 5 6" is no rule; write "address 20", "user 10" or'
            ' "user+address 5"',
        ),
        (
            'limit_conn = ""',
            'limit_conn: "" is no rule; write "address 20", "user 10"'
            ' or "user+address 5"',
        ),
        ("limit_conn = 20", 'limit_conn: 20 is no rule; write "…" or ["…", "…"]'),
        ("limit_conn = [20]", 'limit_conn[0]: 20 is no rule; write "…"'),
        (
            'limit_login = "user 5"',
            "limit_login: by `user` alone, anybody could lock a user out; count"
            " `user+address`, or `address`",
        ),
        (
            'limit_login = "address 1001"',
            "limit_login: 1001 is too much; write at most 1000",
        ),
        (
            'limit_login = "address 5 tme=3"',
            'limit_login: unknown parameter "tme" (known: time, delay, ban); did you'
            " mean `time`?",
        ),
        (
            'limit_login = "address 5 ban=1h ban=2h"',
            "limit_login: `ban` is there twice; write it once",
        ),
        (
            'limit_login = "address 5 ban=0"',
            'limit_login: "0" is no deadline; it must be more than 0, within a century',
        ),
        (
            'limit_login = "address"',
            'limit_login: "address" is no rule; write "user+address 5" or "address 20'
            ' time=10m ban=1h"',
        ),
        (
            'access = "allow mx.example"',
            f'access: "mx.example" {NO_NETWORK}, "unix:" or "all"',
        ),
        (
            'access = "permit 10.0.0.1"',
            'access: unknown rule "permit" (known: allow, deny)',
        ),
        (
            'access = "allow"',
            'access: "allow" is no rule; write "allow 192.0.2.0/24" or "deny all"',
        ),
        ('limit_exempt = "here"', f'limit_exempt[0]: "here" {NO_NETWORK} or "unix:"'),
        (
            'access = ["deny 10.1.2.3/8"]',
            "warning: access: low address bits of 10.1.2.3/8 are meaningless; write"
            " 10.0.0.0/8",
        ),
        (
            'access = ["deny all", "allow 10.0.0.1"]',
            "warning: access: nothing behind `deny all` is ever asked; put it last",
        ),
        (
            'access = ["allow 192.0.2.1", "allow unix:"]',
            "warning: access: it refuses nobody: a client that no rule speaks of may"
            ' come; put "deny all" last',
        ),
        (
            'limit_exempt = "0.0.0.0/0"',
            "warning: limit_exempt: no limit holds for anybody of 0.0.0.0/0; name the"
            " networks that you trust",
        ),
        (
            'limit_exempt = "10.1.2.3/8"',
            "warning: limit_exempt: low address bits of 10.1.2.3/8 are meaningless;"
            " write 10.0.0.0/8",
        ),
        (
            'allow = "10.0.0.1"',
            "allow: a directive of nginx's that is not available here; write `access ="
            ' ["allow …", "deny …"]`, in their order',
        ),
    ],
)
def test_what_cannot_be_meant_is_named(site: Site, line: str, said: str) -> None:
    is_warning, text = said.startswith("warning: "), said.removeprefix("warning: ")
    expected = f"5: {'warning: ' if is_warning else ''}{PLACE}.{text}"
    assert site.said(ONE_SERVER + line) == [expected]


@pytest.mark.parametrize("name", ["worker_connections", "worker_login_connections"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0", "0 would let nobody in; write 1 or more"),
        ("-1", "-1 is not a number; write 0, 1, 2, …"),
        ('"all"', '"all" is not a number; write 0, 1, 2, …'),
    ],
)
def test_worker_must_have_room_for_somebody(
    site: Site, name: str, value: str, said: str
) -> None:
    assert site.said(f"{name} = {value}\n{ONE_SERVER}") == [f"1: {name}: {said}"]
