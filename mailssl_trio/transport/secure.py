"""TLS over a stream that may already have carried plaintext."""

import ssl
from contextlib import suppress

import trio
from attrs import frozen

from mailssl_trio.protocol.events import TlsInfo


class HandshakeError(Exception):
    """The handshake failed; the text says why, in OpenSSL's words."""


@frozen
class TlsLayer:
    """What it takes to perform a handshake, as one of the two sides."""

    context: ssl.SSLContext
    server_side: bool = True
    server_hostname: str | None = None
    """The name to verify and to send as SNI; only for the client's side."""

    async def upgrade(self, wire: trio.abc.Stream) -> "Secured":
        """Perform the handshake on this very stream.

        Raises HandshakeError. Cancelled halfway, it leaves ``wire`` of no use.
        """
        stream: trio.SSLStream[trio.abc.Stream] = trio.SSLStream(
            wire,
            self.context,
            server_hostname=self.server_hostname,
            server_side=self.server_side,
        )
        try:
            await stream.do_handshake()
        except trio.BrokenResourceError as broken:
            await _send_alert(stream)
            raise HandshakeError(_reason(broken)) from None
        cipher = stream.cipher()
        return Secured(stream, TlsInfo(stream.version() or "", cipher[0]))


@frozen
class Secured:
    """A stream that speaks TLS, and what its handshake agreed on."""

    stream: trio.SSLStream[trio.abc.Stream]
    info: TlsInfo


async def _send_alert(stream: trio.SSLStream[trio.abc.Stream]) -> None:
    """Put the fatal alert on the wire, which SSLStream leaves in its queue.

    Its queue is private; without it a peer would see a closed connection where
    RFC 7301 section 3.2 and RFC 8446 section 6.2 promise the reason.
    """
    alert = stream._outgoing.read()
    if alert:
        with suppress(trio.BrokenResourceError):  # it has gone: nobody to be told
            await stream.transport_stream.send_all(alert)


def _reason(broken: trio.BrokenResourceError) -> str:
    match broken.__cause__:
        case ssl.SSLCertVerificationError() as error:
            return f"certificate verify failed: {error.verify_message}"
        case ssl.SSLEOFError() | None:
            return "peer closed connection in SSL handshake"
        case ssl.SSLError() as error:
            return (error.reason or "protocol error").lower().replace("_", " ")
        case error:
            return str(error)
