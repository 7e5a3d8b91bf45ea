"""nginx's access module: the first rule decides that speaks of a client."""

from ipaddress import ip_network

import pytest

from mailssl_trio.limits.access import AccessRule, admits

RULES = (  # the example of nginx's own documentation
    AccessRule(allow=False, network=ip_network("192.168.1.1")),
    AccessRule(allow=True, network=ip_network("192.168.1.0/24")),
    AccessRule(allow=True, network=ip_network("10.1.1.0/16", strict=False)),
    AccessRule(allow=True, network=ip_network("2001:db8::/32")),
    AccessRule(allow=False),
)


@pytest.mark.parametrize(
    ("client", "admitted"),
    [
        ("192.168.1.1", False),
        ("192.168.1.2", True),
        ("10.1.200.3", True),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("::ffff:192.168.1.2", True),
        ("::ffff:192.168.1.1", False),
        ("198.51.100.1", False),
        ("unix:", False),
    ],
)
def test_first_rule_that_speaks_of_a_client_decides(
    client: str, admitted: bool
) -> None:
    assert admits(RULES, client) is admitted


def test_client_that_no_rule_speaks_of_may_come() -> None:
    assert admits(RULES[:-1], "198.51.100.1")
    assert admits((), "unix:")


def test_unix_is_whoever_has_no_address() -> None:
    rules = (AccessRule(allow=False, unix=True),)
    assert not admits(rules, "unix:")
    assert admits(rules, "192.0.2.1")


def test_rules_are_written_as_they_are_read() -> None:
    unix = AccessRule(allow=True, unix=True)
    assert [str(rule) for rule in (*RULES[1:2], unix, RULES[-1])] == [
        "allow 192.168.1.0/24",
        "allow unix:",
        "deny all",
    ]
