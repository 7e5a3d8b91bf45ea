"""The one driver: it runs any session over any stream, STARTTLS included.

It holds no plaintext of its own. What it receives it hands to the session at once,
and it receives only when the session has asked for data, or while a login is being
judged: that is half of the proof that STARTTLS is safe (docs/starttls.md).
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import (
    Closed,
    Event,
    Goodbye,
    NeedData,
    Pause,
    Question,
    StartTls,
)
from mailssl_trio.protocol.proxy_header import ProxyHeader
from mailssl_trio.transport.drain import Drain, Wait
from mailssl_trio.transport.proxied import read_header
from mailssl_trio.transport.secure import (
    HandshakeError,
    SecureStream,
    TlsLayer,
    alert_in,
)
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire

T = TypeVar("T")

READ_SIZE = 2048
"""Octets that a session is given at once before login, pipelined ones included: a
page of the smallest commands takes the loop less than its 5 ms."""


class Connection:
    """A session on a stream, with one deadline for all that its peer does."""

    def __init__(
        self,
        session: Session,
        wire: Wire,
        tls: TlsLayer | None,
        timeouts: Timeouts,
        drain: Drain,
    ) -> None:
        self.session = session
        self.stream: Wire | SecureStream = wire
        self.tls = tls
        self.timeouts = timeouts
        self.drain = drain
        self.deadline = trio.current_time() + timeouts.session
        self.tls_failure = ""
        """Why TLS failed: at the handshake, or for our or the peer's certificate."""
        self._wire = wire
        self._writable = True
        self._peer_left = False

    async def next_event(self) -> Event:
        """Run the session until it needs something that only our caller can do."""
        while True:
            event = self.session.next_event()
            if not await self._flush(final=isinstance(event, Closed)):
                continue  # the peer has gone: the session says Closed now
            match event:
                case NeedData():
                    await self._receive()
                case Pause(seconds):
                    await self._pause(seconds)
                case StartTls():
                    await self._start_tls(event)
                case _:
                    return event

    def answer(self, question: Question[T], value: T) -> None:
        """Answer the question that ``next_event()`` returned."""
        self.session.answer(question, value)

    async def proxy_header(self) -> ProxyHeader | Goodbye:
        """Read the PROXY header that must stand before all that the session reads.

        Raises RefusedProxyError. Return why there is none if nobody sent one in time:
        it is to the proxy, and no mail client, that there would be something to say.
        """
        scope = trio.CancelScope(deadline=self.deadline)
        with scope, self.drain.cuts(scope, wait=Wait.SILENT):
            return await read_header(self.stream)
        return self._why_cut

    async def while_busy(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Do ``work`` on the peer's behalf, and watch meanwhile whether it stays.

        Return what the work brings; or None when the peer has left or a drain has
        begun: then the work was cancelled and the session says Closed. Octets that
        come in go straight to the session. EOF alone is no leaving where whole lines
        stand behind the login: such a client wants its replies. Time spent here is
        not taken out of the peer's budget.
        """
        begun = trio.current_time()
        result: T | None = None
        async with trio.open_nursery() as nursery:
            with self.drain.cuts(nursery.cancel_scope, wait=Wait.BUSY):
                nursery.start_soon(self._watch, nursery.cancel_scope)
                result = await work()
                nursery.cancel_scope.cancel()
        self.deadline += trio.current_time() - begun
        if self._peer_left:
            return None
        if result is None:
            self.session.hang_up(self._why_cut)
        return result

    async def farewell(self, reason: Goodbye) -> None:
        """End the session from our side, with its own last words for it."""
        self.session.hang_up(reason)
        await self.next_event()

    def is_closed_at_once(self) -> bool:
        """Close gracefully if nobody has to be waited for; return whether it is."""
        return self.stream.is_closed_at_once()

    async def close(self) -> None:
        """Close gracefully, but never wait for a silent peer."""
        try:
            with trio.move_on_after(self.timeouts.session):
                await self.stream.aclose()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Close at once what has not been closed."""
        self._wire.let_go()

    async def _watch(self, work: trio.CancelScope) -> None:
        """Read ahead until the peer leaves or has sent enough."""
        while (room := READ_SIZE - len(self.session.trailing_data)) > 0:
            try:
                data = await self.stream.receive_some(room)
            except trio.BrokenResourceError:
                break
            self.session.receive_data(bytes(data))
            if not data and b"\n" in self.session.trailing_data:
                return
            if not data:
                break
        else:
            return
        self._peer_left = True
        self.session.hang_up(Goodbye.PEER_GONE)
        work.cancel()

    async def _flush(self, *, final: bool) -> bool:
        """Put on the wire what the session has queued; False if it cannot be.

        The last words get ``close`` seconds of their own, whatever the budget.
        """
        data = self.session.data_to_send()
        if not data or not self._writable:
            return True
        try:
            if not (rest := self.stream.send_now(data)):
                return True
            last = trio.current_time() + self.timeouts.close
            scope = trio.CancelScope(
                deadline=last if final else max(self.deadline, last)
            )
            with scope, self.drain.cuts(scope, self.timeouts.close, Wait.BUSY):
                await self.stream.send_all(rest)
                return True
        except trio.BrokenResourceError:
            reason = Goodbye.PEER_GONE
        else:
            reason = Goodbye.TIMED_OUT
        self._writable = False
        self.session.hang_up(reason)
        return False

    async def _receive(self) -> None:
        """Hand the session what the peer sends, or end it for want of that."""
        if not await self._read(self.deadline):
            self.session.hang_up(self._why_cut)

    async def _pause(self, seconds: float) -> None:
        """Let time pass that is ours, unless the peer says something meanwhile."""
        begun = trio.current_time()
        if not await self._read(begun + seconds) and self.drain.begun:
            self.session.hang_up(Goodbye.SHUTTING_DOWN)
        self.deadline += trio.current_time() - begun

    async def _read(self, deadline: float) -> bool:
        """Hand the session what the peer sends; return whether it did in time."""
        scope = trio.CancelScope(deadline=deadline)
        wait = Wait.BUSY if self.session.is_midway else Wait.SILENT
        try:
            with scope, self.drain.cuts(scope, wait=wait):
                data = await self.stream.receive_some(READ_SIZE)
                self.session.receive_data(bytes(data))
                return True
        except trio.BrokenResourceError as broken:
            self.tls_failure = alert_in(broken)
            self.session.hang_up(Goodbye.PEER_GONE)
            return True
        return False

    async def _start_tls(self, question: StartTls) -> None:
        """Perform the handshake on this very stream; a failed one ends it."""
        if self.tls is None:
            raise RuntimeError("a session asked for TLS where none is configured")
        scope = trio.CancelScope(deadline=self.deadline)
        has_begun = False
        try:
            with scope, self.drain.cuts(scope, wait=Wait.SILENT) as waiting:
                if self.tls.server_side and self.session.implicit_tls:
                    await self._wire.wait_readable()  # for the first octet
                has_begun = True
                waiting.turns(Wait.BUSY)
                secured = await self.tls.upgrade(self._wire)
                self.stream = secured.stream
                if secured.refusal is not None:  # the session hangs up by itself
                    self.tls_failure = secured.refusal.detail
                self.answer(question, secured.info)
                return
        except HandshakeError as failed:
            self.tls_failure = str(failed)
            self.session.hang_up(Goodbye.HANDSHAKE_FAILED)
        else:
            self.session.hang_up(self._why_cut)
        self._writable = not has_begun

    @property
    def _why_cut(self) -> Goodbye:
        return Goodbye.SHUTTING_DOWN if self.drain.begun else Goodbye.TIMED_OUT
