"""The PROXY header of a proxy in front of us: read before all else, believed of few."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import trio
from attrs import frozen

from mailssl_trio.protocol.proxy_header import (
    MAX_V1,
    Addresses,
    BrokenHeaderError,
    ProxyHeader,
    octets_wanted,
    parse_header,
    written,
)

Network: TypeAlias = IPv4Network | IPv6Network

LOGIN = re.compile(rb"\b(?:APOP|AUTH|AUTHENTICATE|LOGIN|PASS)\b", re.IGNORECASE)
"""Behind these stands what is nobody's to read, the log's neither."""

UNIX = "unix:"
"""Stands for every peer that comes by a Unix socket."""


class RefusedProxyError(Exception):
    """A proxy that may not say who its client is; the text says why.

    ``seen`` is what came in place of a header, None where there was one.
    """

    def __init__(self, text: str, seen: bytes | None = None) -> None:
        super().__init__(text)
        self.seen = seen


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

    def believed(self, header: ProxyHeader, peer: str) -> Addresses | None:
        """Return what is to be believed of a peer's header; None: it is the client.

        Raises RefusedProxyError for those who are not named where somebody is.
        """
        if not self.is_set:
            return None
        if not self.trusts(peer):
            raise RefusedProxyError(
                f"{peer} is not in set_real_ip_from, it {_claim(header)}"
            )
        return header.addresses


async def read_header(stream: trio.abc.ReceiveStream) -> ProxyHeader:
    """Read a header, and not an octet that stands behind it.

    Raises RefusedProxyError, also where the stream ends or breaks before.
    """
    received = b""
    try:
        while wanted := octets_wanted(received):
            data = await stream.receive_some(wanted)
            if not data:
                raise BrokenHeaderError(received)
            received += data
        return parse_header(received)
    except (BrokenHeaderError, trio.BrokenResourceError):
        raise RefusedProxyError("broken header", _first_line(received)) from None


def _first_line(seen: bytes) -> bytes:
    """Return of what came in place of a header what a line of the log can hold."""
    line = re.split(rb"[\r\n]", seen, maxsplit=1)[0] or seen
    login = LOGIN.search(line)
    return line[: login.end() if login else MAX_V1]


def _claim(header: ProxyHeader) -> str:
    match header.addresses:
        case None:
            return "speaks for itself"
        case ends:
            return f"speaks for {written(ends.source)}, port {ends.source_port}"
