"""The PROXY protocol: how a proxy says for whom it speaks (its specification, 2.3).

A header stands before everything else on a connection, before TLS too. Of what comes
behind it not an octet may be read along with it: ``octets_wanted()`` says how many are
the header's for certain.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.protocol.proxy_vectors import (
    CRC32C,
    MalformedVectorsError,
    Tlv,
    checksum,
    parse_tlvs,
    tlv_octets,
)

MAX_V1 = 107
"""Octets of a header in words, its CRLF included (section 2.1)."""

MAX_V2 = 4096
"""Octets of a header in binary; nginx reads as many."""

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
FIXED = len(SIGNATURE) + 4
SHORTEST_V1 = len(b"PROXY UNKNOWN\r\n")

IpAddress: TypeAlias = IPv4Address | IPv6Address

PORT = re.compile(r"0|[1-9][0-9]{0,4}")
V1_FAMILIES: dict[str, type[IPv4Address] | type[IPv6Address]] = {
    "TCP4": IPv4Address,
    "TCP6": IPv6Address,
}

LOCAL, PROXY = 0x20, 0x21
"""Version 2 and a command."""

UNSPEC, INET, INET6, UNIX = range(4)
STREAM = 1
BLOCK = {INET: 12, INET6: 36, UNIX: 216}
"""Octets of addresses and ports in each family."""


def written(address: IpAddress) -> str:
    """Write an address; a mapped one ends in that of IPv4 (RFC 5952 section 5)."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(address) if mapped is None else f"::ffff:{mapped}"


class BrokenHeaderError(Exception):
    """No header, or none that may be believed; ``seen`` is what came in its place."""

    def __init__(self, seen: bytes) -> None:
        super().__init__(seen)
        self.seen = seen


@frozen
class Addresses:
    """Both ends of a connection, in one family."""

    source: IpAddress
    source_port: int
    destination: IpAddress
    destination_port: int

    @property
    def in_one_family(self) -> "Addresses":
        """The same; IPv6 where the ends differ, IPv4 where both are only mapped."""
        ends = self.source, self.destination
        mapped = [end.ipv4_mapped for end in ends if isinstance(end, IPv6Address)]
        if all(mapped):
            source, destination = map(_unmapped, ends)
        else:
            source, destination = map(_mapped, ends)
        return Addresses(source, self.source_port, destination, self.destination_port)


@frozen
class ProxyHeader:
    """What a header says."""

    addresses: Addresses | None = None
    """None where the proxy speaks for itself, or for what has no IP address."""
    tlvs: tuple[Tlv, ...] = ()
    """Version 2: what else it tells, without the checksum, which was right."""


def octets_wanted(received: bytes) -> int:
    """Return how many more octets are the header's for certain; 0: it is whole.

    Raises BrokenHeaderError as soon as what has come cannot become a header.
    """
    if not received:
        return SHORTEST_V1
    if received.startswith(SIGNATURE):
        return _wanted_of_v2(received)
    if SIGNATURE.startswith(received):  # shorter than a header in words can be
        return FIXED - len(received)
    return _wanted_of_v1(received)


def parse_header(header: bytes) -> ProxyHeader:
    """Read a whole header. Raises BrokenHeaderError."""
    if header.startswith(SIGNATURE):
        return _parse_v2(header)
    return _parse_v1(header)


def v1(addresses: Addresses | None) -> bytes:
    """Write a header in words."""
    if addresses is None:
        return b"PROXY UNKNOWN\r\n"
    ends = addresses.in_one_family
    family = "TCP4" if ends.source.version == 4 else "TCP6"
    text = (
        f"PROXY {family} {written(ends.source)} {written(ends.destination)}"
        f" {ends.source_port} {ends.destination_port}\r\n"
    )
    return text.encode()


def v2(addresses: Addresses | None, *tlvs: Tlv) -> bytes:
    """Write a header in binary, a checksum at its end."""
    if addresses is None:
        command, family, block = LOCAL, 0, b""
    else:
        ends = addresses.in_one_family
        command = PROXY
        family = (INET if ends.source.version == 4 else INET6) << 4 | STREAM
        block = ends.source.packed + ends.destination.packed
        block += b"".join(
            port.to_bytes(2, "big")
            for port in (ends.source_port, ends.destination_port)
        )
    block += tlv_octets(*tlvs, Tlv(CRC32C, bytes(4)))
    start = SIGNATURE + bytes((command, family))
    header = start + len(block).to_bytes(2, "big") + block
    return header[:-4] + checksum(header).to_bytes(4, "big")


