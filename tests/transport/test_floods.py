"""A peer that sends nothing but messages of TLS's own, as fast as it can.

OpenSSL reads on by itself behind each of them, in one call: who stops sending never
would have all of a worker's time (docs/security.md).
"""

import ssl
from hashlib import sha256
from hmac import digest
from pathlib import Path
from struct import pack

import pytest
import trio
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailssl_trio.transport.secure import TlsLayer
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import NAME, authority, server_tls
from tests.wire_pair import wire_pair

APPLICATION_DATA, HANDSHAKE = 23, 22
CLIENT_HELLO = b"\1\0\0\0"


def prf(secret: bytes, seed: bytes, length: int) -> bytes:
    """RFC 5246 section 5."""
    made, a = b"", seed
    while len(made) < length:
        a = digest(secret, a, sha256)
        made += digest(secret, a + seed, sha256)
    return made[:length]


class Writer:
    """Writes records of TLS 1.2 as no library would: RFC 5288."""

    def __init__(self, secret: bytes, client_random: bytes, server_random: bytes):
        seed = b"key expansion" + server_random + client_random
        keys = prf(secret, seed, 40)
        self._cipher, self._salt = AESGCM(keys[:16]), keys[32:36]
        self._number = 1  # behind Finished

    def record(self, kind: int, data: bytes) -> bytes:
        number = pack(">Q", self._number)
        self._number += 1
        meant = number + pack(">BHH", kind, 0x0303, len(data))
        sealed = number + self._cipher.encrypt(self._salt + number, data, meant)
        return pack(">BHH", kind, 0x0303, len(sealed)) + sealed


class Client:
    """One that has shaken hands, and writes its records itself from then on."""

    def __init__(self, keys: Path) -> None:
        context = ssl.create_default_context()
        authority().configure_trust(context)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE+AESGCM+AES128")
        context.keylog_filename = str(keys)
        self._keys = keys
        self._heard, self._said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._heard, self._said, server_hostname=NAME)

    async def shake_hands(self, wire: Wire) -> Writer:
        heard = b""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await wire.send_all(self._said.read())
                data = await wire.receive_some()
                heard += data
                self._heard.write(data)
        lines = self._keys.read_text().splitlines()
        line = next(x for x in lines if x.startswith("CLIENT_RANDOM"))
        client_random, secret = map(bytes.fromhex, line.split()[1:])
        return Writer(secret, client_random, heard[11:43])  # RFC 5246, 7.4.1.3


@pytest.mark.parametrize("flood", [1, 2000])
async def test_who_asks_for_renegotiation_is_no_longer_read(
    flood: int, tmp_path: Path
) -> None:
    ours, theirs = wire_pair()
    client = Client(tmp_path / "keys")
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            layer, secured = TlsLayer(server_tls("imap").context), []

            async def upgrade() -> None:
                secured.append(await layer.upgrade(ours))

            nursery.start_soon(upgrade)
            writer = await client.shake_hands(theirs)
        (server,) = secured
        await theirs.send_all(writer.record(APPLICATION_DATA, b"a NOOP\r\n"))
        assert await server.stream.receive_some() == b"a NOOP\r\n"
        for _ in range(flood):
            theirs.send_now(writer.record(HANDSHAKE, CLIENT_HELLO))
        theirs.send_now(writer.record(APPLICATION_DATA, b"b NOOP\r\n"))
        with pytest.raises(trio.BrokenResourceError):
            await server.stream.receive_some()
        assert ours.is_readable(), "what follows is not looked at"
