"""Asking the auth server: connections that are kept for the next login, and one time.

A password is sent once. It is sent again, over a fresh connection, only where a kept
one turns out to have been closed before the auth server can have read the request.
"""

import ssl

import trio

from mailssl_trio.auth.http_link import Link, NeverReadError
from mailssl_trio.auth.http_reply import AuthHttpError, NoConnectionError
from mailssl_trio.auth.http_request import Header
from mailssl_trio.auth.http_server import AuthServer
from mailssl_trio.logs.nginx_words import TIMED_OUT
from mailssl_trio.transport.address import TcpAddress
from mailssl_trio.transport.connecting import connect
from mailssl_trio.transport.secure import HandshakeError, TlsLayer
from mailssl_trio.transport.unreachable import why_unreachable
from mailssl_trio.transport.wire import Wire

KEPT = 8
"""Connections that lie ready when nobody is being asked about."""

FRESH = 15.0
"""Seconds after which a kept connection is not trusted to be there still."""

CLOSING = 1.0
"""Seconds that the auth server gets to read what was sent to it."""


class HttpClient:
    """Asks one auth server, as many times at once as there are logins."""

    def __init__(
        self, server: AuthServer, timeout: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self.server = server
        self._timeout = timeout
        self._tls = tls
        self._kept: list[Link] = []
        self._most = KEPT

    async def ask(self, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        """Return the headers of the answer. Raises AuthHttpError, in its time."""
        try:
            with trio.fail_after(self._timeout):
                return await self._ask(headers)
        except trio.TooSlowError:
            raise AuthHttpError(f"timed out ({TIMED_OUT})") from None

    async def tend(self) -> None:
        """Close kept connections as they grow old; cancelled, close and keep none."""
        try:
            while True:
                await trio.sleep(FRESH)
                for link in [link for link in self._kept if not _is_fresh(link)]:
                    self._kept.remove(link)
                    await trio.aclose_forcefully(link.stream)
        finally:
            self._most = 0
            with trio.move_on_after(CLOSING, shield=True):
                while self._kept:
                    await trio.aclose_forcefully(self._kept.pop().stream)

    async def _ask(self, headers: tuple[Header, ...]) -> tuple[Header, ...]:
        try:
            if (kept := await self._kept_link()) is not None:
                return await self._ask_over(kept, headers)
        except NeverReadError:
            pass
        try:
            return await self._ask_over(await self._connect(), headers)
        except NeverReadError:
            raise AuthHttpError("prematurely closed connection") from None

    async def _ask_over(
        self, link: Link, headers: tuple[Header, ...]
    ) -> tuple[Header, ...]:
        """Ask, and keep the connection if it is good for more."""
        keep = False
        try:
            answer = await link.ask(self.server.uri, headers)
            keep = link.is_kept_open and len(self._kept) < self._most
            return answer
        finally:
            if keep:
                self._kept.append(link)
            else:
                await trio.aclose_forcefully(link.stream)

    async def _kept_link(self) -> Link | None:
        """Take the newest kept connection that may be asked; close those that not."""
        while self._kept:
            link = self._kept.pop()
            ready = False
            try:
                ready = _is_fresh(link) and await link.may_be_asked()
            finally:
                if not ready:
                    await trio.aclose_forcefully(link.stream)
            if ready:
                return link
        return None

    async def _connect(self) -> Link:
        """Look the name up, and try every address that it has."""
        try:
            connected = await connect(self.server.address, self._timeout)
        except (OSError, UnicodeError) as error:
            raise NoConnectionError(why_unreachable(error)) from None
        wire = Wire(connected, CLOSING)
        return Link(await self._secured(wire), wire)

    async def _secured(self, wire: Wire) -> trio.abc.Stream:
        if self._tls is None or not isinstance(self.server.address, TcpAddress):
            return wire
        layer = TlsLayer(
            self._tls, server_side=False, server_hostname=self.server.address.host
        )
        try:
            return (await layer.upgrade(wire)).stream
        except HandshakeError as failed:
            await trio.aclose_forcefully(wire)
            raise AuthHttpError(f"SSL handshake failed: {failed}") from None
        except trio.Cancelled:
            await trio.aclose_forcefully(wire)
            raise


def _is_fresh(link: Link) -> bool:
    return trio.current_time() - link.since < FRESH