def _wanted_of_v1(received: bytes) -> int:
    """Each field that is missing takes an octet and a space, the end CR and LF."""
    prefix = b"PROXY "
    fits = received.startswith(prefix) or prefix.startswith(received)
    line, end, _ = received.partition(b"\r\n")
    length = len(line.removesuffix(b"\r")) + 2
    if not fits or b"\n" in line or length > MAX_V1:
        raise BrokenHeaderError(received)
    if end:
        return 0
    if len(received) < SHORTEST_V1:
        return SHORTEST_V1 - len(received)
    missing = 5 - line.count(b" ") if line.startswith(b"PROXY TCP") else 0
    return 2 * max(missing, 0) + (1 if line.endswith(b"\r") else 2)


def _wanted_of_v2(received: bytes) -> int:
    if len(received) < FIXED:
        return FIXED - len(received)
    whole = FIXED + int.from_bytes(received[FIXED - 2 : FIXED], "big")
    if whole > MAX_V2:
        raise BrokenHeaderError(received)
    return whole - len(received)


def _parse_v1(header: bytes) -> ProxyHeader:
    broken = BrokenHeaderError(header)
    try:
        words = header.removesuffix(b"\r\n").decode("ascii").split(" ")
    except UnicodeDecodeError:
        raise broken from None
    match words:
        case ["PROXY", "UNKNOWN", *_]:
            return ProxyHeader()
        case ["PROXY", ("TCP4" | "TCP6") as name, source, destination, *ports]:
            return ProxyHeader(
                _ends(V1_FAMILIES[name], (source, destination), ports, broken)
            )
    raise broken


def _ends(
    family: Callable[[str], IpAddress],
    ends: tuple[str, str],
    ports: list[str],
    broken: BrokenHeaderError,
) -> Addresses:
    if len(ports) != 2 or not all(map(PORT.fullmatch, ports)) or "%" in "".join(ends):
        raise broken
    source_port, destination_port = map(int, ports)
    if max(source_port, destination_port) > 65535:
        raise broken
    try:
        source, destination = map(family, ends)
    except ValueError:
        raise broken from None
    return Addresses(source, source_port, destination, destination_port)


def _parse_v2(header: bytes) -> ProxyHeader:
    """Read it as the specification has it: what it does not know, it drops."""
    command, kind = header[len(SIGNATURE) : len(SIGNATURE) + 2]
    if command == LOCAL:  # the connection is the proxy's own; nothing else counts
        return ProxyHeader()
    family, transport = divmod(kind, 16)
    block = header[FIXED:]
    size = BLOCK.get(family, 0)
    if command != PROXY or family > UNIX or transport > 2 or len(block) < size:
        raise BrokenHeaderError(header)
    try:
        tlvs = _checked(parse_tlvs(block[size:]), header)
    except MalformedVectorsError:
        raise BrokenHeaderError(header) from None
    if transport != STREAM:
        return ProxyHeader(None, tlvs)
    match family:
        case 1:
            return ProxyHeader(_ends_of(IPv4Address, block[:size]), tlvs)
        case 2:
            return ProxyHeader(_ends_of(IPv6Address, block[:size]), tlvs)
        case _:
            return ProxyHeader(None, tlvs)


def _ends_of(family: Callable[[bytes], IpAddress], block: bytes) -> Addresses:
    half = (len(block) - 4) // 2
    return Addresses(
        family(block[:half]),
        int.from_bytes(block[-4:-2], "big"),
        family(block[half : 2 * half]),
        int.from_bytes(block[-2:], "big"),
    )


def _checked(tlvs: tuple[Tlv, ...], header: bytes) -> tuple[Tlv, ...]:
    """Return all but the checksum, which must be that of this header."""
    for tlv in tlvs:
        if tlv.kind == CRC32C:
            rest = tlv_octets(*tlvs[tlvs.index(tlv) + 1 :])
            at = len(header) - len(rest) - 4
            blank = header[:at] + bytes(4) + header[at + 4 :]
            if tlv.value != checksum(blank).to_bytes(4, "big"):
                raise BrokenHeaderError(header)
    return tuple(tlv for tlv in tlvs if tlv.kind != CRC32C)


def _mapped(address: IpAddress) -> IpAddress:
    if isinstance(address, IPv6Address):
        return address
    return IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _unmapped(address: IpAddress) -> IpAddress:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
