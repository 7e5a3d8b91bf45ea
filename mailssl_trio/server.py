"""One virtual server: it accepts, contains what goes wrong, and drains."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from socket import socket

import trio
from attrs import field, frozen

from mailssl_trio.gateway import ClientLife, Gateway
from mailssl_trio.observer import Crashed, Subject
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.listening import Newcomer, serve_wires
from mailssl_trio.visits import Visit, Visits

NUMBERS = count(1)


@contextmanager
def contained(tell: Callable[[Exception], None]) -> Iterator[None]:
    """Let a bug end what is inside, and nothing else.

    The one place in the house that catches whatever comes.
    """
    try:
        yield
    except Exception as bug:
        tell(bug)


@frozen
class Server:
    """The clients of one virtual server, and the sockets they come by."""

    gateway: Gateway
    listeners: Sequence[socket]
    """Where TLS is not spoken from the first octet."""
    tls_listeners: Sequence[socket]
    drain: Drain
    proxied: Sequence[socket] = ()
    """Those among both where a PROXY header comes before everything else."""
    visits: Visits = field(factory=Visits)
    """Everybody who is here, at other servers of this process too."""
    upkeep: Callable[[], Awaitable[None]] | None = None
    """What has to go on while clients are let in."""

    async def run(self) -> None:
        """Serve until the drain has begun and every client has left, or must.

        The accepting scope lies inside the nursery of the clients: cancelling it
        ends the one and leaves the others, who are then given a deadline.
        """
        sessions = trio.CancelScope()
        with sessions, self.drain.ends(sessions):
            async with trio.open_nursery() as clients:
                await self._accept(clients)

    async def _accept(self, clients: trio.Nursery) -> None:
        """Let clients in until the drain begins."""
        linger = self.gateway.timeouts.close
        with trio.CancelScope() as accepting, self.drain.cuts(accepting):
            async with trio.open_nursery() as doors:
                if self.upkeep is not None:
                    doors.start_soon(self.upkeep)
                for listener in (*self.listeners, *self.tls_listeners):
                    serve = partial(
                        self._serve,
                        implicit_tls=listener in self.tls_listeners,
                        proxied=listener in self.proxied,
                    )
                    doors.start_soon(serve_wires, listener, serve, clients, linger)

    async def _serve(
        self, newcomer: Newcomer, *, implicit_tls: bool, proxied: bool
    ) -> None:
        """Carry one client; whatever happens to it stays with it."""
        subject = Subject(
            next(NUMBERS),
            self.gateway.protocol,
            newcomer.client,
            newcomer.client_port,
            newcomer.door,
            began=trio.current_time(),
            server_address=newcomer.server,
            server_port=newcomer.server_port,
            starttls=not implicit_tls,
        )
        with self.visits.entered(subject) as visit:
            life = self.gateway.welcome(
                newcomer.wire,
                self.drain,
                visit,
                implicit_tls=implicit_tls,
                proxied=proxied,
            )
            await self._carry(life, visit)

    async def _carry(self, life: ClientLife, visit: Visit) -> None:
        """Have a client live until it leaves, or is made to; close what it had."""
        tell = partial(self._crashed, visit.subject)
        try:
            with contained(tell):
                with visit.scope:
                    return await life.live()
                return await life.leave(visit.dismissal or Goodbye.INTERNAL_ERROR)
            with contained(tell):
                await life.apologise()
        finally:
            with contained(tell):
                await life.close()

    def _crashed(self, subject: Subject, bug: Exception) -> None:
        self.gateway.observer.tell(subject, Crashed(bug))
