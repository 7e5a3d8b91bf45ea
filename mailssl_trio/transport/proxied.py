"""The PROXY header of a proxy in front of us: read before all else, believed of few."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import trio
from attrs import frozen

from mailssl_trio.protocol.proxy_header import (
    BrokenHeaderError,
    ProxyHeader,
    octets_wanted,
    parse_header,
)

Network: TypeAlias = IPv4Network | IPv6Network

UNIX = "unix:"
"""Stands for every peer that comes by a Unix socket."""


@frozen
class RealIpFrom:
    """The directive ``set_real_ip_from``: whose headers say who the client is."""

    networks: tuple[Network, ...] = ()
    unix: bool = False

    @property
    def is_set(self) -> bool:
        """Whether anybody is named; if nobody is, anybody may send a header."""
        return self.unix or bool(self.networks)

    @property
    def words(self) -> Iterable[str]:
        """What the directive says."""
        yield from map(str, self.networks)
        if self.unix:
            yield UNIX

    def trusts(self, peer: str) -> bool:
        """Whether a peer is among them; an address, or ``unix:``."""
        if peer.startswith(UNIX):
            return self.unix
        address = ip_address(peer.partition("%")[0])
        if isinstance(address, IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in self.networks)


async def read_header(stream: trio.abc.ReceiveStream) -> ProxyHeader:
    """Read a header, and not an octet that stands behind it.

    Raises BrokenHeaderError, also where the stream ends or breaks before.
    """
    received = b""
    try:
        while wanted := octets_wanted(received):
            data = await stream.receive_some(wanted)
            if not data:
                raise BrokenHeaderError(received)
            received += data
    except trio.BrokenResourceError:
        raise BrokenHeaderError(received) from None
    return parse_header(received)
