"""One handshake over real TLS, and what it agreed on."""

import ssl

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.transport.secure import Secured, TlsLayer, session_of
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import NAME, authority, client_side, server_side, server_tls
from tests.wire_pair import wire_pair


def server_name(connection: ssl.SSLSocket) -> str | None:
    assert BENEATH_PYTHON is not None
    name = BENEATH_PYTHON.server_name(connection)
    return None if name is None else name.decode()


async def shake_hands(
    name: str,
    offer: bytes | None = None,
    *,
    caller: ssl.SSLContext | None = None,
    called: ssl.SSLContext | None = None,
) -> tuple[Secured, Secured]:
    """Let a client call a server; return what server and client know afterwards."""
    ours, theirs = wire_pair()
    client = TlsLayer(caller or client_side(), False, name, offer)
    server = TlsLayer(called or server_side(), server_name=server_name)
    by_side: dict[bool, Secured] = {}

    async def upgrade(layer: TlsLayer, wire: Wire) -> None:
        by_side[layer.server_side] = await layer.upgrade(wire)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(upgrade, client, theirs)
        nursery.start_soon(upgrade, server, ours)
    return by_side[True], by_side[False]


async def test_handshake_tells_version_and_cipher(autojump_clock: MockClock) -> None:
    server, client = await shake_hands(NAME)
    assert server.info.version == client.info.version == "TLSv1.3"
    assert server.info.cipher == client.info.cipher == "TLS_AES_256_GCM_SHA384"
    assert server.refusal is None
    assert server.info.refused is None


@pytest.mark.parametrize(
    ("name", "asked_for"),
    [(NAME, NAME), ("127.0.0.1", None)],  # RFC 6066 section 3: no SNI for addresses
)
async def test_server_learns_which_name_was_asked_for(
    name: str, asked_for: str | None, autojump_clock: MockClock
) -> None:
    server, client = await shake_hands(name)
    assert server.info.server_name == asked_for
    assert client.info.server_name is None


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
async def test_both_sides_learn_what_alpn_agreed_on(
    protocol: str, autojump_clock: MockClock
) -> None:
    caller = ssl.create_default_context()
    authority().configure_trust(caller)
    caller.set_alpn_protocols(["http/1.1", protocol])
    called = server_tls(protocol).context
    server, client = await shake_hands(NAME, caller=caller, called=called)
    assert server.info.alpn == client.info.alpn == protocol
    server, _ = await shake_hands(NAME, called=called)
    assert server.info.alpn is None


async def test_session_that_is_offered_is_resumed_and_both_sides_know(
    autojump_clock: MockClock,
) -> None:
    server, client = await shake_hands(NAME)
    assert not server.info.resumed
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.stream.send_all, b"x")  # the ticket goes before it
        assert await client.stream.receive_some() == b"x"
    server, client = await shake_hands(NAME, session_of(client.stream))
    assert server.info.resumed
    assert client.info.resumed
