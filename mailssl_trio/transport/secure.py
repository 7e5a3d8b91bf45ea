"""TLS over a stream that may already have carried plaintext."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

import trio
from attrs import field, frozen

from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.tls.certificates.refusal import CertificateRefusal
from mailssl_trio.tls.openssl import BENEATH_PYTHON

Judge: TypeAlias = Callable[[ssl.SSLObject], CertificateRefusal | None]
"""Looks at what a handshake has brought; None means that the peer may stay."""

ServerName: TypeAlias = Callable[[ssl.SSLObject], str | None]
"""Reads the name that a client has asked for by SNI."""

Verified: TypeAlias = Callable[[ssl.SSLObject], str]
"""Says what became of the certificate that a client was asked for."""


class HandshakeError(Exception):
    """The handshake failed; the text says why, in OpenSSL's words."""


@frozen
class TlsLayer:
    """What it takes to perform a handshake, as one of the two sides."""

    context: ssl.SSLContext
    server_side: bool = True
    server_hostname: str | None = None
    """The name to verify and to send as SNI; only for the client's side."""
    offer: bytes | None = field(default=None, repr=False)
    """A session of this context to resume, in DER; only for the client's side."""
    judge: Judge | None = None
    """Who judges the peer's certificate, where the handshake itself accepts any."""
    server_name: ServerName | None = None
    """Who can tell what a client called us; only for the server's side."""
    verified: Verified | None = None
    """Who can tell what its certificate is worth; only for the server's side."""

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
        if self.offer is not None and BENEATH_PYTHON is not None:
            BENEATH_PYTHON.offer_session(_beneath(stream), self.offer)
        try:
            await stream.do_handshake()
        except trio.BrokenResourceError as broken:
            await _send_alert(stream)
            raise HandshakeError(_reason(broken)) from None
        return self._secured(stream)

    def _secured(self, stream: trio.SSLStream[trio.abc.Stream]) -> "Secured":
        beneath = _beneath(stream)
        refusal = None if self.judge is None else self.judge(beneath)
        verified = "" if self.verified is None else self.verified(beneath)
        info = TlsInfo(
            version=stream.version() or "",
            cipher=stream.cipher()[0],
            server_name=None if self.server_name is None else self.server_name(beneath),
            resumed=bool(stream.session_reused),
            refused=None if refusal is None else refusal.goodbye,
            alpn=beneath.selected_alpn_protocol(),
            verified=verified,
            certificate=beneath.getpeercert(binary_form=True) if verified else None,
        )
        return Secured(stream, info, refusal)


@frozen
class Secured:
    """A stream that speaks TLS, and what its handshake agreed on."""

    stream: trio.SSLStream[trio.abc.Stream]
    info: TlsInfo
    refusal: CertificateRefusal | None = None


def session_of(stream: trio.SSLStream[trio.abc.Stream]) -> bytes | None:
    """Return what another connection may resume, in DER; None if there is nothing."""
    if BENEATH_PYTHON is None:
        return None
    return BENEATH_PYTHON.session_of(_beneath(stream))


def _beneath(stream: trio.SSLStream[trio.abc.Stream]) -> ssl.SSLObject:
    """Return the object that OpenSSL can be asked about.

    It is private; without it nobody could know what OpenSSL found wrong with a
    certificate that the handshake was told to accept, nor which name was asked for.
    """
    return stream._ssl_object


async def say_end(stream: trio.SSLStream[trio.abc.Stream]) -> None:
    """Send close_notify, also where octets of the peer's stand unread.

    SSLStream asks OpenSSL twice, which stumbles over such octets the second time, and
    then drops what was to be sent. What was broken in mid-record stays as it is: that
    end must not look like a clean one.
    """
    if stream._state.name == "OK":
        with suppress(ssl.SSLError):
            _beneath(stream).unwrap()
        await _send_alert(stream)


async def _send_alert(stream: trio.SSLStream[trio.abc.Stream]) -> None:
    """Put an alert on the wire that SSLStream has left in its queue.

    Its queues are private; without them a peer would see a closed connection where
    RFC 7301 section 3.2 and RFC 8446 section 6 promise the reason. In the second are
    the tickets of TLS 1.3, which wait there for the first octets to go.
    """
    tickets, stream._delayed_outgoing = stream._delayed_outgoing, None
    if alert := stream._outgoing.read():
        with suppress(trio.BrokenResourceError):  # it has gone: nobody to be told
            await stream.transport_stream.send_all((tickets or b"") + alert)


def alert_in(broken: trio.BrokenResourceError) -> str:
    """Return the fatal alert by which a peer ended TLS, "" if it sent none.

    In TLS 1.3 a server judges our certificate behind the handshake (RFC 8446 section
    4.4.2.4), so it is in what should have been its first words that it complains.
    """
    match broken.__cause__:
        case ssl.SSLError(reason=str(reason)) if "ALERT" in reason:
            return _in_words(reason)
        case _:
            return ""


def _reason(broken: trio.BrokenResourceError) -> str:
    match broken.__cause__:
        case ssl.SSLCertVerificationError() as error:
            return f"certificate verify failed: {error.verify_message}"
        case ssl.SSLEOFError() | None:
            return "peer closed connection in SSL handshake"
        case ssl.SSLError() as error:
            return _in_words(error.reason or "protocol error")
        case error:
            return str(error)


def _in_words(reason: str) -> str:
    return reason.lower().replace("_", " ")
