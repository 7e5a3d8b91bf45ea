"""One virtual server: it accepts, contains what goes wrong, and drains."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from socket import socket

import trio
from attrs import define, field

from mailssl_trio.client_life import ClientLife
from mailssl_trio.gateway import Gateway
from mailssl_trio.mail_session import MailSession
from mailssl_trio.observer import Crashed, Subject
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.listening import Newcomer, serve_wires
from mailssl_trio.transport.parked import Parked
from mailssl_trio.transport.wire import Wire
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


@define(eq=False)
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
    _parked: Parked = field(factory=Parked, init=False)
    _clients: trio.Nursery = field(init=False)
    _here: int = field(default=0, init=False)
    """How many clients there are, those who sleep included."""
    _left: trio.Event = field(factory=trio.Event, init=False)

    async def run(self) -> None:
        """Serve until the drain has begun and every client has left, or must.

        The accepting scope lies inside the nursery of the clients: cancelling it
        ends the one and leaves the others, who are then given a deadline.
        """
        sessions = trio.CancelScope()
        with sessions, self.drain.ends(sessions):
            async with trio.open_nursery() as self._clients:
                self._clients.start_soon(self._watch)
                await self._accept()
                while self._here:
                    self._left = trio.Event()
                    await self._left.wait()
                self._clients.cancel_scope.cancel()  # nobody is left to be watched

    async def _accept(self) -> None:
        """Let clients in until the drain begins."""
        linger = self.gateway.timeouts.close
        with trio.CancelScope() as accepting, self.drain.cuts(accepting):
            async with trio.open_nursery() as doors:
                if self.upkeep is not None:
                    doors.start_soon(self.upkeep)
                for listening in (*self.listeners, *self.tls_listeners):
                    serve = partial(
                        self._serve,
                        implicit_tls=listening in self.tls_listeners,
                        proxied=listening in self.proxied,
                    )
                    doors.start_soon(
                        serve_wires, listening, serve, self._clients, linger
                    )

    async def _watch(self) -> None:
        """Watch those who sleep; at the end, wake them to be ended."""
        try:
            await self._parked.watch()
        finally:
            self._parked.rouse_all()
            self._parked.close()

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
        visit = self.visits.enter(subject)
        self._here += 1
        held: Wire | ClientLife | MailSession = newcomer.wire
        is_asleep = False
        try:
            with contained(partial(self._crashed, subject)):
                held = life = ClientLife(
                    self.gateway,
                    newcomer.wire,
                    self.drain,
                    visit,
                    partial(self._part, subject),
                    implicit_tls=implicit_tls,
                    proxied=proxied,
                )
                if (session := await self._until_login(life, visit)) is not None:
                    held = session
                    del newcomer, life  # what only a login needs
                    at_once = self._went_well(visit, session.begin)
                    is_asleep = at_once and self._park(session, visit)
                    is_asleep = is_asleep or await self._relay(session, visit)
        finally:
            if not is_asleep:
                self._leave(visit, held)

    async def _until_login(self, life: ClientLife, visit: Visit) -> MailSession | None:
        """Have a client live until it logs in, leaves, or is made to leave."""
        tell = partial(self._crashed, visit.subject)
        session = None
        try:
            with contained(tell):
                with trio.CancelScope() as scope:
                    visit.ends_by(scope.cancel)
                    session = await life.live()
                    return session
                await life.leave(visit.dismissal or Goodbye.INTERNAL_ERROR)
                return None
            with contained(tell):
                await life.apologise()
            return None
        finally:
            if session is None:
                with contained(tell):
                    await life.close()

    async def _go_on(self, session: MailSession, visit: Visit) -> None:
        """Carry a session that has been woken."""
        is_asleep = False
        try:
            with contained(partial(self._crashed, visit.subject)):
                is_asleep = await self._relay(session, visit)
        finally:
            if not is_asleep:
                self._leave(visit, session)

    async def _relay(self, session: MailSession, visit: Visit) -> bool:
        """Carry a session until its end, or until it can sleep; return whether so."""
        while not await self._carry(session, visit):
            if self._park(session, visit):
                return True
        return False

    async def _carry(self, session: MailSession, visit: Visit) -> bool:
        """Carry a session until its end or until nobody speaks; say if it has ended."""
        tell = partial(self._crashed, visit.subject)
        is_over = True
        try:
            with contained(tell), trio.CancelScope() as scope:
                visit.ends_by(scope.cancel)
                is_over = await session.live()
        finally:
            if is_over:
                with contained(tell):
                    await session.close()
        return is_over

    def _park(self, session: MailSession, visit: Visit) -> bool:
        """Let a session sleep until somebody speaks, or it is made to leave.

        Return whether it can: else it goes on with its task.
        """
        wake = partial(self._clients.start_soon, self._go_on, session, visit)

        def pass_on(descriptor: int) -> bool:
            return self._went_well(visit, partial(session.pass_on, descriptor))

        sleeper = session.asleep(pass_on, wake)
        if not self._parked.park(sleeper):
            return False
        visit.ends_by(partial(self._parked.rouse, sleeper))
        return True

    def _went_well(self, visit: Visit, step: Callable[[], bool]) -> bool:
        """Have a session take a step without a task of its own; a bug is its end."""
        with contained(partial(self._crashed, visit.subject)):
            return step()
        visit.dismiss(Goodbye.INTERNAL_ERROR)
        return False

    def _leave(self, visit: Visit, held: Wire | ClientLife | MailSession) -> None:
        """Have a client be gone, and let go of what a bug has left open."""
        with contained(partial(self._crashed, visit.subject)):
            held.let_go()
        self.visits.leave(visit)
        self._here -= 1
        if not self._here:
            self._left.set()

    def _part(self, subject: Subject, end: Callable[[], Awaitable[None]]) -> None:
        """Have something ended that no client waits for; it has its own deadline."""
        self._clients.start_soon(self._end, subject, end)

    async def _end(self, subject: Subject, end: Callable[[], Awaitable[None]]) -> None:
        with contained(partial(self._crashed, subject)):
            await end()

    def _crashed(self, subject: Subject, bug: Exception) -> None:
        self.gateway.observer.tell(subject, Crashed(bug))
