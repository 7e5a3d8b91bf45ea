"""TLS over a stream that may already have carried plaintext."""

import ssl
from collections.abc import Callable
from functools import partial
from typing import TypeAlias, TypeVar

import trio
from attrs import field, frozen

from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.tls.certificates.refusal import CertificateRefusal
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.transport.wire import Wire

T = TypeVar("T")

Judge: TypeAlias = Callable[[ssl.SSLSocket], CertificateRefusal | None]
"""Looks at what a handshake has brought; None means that the peer may stay."""

ServerName: TypeAlias = Callable[[ssl.SSLSocket], str | None]
"""Reads the name that a client has asked for by SNI."""

Verified: TypeAlias = Callable[[ssl.SSLSocket], str]
"""Says what became of the certificate that a client was asked for."""


RECORD = 16384  # RFC 8446 section 5.1
"""Octets that a record holds at most."""

PEER_CLOSED = "peer closed connection in SSL handshake"


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

    async def upgrade(self, wire: Wire) -> "Secured":
        """Perform the handshake on this very wire.

        Raises HandshakeError. Cancelled halfway, it leaves ``wire`` of no use but to
        be closed.
        """
        stream = SecureStream(wire, self._socket(wire))
        if self.offer is not None and BENEATH_PYTHON is not None:
            BENEATH_PYTHON.offer_session(stream.socket, self.offer)
        await stream.shake_hands()
        if BENEATH_PYTHON is not None:
            BENEATH_PYTHON.read_no_further_than_a_message(stream.socket)
            if self.server_side and stream.socket.version() != "TLSv1.3":
                BENEATH_PYTHON.end_at_renegotiation(stream.socket)
        return self._secured(stream)

    def _socket(self, wire: Wire) -> ssl.SSLSocket:
        try:
            secured = self.context.wrap_socket(
                wire.socket,
                server_side=self.server_side,
                server_hostname=self.server_hostname,
                do_handshake_on_connect=False,
                suppress_ragged_eofs=False,
            )
        except OSError:  # there is no peer any more
            raise HandshakeError(PEER_CLOSED) from None
        wire.socket = secured  # the descriptor is this one's now
        return secured

    def _secured(self, stream: "SecureStream") -> "Secured":
        socket = stream.socket
        refusal = None if self.judge is None else self.judge(socket)
        verified = "" if self.verified is None else self.verified(socket)
        info = TlsInfo(
            version=socket.version() or "",
            cipher=stream.cipher,
            server_name=None if self.server_name is None else self.server_name(socket),
            resumed=bool(socket.session_reused),
            refused=None if refusal is None else refusal.goodbye,
            alpn=socket.selected_alpn_protocol(),
            verified=verified,
            certificate=socket.getpeercert(binary_form=True) if verified else None,
        )
        return Secured(stream, info, refusal)


