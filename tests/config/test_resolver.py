"""The directives ``resolver`` and ``resolver_timeout``."""

import pytest

from mailssl_trio.files import Files
from mailssl_trio.transport.resolver import Resolver
from tests.config.site import Site

SERVER = """\
[mail]
proxy_pass = "10.0.0.1"
[[mail.server]]
listen = "127.0.0.1:25"
"""
EXAMPLE = 'write "192.0.2.1", "[2001:db8::1]:53 valid=30s", or "off"'


@pytest.mark.parametrize(
    ("value", "resolver"),
    [
        ('"off"', None),
        ('"192.0.2.1"', Resolver((("192.0.2.1", 53),))),
        (
            '"192.0.2.1:54 [2001:db8::1] valid=1m"',
            Resolver((("192.0.2.1", 54), ("2001:db8::1", 53)), valid=60.0),
        ),
        ('["192.0.2.1", "ipv6=off"]', Resolver((("192.0.2.1", 53),), ipv6=False)),
    ],
)
def test_resolver_is_read(site: Site, value: str, resolver: Resolver | None) -> None:
    (server,) = site.load(f"{SERVER}resolver = {value}\n").servers
    assert server.resolver == resolver


def test_host_is_asked_at_all_the_addresses_that_it_has_at_the_start(
    site: Site,
) -> None:
    files = Files(hosts={"dns.test": ("192.0.2.7", "2001:db8::7", "192.0.2.1")})
    (server,) = site.load(
        f'{SERVER}resolver = "192.0.2.1 dns.test dns.test:54"\n', files=files
    ).servers
    assert server.resolver is not None
    assert server.resolver.servers == (
        ("192.0.2.1", 53),
        ("192.0.2.7", 53),
        ("2001:db8::7", 53),
        ("192.0.2.7", 54),
        ("2001:db8::7", 54),
        ("192.0.2.1", 54),
    )


def test_host_without_an_address_is_named(site: Site) -> None:
    (said,) = site.said(f'{SERVER}resolver = "{"x" * 63}.{"y" * 63}."\n')
    assert said.startswith('5: mail.server[0].resolver: host not found: "xxx')


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", f"nobody to ask; {EXAMPLE}"),
        ("valid=1m", f"nobody to ask; {EXAMPLE}"),
        ("off 192.0.2.1", f'"off" stands alone; {EXAMPLE}'),
        ("unix:/dns", f'"unix:/dns" is no resolver; {EXAMPLE}'),
        ("dns example:x", f'"example:x" is no resolver; {EXAMPLE}'),
        (
            "192.0.2.1 valid=x",
            '"x" is not a time; write seconds, or "5m", "1h30m", "500ms"',
        ),
        ("192.0.2.1 ipv4=1", '"1" is not a flag; write true or false'),
        (
            "192.0.2.1 status=1",
            'unknown parameter "status=1" (known: valid=, ipv4=, ipv6=)',
        ),
        (
            "192.0.2.1 ipv4=off ipv6=off",
            "neither ipv4 nor ipv6 is left; leave one of them on",
        ),
    ],
)
def test_resolver_that_cannot_be_asked_is_named(
    site: Site, value: str, said: str
) -> None:
    document = f'{SERVER}resolver = "{value}"\n'
    assert site.said(document) == [f"5: mail.server[0].resolver: {said}"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('listen = "127.0.0.1:143"\nresolver = "192.0.2.1"', "the protocol is imap"),
        (
            'listen = "127.0.0.1:25"\nresolver_timeout = "5s"',
            "there is no `resolver`",
        ),
    ],
)
def test_resolver_that_nobody_asks_is_warned_of(
    site: Site, line: str, reason: str
) -> None:
    name = line.splitlines()[1].partition(" ")[0]
    document = SERVER.replace('listen = "127.0.0.1:25"', line)
    assert site.said(document) == [
        f"5: warning: mail.server[0].{name}: has no effect here: {reason}; leave it out"
    ]
