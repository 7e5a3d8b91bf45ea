"""The PROXY protocol by its specification, with proxy-protocol's reader as witness."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import SOCK_STREAM
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxyprotocol.result import ProxyResult, ProxyResultIPv4, ProxyResultIPv6
from proxyprotocol.tlv import ProxyProtocolTLV
from proxyprotocol.v1 import ProxyProtocolV1
from proxyprotocol.v2 import ProxyProtocolV2

from mailssl_trio.protocol.proxy_header import (
    MAX_V1,
    MAX_V2,
    SIGNATURE,
    Addresses,
    BrokenHeaderError,
    ProxyHeader,
    octets_wanted,
    parse_header,
    v1,
    v2,
)
from mailssl_trio.protocol.proxy_vectors import (
    ALPN,
    AUTHORITY,
    CRC32C,
    NOOP,
    Tlv,
    checksum,
    parse_tlvs,
    ssl,
    tlv_octets,
)

BEHIND = b"\x16\x03\x01 a ClientHello, or a command\r\n"


def ends(source: str, destination: str) -> Addresses:
    return Addresses(ip_address(source), 56324, ip_address(destination), 443)


BY_4 = ends("255.255.255.255", "192.0.2.1")
BY_6 = ends("2001:db8::1", "2001:db8::2")


def block(octets: bytes, *, command: int = 0x21, kind: int = 0x11) -> bytes:
    """Write a header in binary, right or wrong."""
    start = SIGNATURE + bytes((command, kind))
    return start + len(octets).to_bytes(2, "big") + octets


INET = bytes.fromhex("ffffffff c0000201 dc04 01bb")
INET6 = ip_address("2001:db8::1").packed + ip_address("2001:db8::2").packed
INET6 += INET[-4:]


def read(data: bytes, *, piece: int = 1 << 20) -> tuple[ProxyHeader, bytes]:
    """Read a header as a stream is read; return what is left on the stream too."""
    header = b""
    while wanted := octets_wanted(header):
        taken = min(wanted, piece)
        header, data = header + data[:taken], data[taken:]
        assert len(data) or not octets_wanted(header), "it wants more than there is"
    return parse_header(header), data


WORDS = [
    (b"PROXY TCP4 255.255.255.255 192.0.2.1 56324 443\r\n", BY_4),
    (b"PROXY TCP6 2001:db8::1 2001:DB8:0::2 56324 443\r\n", BY_6),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", None),
    (b"PROXY UNKNOWN " + b"f" * (MAX_V1 - 16) + b"\r\n", None),
]
BINARY = [
    (block(INET), BY_4),
    (block(INET6, kind=0x21), BY_6),
    (block(b"", command=0x20, kind=0), None),
    (block(INET, command=0x20), None),
    (block(b"\xff" * 3, command=0x20, kind=0xFF), None),
    (block(b"", kind=0), None),
    (block(INET, kind=0x12), None),
    (block(bytes(216), kind=0x31), None),
]


@pytest.mark.parametrize("piece", [1, 2, 7, 1 << 20])
@pytest.mark.parametrize(("header", "addresses"), WORDS + BINARY)
def test_header_is_read_to_its_last_octet_and_no_further(
    header: bytes, addresses: Addresses | None, piece: int
) -> None:
    assert read(header + BEHIND, piece=piece) == (ProxyHeader(addresses), BEHIND)


@pytest.mark.parametrize(
    "seen",
    [
        b"EHLO client.example\r\n",
        b"a1 LOGIN joe secret\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00\x00\x00\x00\x00",
        b"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
        b"PROXY\r\n",
        b"PROXY TCP4\r\n.....",
        b"PROXY TCP4 300.1.1.1 192.0.2.2 123 5678\r\n",
        b"PROXY TCP4 192.0.2.01 192.0.2.2 123 5678\r\n",
        b"PROXY TCP4 ::1 ::1 123 5678\r\n",
        b"PROXY TCP6 192.0.2.1 192.0.2.2 123 5678\r\n",
        b"PROXY TCP6 fe80::1%lo fe80::2 123 5678\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 123 65536\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 123 0800\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 -1 80\r\n",
        b"PROXY TCP4 192.0.2.1  192.0.2.2 123 80\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 123\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 123 80 90\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 123 80\n\r\n",
        b"PROXY TCP5 192.0.2.1 192.0.2.2 123 80\r\n",
        b"PROXY TCP4 192.0.2.\xff 192.0.2.2 123 80\r\n",
        b"PROXY UNKNOWN " + b"f" * (MAX_V1 - 15) + b"\r\n",
        block(INET, command=0x11),
        block(INET, command=0x22),
        block(INET, kind=0x13),
        block(INET, kind=0x41),
        block(INET[:-1]),
        block(INET, kind=0x21),
        block(INET + b"\x02\x00"),
        block(INET + b"\x02\x00\x05abcd"),
        block(INET + tlv_octets(Tlv(CRC32C, b"\0\0\0\0"))),
        block(INET + tlv_octets(Tlv(CRC32C, b"\0"))),
        block(b"\xff" * 65535),
        block(b"\xff" * (MAX_V2 - 15)),
    ],
)
def test_what_is_no_header_is_refused(seen: bytes) -> None:
    with pytest.raises(BrokenHeaderError) as broken:
        read(seen + BEHIND)
    assert (seen + BEHIND).startswith(broken.value.seen)


def test_length_that_lies_is_refused_before_it_is_read() -> None:
    with pytest.raises(BrokenHeaderError) as broken:
        octets_wanted(SIGNATURE + b"\x21\x11\xff\xff")
    assert len(broken.value.seen) == 16


@pytest.mark.parametrize(
    ("addresses", "written"),
    [
        (BY_4, b"PROXY TCP4 255.255.255.255 192.0.2.1 56324 443\r\n"),
        (BY_6, b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 443\r\n"),
        (None, b"PROXY UNKNOWN\r\n"),
        (
            ends("2001:db8::1", "127.0.0.1"),
            b"PROXY TCP6 2001:db8::1 ::ffff:127.0.0.1 56324 443\r\n",
        ),
        (
            ends("::ffff:192.0.2.7", "::ffff:127.0.0.1"),
            b"PROXY TCP4 192.0.2.7 127.0.0.1 56324 443\r\n",
        ),
    ],
)
def test_header_in_words_has_addresses_of_one_family(
    addresses: Addresses | None, written: bytes
) -> None:
    assert v1(addresses) == written


def test_header_in_binary_ends_with_a_checksum() -> None:
    header = v2(BY_4, Tlv(AUTHORITY, b"mail.example"))
    assert header.startswith(
        SIGNATURE + b"\x21\x11\x00\x22" + INET + b"\x02\x00\x0cmail.example\x03\x00\x04"
    )
    assert read(header) == (ProxyHeader(BY_4, (Tlv(AUTHORITY, b"mail.example"),)), b"")


def test_who_has_no_address_is_announced_as_the_proxy_itself() -> None:
    header = v2(None)
    assert header.startswith(SIGNATURE + b"\x20\x00\x00\x07\x03\x00\x04")
    assert read(header) == (ProxyHeader(), b"")


@pytest.mark.parametrize(
    ("addresses", "as_read"),
    [
        (ends("2001:db8::1", "127.0.0.1"), ends("2001:db8::1", "::ffff:127.0.0.1")),
        (ends("192.0.2.1", "::1"), ends("::ffff:192.0.2.1", "::1")),
        (ends("192.0.2.1", "::ffff:7.7.7.7"), ends("192.0.2.1", "7.7.7.7")),
        (ends("::ffff:192.0.2.7", "::ffff:7.7.7.7"), ends("192.0.2.7", "7.7.7.7")),
    ],
)
def test_header_in_binary_has_addresses_of_one_family(
    addresses: Addresses, as_read: Addresses
) -> None:
    assert read(v2(addresses))[0].addresses == as_read


def test_checksum_is_that_of_rfc_3720() -> None:
    """Appendix B.4 of it has these values, with their octets in reverse."""
    assert checksum(bytes(32)) == 0x8A9136AA
    assert checksum(b"\xff" * 32) == 0x62A8AB43
    assert checksum(bytes(range(32))) == 0x46DD794E


def test_checksum_is_verified_wherever_it_stands() -> None:
    vectors = (Tlv(NOOP, b"abc"), Tlv(CRC32C, bytes(4)), Tlv(ALPN, b"imap"))
    blank = block(INET + tlv_octets(*vectors))
    right = checksum(blank).to_bytes(4, "big")
    header = block(INET + tlv_octets(vectors[0], Tlv(CRC32C, right), vectors[2]))
    assert read(header)[0].tlvs == (vectors[0], vectors[2])
    for at in {*range(len(SIGNATURE) + 4, len(header))} - {header.index(right) - 3}:
        wrong = header[:at] + bytes((header[at] ^ 1,)) + header[at + 1 :]
        with pytest.raises(BrokenHeaderError):
            read(wrong)


def test_tls_of_the_client_is_told_in_full() -> None:
    told = ssl(
        "TLSv1.3",
        "TLS_AES_256_GCM_SHA384",
        common_name=b"joe",
        signature="RSA-SHA256",
        key="rsaEncryption",
        verified=True,
    )
    witness = ProxyProtocolTLV(tlv_octets(told)).ssl
    assert (witness.version, witness.cn) == ("TLSv1.3", "joe")
    assert witness.cipher == "TLS_AES_256_GCM_SHA384"
    assert (witness.sig_alg, witness.key_alg) == ("RSA-SHA256", "rsaEncryption")
    assert witness.has_ssl
    assert witness.has_cert_conn
    assert witness.has_cert_sess
    assert witness.verified


def test_client_without_a_certificate_is_not_verified() -> None:
    told = ssl("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", verified=True)
    assert told.value[:5] == b"\x01\x00\x00\x00\x01"
    resumed = ssl("TLSv1.2", "x", common_name=b"joe", verified=True, resumed=True)
    assert resumed.value[:5] == b"\x05\x00\x00\x00\x00"


PORTS = st.integers(0, 65535)


def both(version: Literal[4, 6]) -> st.SearchStrategy[Addresses]:
    """Both ends in one family, and not mapped into the other."""
    hosts = st.ip_addresses(v=version)
    return st.builds(Addresses, hosts, PORTS, hosts, PORTS).filter(
        lambda both: both == both.in_one_family
    )


TLVS = st.lists(
    st.builds(Tlv, st.integers(0xE0, 0xEF), st.binary(max_size=40)),
    max_size=4,
    unique_by=lambda tlv: tlv.kind,
)


@given(both(4) | both(6))
def test_witness_reads_in_words_what_we_write(addresses: Addresses) -> None:
    witness = ProxyProtocolV1().unpack(v1(addresses))
    assert isinstance(witness, ProxyResultIPv4 | ProxyResultIPv6)
    assert witness.source == (addresses.source, addresses.source_port)
    assert witness.dest == (addresses.destination, addresses.destination_port)


@given(both(4) | both(6), TLVS)
def test_witness_reads_in_binary_what_we_write(
    addresses: Addresses, tlvs: list[Tlv]
) -> None:
    witness = ProxyProtocolV2().unpack(v2(addresses, *tlvs))
    assert isinstance(witness, ProxyResultIPv4 | ProxyResultIPv6)
    assert witness.source == (addresses.source, addresses.source_port)
    assert witness.dest == (addresses.destination, addresses.destination_port)
    assert {tlv.kind: tlv.value for tlv in tlvs}.items() <= dict(witness.tlv).items()


@given(both(4) | both(6), TLVS)
def test_we_read_what_the_witness_writes(addresses: Addresses, tlvs: list[Tlv]) -> None:
    result = as_result(addresses, ProxyProtocolTLV(tlv_octets(*tlvs)))
    header, behind = read(ProxyProtocolV2().pack(result) + BEHIND)
    assert (header.addresses, behind) == (addresses, BEHIND)
    assert set(header.tlvs) == set(tlvs)
    header, behind = read(ProxyProtocolV1().pack(result) + BEHIND)
    assert (header.addresses, behind) == (addresses, BEHIND)


def as_result(addresses: Addresses, told: ProxyProtocolTLV) -> ProxyResult:
    """Say in the witness's words what a header says."""
    match addresses.source, addresses.destination:
        case IPv4Address() as source, IPv4Address() as destination:
            return ProxyResultIPv4(
                (source, addresses.source_port),
                (destination, addresses.destination_port),
                protocol=SOCK_STREAM,
                tlv=told,
            )
        case IPv6Address() as source, IPv6Address() as destination:
            return ProxyResultIPv6(
                (source, addresses.source_port),
                (destination, addresses.destination_port),
                protocol=SOCK_STREAM,
                tlv=told,
            )
    raise ValueError(addresses)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(SIGNATURE.__add__))
def test_no_octets_make_it_fail_in_another_way(octets: bytes) -> None:
    header = b""
    try:
        while (wanted := octets_wanted(header)) and len(header) < len(octets):
            header = octets[: len(header) + wanted]
        if not octets_wanted(header):
            parse_header(header)
    except BrokenHeaderError:
        return


@given(TLVS)
def test_vectors_are_read_as_they_were_written(tlvs: list[Tlv]) -> None:
    assert parse_tlvs(tlv_octets(*tlvs)) == tuple(tlvs)
