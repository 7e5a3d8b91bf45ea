"""What a PROXY header tells beyond addresses: vectors of type, length and value.

They are those of the specification, section 2.2, and the checksum is CRC32c, by the
polynomial of RFC 4960 appendix B.
"""

from collections.abc import Iterator
from itertools import accumulate, repeat

from attrs import frozen

ALPN, AUTHORITY, CRC32C, NOOP = 0x01, 0x02, 0x03, 0x04
SSL = 0x20
SSL_VERSION, SSL_CN, SSL_CIPHER, SSL_SIG_ALG, SSL_KEY_ALG = range(0x21, 0x26)

CLIENT_SSL, CLIENT_CERT_CONN, CLIENT_CERT_SESS = 0x01, 0x02, 0x04
"""What the first octet of SSL says: by TLS; with a certificate, now or before."""


class MalformedVectorsError(ValueError):
    """Vectors that do not fill their room exactly."""


@frozen
class Tlv:
    """A type and a value."""

    kind: int
    value: bytes


def tlv_octets(*tlvs: Tlv) -> bytes:
    """Write vectors, one behind the other."""
    return b"".join(
        bytes((tlv.kind,)) + len(tlv.value).to_bytes(2, "big") + tlv.value
        for tlv in tlvs
    )


def parse_tlvs(octets: bytes) -> tuple[Tlv, ...]:
    """Read vectors. Raises MalformedVectorsError."""
    return tuple(_tlvs(octets))


def _tlvs(octets: bytes) -> Iterator[Tlv]:
    at = 0
    while at < len(octets):
        value = at + 3
        end = value + int.from_bytes(octets[at + 1 : value], "big")
        if value > len(octets) or end > len(octets):
            raise MalformedVectorsError
        yield Tlv(octets[at], octets[value:end])
        at = end


def ssl(
    version: str,
    cipher: str,
    *,
    common_name: bytes | None = None,
    signature: str = "",
    key: str = "",
    verified: bool = False,
    resumed: bool = False,
) -> Tlv:
    """Write what TLS the client speaks, and by which certificate, if it showed one."""
    shown = common_name is not None
    flags = CLIENT_SSL
    if shown:
        flags |= CLIENT_CERT_SESS | (0 if resumed else CLIENT_CERT_CONN)
    verify = 0 if shown and verified else 1
    parts = (
        (SSL_VERSION, version.encode()),
        (SSL_CN, common_name or b""),
        (SSL_CIPHER, cipher.encode()),
        (SSL_SIG_ALG, signature.encode()),
        (SSL_KEY_ALG, key.encode()),
    )
    told = tlv_octets(*(Tlv(kind, value) for kind, value in parts if value))
    return Tlv(SSL, bytes((flags,)) + verify.to_bytes(4, "big") + told)


def checksum(octets: bytes) -> int:
    """Return the CRC32c of octets."""
    crc = 0xFFFFFFFF
    for octet in octets:
        crc = TABLE[(crc ^ octet) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _entry(octet: int) -> int:
    """Return what eight steps of the polynomial, bits reversed, make of an octet."""
    *_, last = accumulate(
        repeat(0x82F63B78, 8),
        lambda crc, polynomial: crc >> 1 ^ (polynomial if crc & 1 else 0),
        initial=octet,
    )
    return last


TABLE = tuple(map(_entry, range(256)))
