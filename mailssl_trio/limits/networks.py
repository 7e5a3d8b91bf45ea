"""Networks, and what holds for them: found by an address, however many there are."""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import Generic, TypeAlias, TypeVar

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

T = TypeVar("T")

REMEMBERED = 4096
"""Clients whose addresses need not be read again."""

IPV6_PREFIX = 64
"""Bits of an IPv6 address that tell one subscriber from another: RFC 6177 section 2
gives him at least so many for himself, so that he has 2^64 addresses to come from."""


MAPPED_PREFIX = 96
"""Bits before the IPv4 address in one of IPv6 that stands for it (RFC 4291 2.5.5.2)."""

ZONE = re.compile("%[^/]*")


@lru_cache(REMEMBERED)
def address_of(client: str) -> Address | None:
    """Return a client's address; None for one that came by a Unix socket."""
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


@lru_cache(REMEMBERED)
def payer(address: Address) -> Network:
    """Return who is counted for a client: its address, or the /64 of IPv6."""
    if isinstance(address, IPv4Address):
        return IPv4Network(address)
    return ip_network((address, IPV6_PREFIX), strict=False)


def network_of(text: str) -> Network:
    """Read an address or a network that somebody has written. Raises ValueError.

    As with clients, one of IPv4 may be written as IPv6, as logs have it where a socket
    is for both; and a zone says nothing about who it is.
    """
    network = ip_interface(ZONE.sub("", text)).network
    if isinstance(network, IPv4Network) or network.prefixlen < MAPPED_PREFIX:
        return network
    mapped = network.network_address.ipv4_mapped
    length = network.prefixlen - MAPPED_PREFIX
    return network if mapped is None else ip_network((mapped, length))


class Networks(Generic[T]):
    """What holds for networks.

    To find it for an address takes a look for each length of a prefix that there is.
    """

    def __init__(self) -> None:
        self._by_prefix: dict[tuple[int, int], dict[int, T]] = {}

    def __setitem__(self, network: Network, value: T) -> None:
        place = network.version, network.prefixlen
        if place not in self._by_prefix:
            self._by_prefix[place] = {}
            longest_first = sorted(self._by_prefix, reverse=True)
            self._by_prefix = {key: self._by_prefix[key] for key in longest_first}
        self._by_prefix[place][int(network.network_address)] = value

    def pop(self, network: Network) -> None:
        """Have nothing hold for a network."""
        place = network.version, network.prefixlen
        found = self._by_prefix.get(place, {})
        found.pop(int(network.network_address), None)
        if not found:
            self._by_prefix.pop(place, None)

    def holding(self, address: Address) -> Iterator[T]:
        """Yield what holds for an address, for the smallest network first."""
        number, bits = int(address), address.max_prefixlen
        for (version, prefix), found in self._by_prefix.items():
            if version == address.version:
                shift = bits - prefix
                if (match := found.get(number >> shift << shift)) is not None:
                    yield match
