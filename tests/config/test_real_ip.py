"""Who may say for whom he speaks: ``set_real_ip_from`` and ``proxy_protocol``."""

import pytest

from mailssl_trio.files import Files
from mailssl_trio.transport.proxied import RealIpFrom
from tests.config.site import Site

BEHIND = """
[mail]
proxy_pass = "10.0.0.1"
[[mail.server]]
listen = "127.0.0.1:143 proxy_protocol"
"""


def test_addresses_networks_and_sockets_are_believed(site: Site) -> None:
    config = site.load(
        BEHIND + 'set_real_ip_from = "192.0.2.1 10.0.0.0/8 2001:db8::/32 unix:"'
    )
    trusted = config.servers[0].real_ip_from
    for peer in ("192.0.2.1", "10.1.2.3", "2001:db8::7", "unix:", "::ffff:10.0.0.1"):
        assert trusted.trusts(peer), peer
    for peer in ("192.0.2.2", "11.0.0.1", "2001:db9::1", "fe80::1%lo"):
        assert not trusted.trusts(peer), peer


def test_nobody_is_believed_where_nobody_is_named(site: Site) -> None:
    assert site.load(BEHIND).servers[0].real_ip_from == RealIpFrom()
    assert not RealIpFrom().trusts("127.0.0.1")
    assert site.said(BEHIND) == [
        "4: warning: mail.server[0].listen: anybody may send a PROXY header to"
        " 127.0.0.1:143, and nobody is believed; name the proxies in"
        " `set_real_ip_from`: then they are, and nobody else is let in"
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            'set_real_ip_from = "10.1.2.3/8"',
            "5: warning: mail.server[0].set_real_ip_from: low address bits of"
            " 10.1.2.3/8 are meaningless; write 10.0.0.0/8",
        ),
        (
            'set_real_ip_from = ["192.0.2.1",\n"proxy_@example"]',
            '6: mail.server[0].set_real_ip_from[1]: "proxy_@example" is no address,'
            ' network or host; write "192.0.2.1", "192.0.2.0/24",'
            ' "2001:db8::/32" or "unix:"',
        ),
        (
            'set_real_ip_from = "10.0.0.0/33"',
            '5: mail.server[0].set_real_ip_from[0]: "10.0.0.0/33" is no address,'
            ' network or host; write "192.0.2.1", "192.0.2.0/24",'
            ' "2001:db8::/32" or "unix:"',
        ),
    ],
)
def test_what_is_no_address_is_named(site: Site, line: str, said: str) -> None:
    assert site.said(BEHIND + line) == [said]


def test_host_is_believed_at_the_addresses_that_it_has_at_the_start(
    site: Site,
) -> None:
    files = Files(hosts={"proxies.test": ("192.0.2.7", "2001:db8::7")})
    config = site.load(BEHIND + 'set_real_ip_from = "proxies.test unix:"', files=files)
    trusted = config.servers[0].real_ip_from
    assert [*trusted.words] == ["192.0.2.7/32", "2001:db8::7/128", "unix:"]


def test_host_is_looked_up(site: Site) -> None:
    config = site.load(BEHIND + 'set_real_ip_from = "localhost"')
    assert config.servers[0].real_ip_from.trusts("127.0.0.1")


def test_host_without_an_address_is_named(site: Site) -> None:
    (said,) = site.said(BEHIND + f'set_real_ip_from = "{"x" * 63}.{"y" * 63}."')
    assert said.startswith('5: mail.server[0].set_real_ip_from: host not found: "xxx')


def test_directive_without_a_door_for_proxies_is_idle(site: Site) -> None:
    document = BEHIND.replace(" proxy_protocol", "") + 'set_real_ip_from = "10.0.0.1"'
    assert site.said(document) == [
        "5: warning: mail.server[0].set_real_ip_from: has no effect here: no `listen`"
        " says `proxy_protocol`; leave it out"
    ]


def test_parameters_of_listen_come_in_any_order(site: Site) -> None:
    config = site.load(
        """
        [mail]
        proxy_pass = "10.0.0.1"
        ssl_certificate = "development"
        set_real_ip_from = "127.0.0.1"
        [[mail.server]]
        protocol = "imap"
        listen = ["127.0.0.1:1143 ssl proxy_protocol", "127.0.0.1:2143 proxy_protocol"]
        """
    )
    doors = [(door.ssl, door.proxy_protocol) for door in config.servers[0].listens]
    assert doors == [(True, True), (False, True)]
