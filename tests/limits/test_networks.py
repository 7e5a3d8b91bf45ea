"""Networks are found by address; who pays for a client."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from mailssl_trio.limits.networks import Networks, address_of, network_of, payer


@pytest.mark.parametrize(
    ("client", "found"),
    [
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_address_pays_for_itself_and_one_of_ipv6_for_its_subscriber(
    client: str, found: str
) -> None:
    address = address_of(client)
    assert address is not None
    assert str(payer(address)) == found


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("192.0.2.7/24", "192.0.2.0/24"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("fe80::1%eth0", "fe80::1/128"),
        ("fe80::1%\n[alert] forged/64", "fe80::/64"),
    ],
)
def test_network_is_read_as_clients_addresses_are(written: str, meant: str) -> None:
    assert str(network_of(written)) == meant


@pytest.mark.parametrize("written", ["", "x", "192.0.2.7/33", "192.0.2.7/24/3", "%"])
def test_what_is_no_network_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="does not appear"):
        network_of(written)


def test_client_of_a_unix_socket_has_no_address() -> None:
    assert address_of("unix:") is None


def test_all_networks_that_hold_an_address_are_found_the_smallest_first() -> None:
    networks: Networks[str] = Networks()
    for text in ("192.0.0.0/16", "192.0.2.1/32", "192.0.2.0/24", "::/0", "10.0.0.0/8"):
        networks[ip_network(text)] = text
    assert [*networks.holding(IPv4Address("192.0.2.1"))] == [
        "192.0.2.1/32",
        "192.0.2.0/24",
        "192.0.0.0/16",
    ]
    assert [*networks.holding(IPv6Address("2001:db8::1"))] == ["::/0"]
    assert [*networks.holding(IPv4Address("198.51.100.1"))] == []


def test_network_that_is_taken_out_holds_no_more() -> None:
    networks: Networks[int] = Networks()
    networks[ip_network("192.0.2.0/24")] = 1
    networks[ip_network("0.0.0.0/0")] = 2
    networks.pop(ip_network("192.0.2.0/24"))
    networks.pop(ip_network("198.51.100.0/24"))
    assert [*networks.holding(IPv4Address("192.0.2.1"))] == [2]
