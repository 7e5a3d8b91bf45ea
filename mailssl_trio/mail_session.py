"""A client's life after its login: relayed while somebody speaks, and silent else."""

from collections.abc import Awaitable, Callable, Sequence

import trio

from mailssl_trio.limits.stay import Stay
from mailssl_trio.observer import Observer, Relayed, Subject
from mailssl_trio.transport.parked import Sleeper
from mailssl_trio.transport.relay import Ending, Outcome, Relay

CUT_SHORT = frozenset({Outcome.TRUNCATED, Outcome.CUT})


async def all_at_once(endings: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Do some things at the same time; one alone needs no nursery."""
    if len(endings) == 1:
        return await endings[0]()
    async with trio.open_nursery() as nursery:
        for ending in endings:
            nursery.start_soon(ending)
    return None


class MailSession:
    """Two lines that are relayed, and all that is to be given back at their end.

    It can be left while nobody speaks, and carried again: see ``live``.
    """

    __slots__ = ("_is_cut", "_observer", "_relay", "_stay", "_subject")

    def __init__(
        self, relay: Relay, subject: Subject, stay: Stay, observer: Observer
    ) -> None:
        self._relay = relay
        self._subject = subject
        self._stay = stay
        self._observer = observer
        self._is_cut = True  # until it has ended by itself

    async def live(self) -> bool:
        """Relay until the end, or until nobody speaks; return whether it has ended."""
        is_over, ending = True, None
        try:
            while (ending := await self._relay.run()) is None:
                if self._relay.is_silent:
                    is_over = False
                    break
        finally:  # also where we are made to end it
            if is_over:
                self._account(ending or self._relay.ending(Outcome.CUT))
        return is_over

    def begin(self) -> bool:
        """Send what is here already; return whether it can do without a task."""
        return self._relay.begin()

    def pass_on(self, descriptor: int) -> bool:
        """Carry what has come; return whether it can still do without a task."""
        return self._relay.pass_on(descriptor)

    def asleep(
        self, pass_on: Callable[[int], bool], wake: Callable[[], None]
    ) -> Sleeper:
        """Return what it is while little is said."""
        return Sleeper(self._relay, pass_on, wake)

    async def close(self) -> None:
        """Close both lines, in a way that tells how the session ended."""
        try:
            if self._is_cut:
                endings = [line.cut for line in self._relay.lines]
            else:
                slow = (x for x in self._relay.lines if not x.is_closed_at_once())
                endings = [line.aclose for line in slow]
            with trio.move_on_after(self._relay.timeouts.session):
                await all_at_once(endings)
        finally:
            self._stay.end()

    def let_go(self) -> None:
        """Close at once what has not been closed, and give back what was taken."""
        for line in self._relay.lines:
            line.let_go()
        self._stay.end()

    def _account(self, ending: Ending) -> None:
        self._is_cut = ending.outcome in CUT_SHORT
        octets = ending.from_client, ending.from_upstream
        relayed = Relayed(ending.outcome.value, *octets, ending.ended_by.value)
        self._observer.tell(self._subject, relayed)
