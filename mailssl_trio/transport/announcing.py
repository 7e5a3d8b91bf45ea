"""The PROXY header that a backend gets before all else: for whom we speak to it."""

from enum import Enum
from ipaddress import ip_address

from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import UNIX_CLIENT, Introduction
from mailssl_trio.protocol.proxy_header import Addresses, IpAddress, v1, v2
from mailssl_trio.protocol.proxy_vectors import ALPN, AUTHORITY, Tlv, ssl
from mailssl_trio.tls.certificates.algorithms import common_name, key, signature


class ProxyProtocol(Enum):
    """The directive ``proxy_protocol``: in which form backends get a header."""

    OFF = "off"
    ON = "on"
    """In words, version 1."""
    V2 = "v2"
    """In binary, with what the client's TLS is like."""


def header(form: ProxyProtocol, client: Introduction, tls: TlsInfo | None) -> bytes:
    """Write what a backend gets first; nothing where it is to get none."""
    match form:
        case ProxyProtocol.OFF:
            return b""
        case ProxyProtocol.ON:
            return v1(_addresses(client))
        case ProxyProtocol.V2:
            return v2(_addresses(client), *(() if tls is None else _tlvs(tls)))


def _addresses(client: Introduction) -> Addresses | None:
    """Return both ends of the client's connection; None where one has no address."""
    if UNIX_CLIENT in {client.client, client.server}:
        return None
    return Addresses(
        _address(client.client),
        client.client_port,
        _address(client.server),
        client.server_port,
    )


def _address(text: str) -> IpAddress:
    """Read an address; its zone is for this machine alone."""
    return ip_address(text.partition("%")[0])


def _tlvs(tls: TlsInfo) -> tuple[Tlv, ...]:
    named = ((AUTHORITY, tls.server_name), (ALPN, tls.alpn))
    told = [Tlv(kind, value.encode()) for kind, value in named if value]
    shown = tls.certificate
    return (
        *told,
        ssl(
            tls.version,
            tls.cipher,
            common_name=None if shown is None else common_name(shown),
            signature="" if shown is None else signature(shown),
            key="" if shown is None else key(shown),
            verified=tls.verified == "SUCCESS",
            resumed=tls.resumed,
        ),
    )
