"""A client that would renegotiate is refused (RFC 9325 section 3.5).

Python cannot renegotiate, so OpenSSL's own client does: it takes a line ``R`` for
the wish to.
"""

from contextlib import suppress
from functools import partial
from shutil import which
from ssl import OP_NO_RENEGOTIATION, SSLContext
from subprocess import PIPE

import pytest
import trio
from attrs import define
from trio import BrokenResourceError, Process, SocketListener, SSLStream

from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import TlsPolicy

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(which("openssl") is None, reason="openssl is not installed"),
]

OP_ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # openssl/ssl.h; OpenSSL 3 must be asked to


@define
class Conversation:
    """What the server heard, and what the client said of it on its terminal."""

    heard: bytes = b""
    terminal: bytes = b""

    async def serve(self, listener: SocketListener, context: SSLContext) -> None:
        async with listener, await listener.accept() as transport:
            stream = SSLStream(transport, context, server_side=True)
            with suppress(BrokenResourceError):
                async for data in stream:
                    self.heard += data

    async def renegotiate(self, client: Process) -> None:
        assert client.stdin is not None
        assert client.stderr is not None
        await client.stdin.send_all(b"R\n")
        async with client.stderr as terminal:
            async for data in terminal:
                self.terminal += data
                if b"RENEGOTIATING" in data:
                    with suppress(BrokenResourceError):  # it may be gone already
                        await client.stdin.send_all(b"hello\n")
                    await client.stdin.aclose()


async def renegotiation(context: SSLContext) -> Conversation:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    command = ("openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{port}")
    conversation = Conversation()
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(conversation.serve, listener, context)
            client = await nursery.start(
                partial(trio.run_process, command, stdin=PIPE, stderr=PIPE, check=False)
            )
            await conversation.renegotiate(client)
    return conversation


@pytest.fixture
def context(old_policy: TlsPolicy) -> SSLContext:
    """Return ours, with the one option that OpenSSL 3 would refuse it without."""
    context = server_context(old_policy, "imap")
    context.options |= OP_ALLOW_CLIENT_RENEGOTIATION
    return context


async def test_renegotiation_is_refused(context: SSLContext) -> None:
    conversation = await renegotiation(context)
    assert b"no renegotiation" in conversation.terminal
    assert conversation.heard == b""


async def test_it_is_refused_because_we_say_so(context: SSLContext) -> None:
    context.options &= ~OP_NO_RENEGOTIATION
    conversation = await renegotiation(context)
    assert b"no renegotiation" not in conversation.terminal
    assert conversation.heard == b"hello\n"
