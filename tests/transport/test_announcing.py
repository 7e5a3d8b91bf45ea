"""The PROXY header that backends get, before all else."""

from contextlib import suppress
from socket import socket, socketpair
from ssl import PEM_cert_to_DER_cert

import pytest
import trio
from attrs import evolve
from proxyprotocol.result import ProxyResultIPv4, ProxyResultLocal
from proxyprotocol.v2 import ProxyProtocolV2
from trustme import CA

from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.transport.address import EmbeddedAddress, TcpAddress
from mailssl_trio.transport.announcing import ProxyProtocol, header
from mailssl_trio.transport.dial import Dialer, DialError
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import client_side

CLIENT = Introduction("192.0.2.9", 50123, "198.51.100.1", 993)
BY_TLS = TlsInfo(
    "TLSv1.3", "TLS_AES_256_GCM_SHA384", server_name="mail.example", alpn="imap"
)
V1 = b"PROXY TCP4 192.0.2.9 198.51.100.1 50123 993\r\n"


def test_nothing_is_said_unless_asked_for() -> None:
    assert header(ProxyProtocol.OFF, CLIENT, BY_TLS) == b""


@pytest.mark.parametrize(
    ("client", "line"),
    [
        (CLIENT, V1),
        (Introduction("fe80::9%lo", 1, "::1", 2), b"PROXY TCP6 fe80::9 ::1 1 2\r\n"),
        (Introduction(), b"PROXY UNKNOWN\r\n"),
    ],
)
def test_first_version_says_both_ends(client: Introduction, line: bytes) -> None:
    assert header(ProxyProtocol.ON, client, BY_TLS) == line


def test_second_version_says_what_the_clients_tls_is_like() -> None:
    said = ProxyProtocolV2().unpack(header(ProxyProtocol.V2, CLIENT, BY_TLS))
    assert isinstance(said, ProxyResultIPv4)
    assert (str(said.source[0]), said.source[1]) == ("192.0.2.9", 50123)
    assert (str(said.dest[0]), said.dest[1]) == ("198.51.100.1", 993)
    assert (said.tlv.authority, said.tlv.alpn) == ("mail.example", b"imap")
    tls = said.tlv.ssl
    assert (tls.version, tls.cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert tls.has_ssl
    assert not tls.has_cert_sess
    assert not tls.verified
    assert said.tlv.crc32c is not None


@pytest.mark.parametrize("resumed", [False, True])
def test_second_version_says_whose_certificate_the_client_has(resumed: bool) -> None:
    issued = CA().issue_cert("joe@example.org", common_name="joe")
    shown = PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    by_certificate = evolve(
        BY_TLS, verified="SUCCESS", certificate=shown, resumed=resumed
    )
    said = ProxyProtocolV2().unpack(header(ProxyProtocol.V2, CLIENT, by_certificate))
    assert isinstance(said, ProxyResultIPv4)
    tls = said.tlv.ssl
    assert (tls.cn, tls.verified) == ("joe", True)
    assert (tls.sig_alg, tls.key_alg) == ("ecdsa-with-SHA256", "id-ecPublicKey")
    assert tls.has_cert_sess
    assert tls.has_cert_conn is not resumed
    dubious = evolve(by_certificate, verified="FAILED:self-signed certificate")
    said = ProxyProtocolV2().unpack(header(ProxyProtocol.V2, CLIENT, dubious))
    assert not said.tlv.ssl.verified


def test_second_version_says_nothing_of_tls_that_there_is_not() -> None:
    said = header(ProxyProtocol.V2, CLIENT, None)
    assert len(said) == 16 + 12 + 7
    assert isinstance(ProxyProtocolV2().unpack(said), ProxyResultIPv4)
    by_socket = ProxyProtocolV2().unpack(header(ProxyProtocol.V2, Introduction(), None))
    assert isinstance(by_socket, ProxyResultLocal)


async def heard_by_a_backend(upstream_ssl: ProxySsl, form: ProxyProtocol) -> bytes:
    """Return what a backend hears first, without saying a word."""
    heard = b""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, trio.open_nursery() as nursery:
        port = listener.socket.getsockname()[1]
        dialer = Dialer(
            "imap",
            "gw",
            Timeouts(session=1, connect=1, close=0.1),
            client_side(),
            proxy_protocol=form,
        )

        async def dial() -> None:
            upstream = Upstream(TcpAddress("127.0.0.1", port), upstream_ssl)
            credentials = Password(b"joe", b"x")
            connection = await dialer.open(upstream, credentials, CLIENT, BY_TLS)
            with suppress(trio.BrokenResourceError):
                await connection.next_event()
            await connection.close()

        nursery.start_soon(dial)
        stream = await listener.accept()
        with trio.fail_after(1):
            while len(heard) < len(V1) + 3:
                heard += await stream.receive_some(1)
        await stream.aclose()
    return heard


async def test_header_comes_before_tls() -> None:
    heard = await heard_by_a_backend(ProxySsl.ON, ProxyProtocol.ON)
    assert heard == V1 + b"\x16\x03\x01"


async def test_embedded_mailbox_gets_none() -> None:
    """Users may be there whose server's other users are not."""
    ours, theirs = socketpair()

    async def embedded(protocol: str) -> socket:
        return ours

    dialer = Dialer(
        "imap", "gw", Timeouts(), None, embedded, proxy_protocol=ProxyProtocol.ON
    )
    upstream = Upstream(EmbeddedAddress())
    await dialer.open(upstream, Password(b"joe", b"x"), CLIENT)
    ours.send(b"first")
    assert theirs.recv(100) == b"first"
    ours.close()
    theirs.close()


async def test_backend_that_has_gone_cannot_be_told() -> None:
    ours, theirs = socketpair()
    theirs.close()
    dialer = Dialer("imap", "gw", Timeouts(), proxy_protocol=ProxyProtocol.ON)
    with pytest.raises(DialError, match="could not send PROXY protocol header"):
        await dialer._announce(Wire(ours, 0.1), V1)