class SecureStream(trio.abc.Stream):
    """TLS on a wire whose socket OpenSSL reads and writes by itself.

    It reads a record at a time, and keeps nothing else: there is no buffer in between
    that plaintext could wait in, or that memory would stay in when a session is
    silent. What it has to say of its own, an alert or a ticket, is on the wire when
    it returns.
    """

    def __init__(self, wire: Wire, socket: ssl.SSLSocket) -> None:
        self.socket = socket
        self._wire = wire
        self._is_cut = False
        """A record has been sent in part, and for good: nothing else may follow it."""
        self._is_over = False
        """The peer's last octets have been read: its socket may never tell that."""
        self._room: trio.Event | None = None
        """Somebody waits for room to send; it is set when that is over."""

    @property
    def holds_octets(self) -> bool:
        """Whether something has come that the socket does not tell of any more."""
        return self._is_over or self.socket.pending() > 0

    @property
    def cipher(self) -> str:
        """The name of the cipher that was agreed on."""
        agreed = self.socket.cipher()
        return "" if agreed is None else agreed[0]

    async def shake_hands(self) -> None:
        """Perform the handshake. Raises HandshakeError."""
        while True:
            try:
                return self.socket.do_handshake()
            except ssl.SSLWantReadError:
                await self._wire.wait_readable()
            except ssl.SSLWantWriteError:
                await self.wait_send_all_might_not_block()
            except (OSError, ValueError) as error:  # ValueError: it was closed
                raise HandshakeError(_reason(error)) from None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Wait for octets, and return those of a record; b"" at a true end.

        Raises BrokenResourceError, also where the end is not one of TLS.
        """
        return await self._when_readable(partial(self.socket.recv, max_bytes or RECORD))

    async def receive_into(self, room: memoryview) -> int:
        """Wait for octets, and return how many are in ``room`` now; 0 at a true end.

        Raises BrokenResourceError, as above. Takes the records that have come, as long
        as they fit: the first of them may fail, the others fail again at the next call.
        """
        size = await self._when_readable(partial(self.socket.recv_into, room))
        try:
            while 0 < size < len(room) and not self._is_over:
                size += self._counted(self.socket.recv_into(room[size:]))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self._is_over = True
        return size

    def receive_now(self, room: memoryview) -> int | None:
        """Return how many octets of a record are in ``room``; 0 at a true end, or None.

        None says that nothing has come. Raises BrokenResourceError, as above, and
        WouldBlock where the peer has to read before it can be read from.
        """
        try:
            return self._counted(self.socket.recv_into(room))
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLWantWriteError:
            raise trio.WouldBlock from None
        except OSError as error:
            raise trio.BrokenResourceError from error

    def _counted(self, size: int) -> int:
        self._is_over = not size
        return size

    async def _when_readable(self, read: Callable[[], T]) -> T:
        if not self.holds_octets:
            await self._wire.wait_readable()
        while True:
            try:
                return read()
            except ssl.SSLWantReadError:
                await self._wire.wait_readable()
            except ssl.SSLWantWriteError:  # a key update is to be answered
                await self.wait_send_all_might_not_block()
            except OSError as error:
                raise trio.BrokenResourceError from error

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of it, waiting only if the peer is slow.

        Cancelled, it leaves the stream broken.
        """
        if self._is_cut:
            raise trio.BrokenResourceError("another send was cut short")
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[self.socket.send(rest) :]
                except ssl.SSLWantWriteError:
                    self._is_cut = True  # unless we are not cancelled here
                    await self.wait_send_all_might_not_block()
                    self._is_cut = False
        except OSError as error:
            raise trio.BrokenResourceError from error

    def send_now(self, data: bytes | memoryview) -> bytes | memoryview:
        """Send what the kernel takes at once.

        Return the rest, which must be sent before anything else is.
        """
        try:
            while data and not self._is_cut:
                data = data[self.socket.send(data) :]
        except ssl.SSLWantWriteError:
            pass
        except OSError as error:
            raise trio.BrokenResourceError from error
        return data

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room for more; who reads may have to, too."""
        if self._room is not None:
            return await self._room.wait()
        self._room = trio.Event()
        try:
            await self._wire.wait_send_all_might_not_block()
        finally:
            self._room.set()
            self._room = None
        return None

    async def say_end(self) -> None:
        """Send close_notify, also where octets of the peer's stand unread."""
        while not self.has_said_end():
            await self.wait_send_all_might_not_block()

    def has_said_end(self) -> bool:
        """Send close_notify if there is room for it; return whether that is done.

        What was broken in mid-record stays as it is: that end must not look like a
        clean one.
        """
        if not self._is_cut:
            try:
                self.socket.unwrap()
            except ssl.SSLWantWriteError:
                return False
            except (OSError, ValueError):
                pass  # the peer has not said so yet; or there is nobody to be told
        return True

    def is_closed_at_once(self) -> bool:
        """Close gracefully if nobody has to be waited for; return whether so."""
        return self.has_said_end() and self._wire.is_closed_at_once()

    async def aclose(self) -> None:
        """Say close_notify, and close the wire below, which takes its time."""
        try:
            await self.say_end()
        except trio.BrokenResourceError:
            pass  # the peer has gone already
        finally:
            await self._wire.aclose()

    async def cut(self) -> None:
        """Close so that the peer cannot take what it has read for all there was."""
        await self._wire.aclose()  # FIN without close_notify

    def let_go(self) -> None:
        """Close at once, unless it is closed; an end that looks like none."""
        self._wire.let_go()


@frozen
class Secured:
    """A stream that speaks TLS, and what its handshake agreed on."""

    stream: "SecureStream"
    info: TlsInfo
    refusal: CertificateRefusal | None = None


def session_of(stream: SecureStream) -> bytes | None:
    """Return what another connection may resume, in DER; None if there is nothing."""
    if BENEATH_PYTHON is None:
        return None
    return BENEATH_PYTHON.session_of(stream.socket)


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


def _reason(error: OSError | ValueError) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return f"certificate verify failed: {error.verify_message}"
        case ssl.SSLEOFError() | ConnectionError() | ValueError():
            return PEER_CLOSED
        case ssl.SSLError():
            return _in_words(error.reason or "protocol error")
        case _:
            return str(error)


def _in_words(reason: str) -> str:
    return reason.lower().replace("_", " ")
