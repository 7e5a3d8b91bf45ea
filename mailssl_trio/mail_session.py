"""A client's life after its login: relayed while somebody speaks, and silent else."""

from collections.abc import Callable

import trio

from mailssl_trio.limits.stay import Stay
from mailssl_trio.observer import Observer, Relayed, Subject
from mailssl_trio.transport.parked import Sleeper
from mailssl_trio.transport.relay import Ending, Outcome, Relay

CUT_SHORT = frozenset({Outcome.TRUNCATED, Outcome.CUT})


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

    def asleep(self, wake: Callable[[], None]) -> Sleeper:
        """Return what it is while nobody speaks."""
        return self._relay.asleep(wake)

    async def close(self) -> None:
        """Close both lines, in a way that tells how the session ended."""
        client, upstream = self._relay.lines
        try:
            with trio.move_on_after(self._relay.timeouts.session):
                async with trio.open_nursery() as nursery:
                    for line in (client, upstream):
                        if self._is_cut:
                            nursery.start_soon(line.cut)
                        elif not line.is_closed_at_once():
                            nursery.start_soon(line.aclose)
        finally:
            self._stay.end()

    def _account(self, ending: Ending) -> None:
        self._is_cut = ending.outcome in CUT_SHORT
        octets = ending.from_client, ending.from_upstream
        relayed = Relayed(ending.outcome.value, *octets, ending.ended_by.value)
        self._observer.tell(self._subject, relayed)
