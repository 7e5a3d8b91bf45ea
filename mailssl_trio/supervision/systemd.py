"""What systemd is told: that we serve, reload, stop; how things are; that we live."""

import os
from collections.abc import Callable, Collection, Mapping
from math import isfinite

import trio

from mailssl_trio.supervision.generation import Generation
from mailssl_trio.supervision.notify import MICRO, Notifier, now, watchdog_seconds

LOOK = 5.0
"""Seconds between two looks at how things are."""

BEYOND = 15.0
"""Seconds that a stop takes at most beyond what sessions get."""


NOT_RECONFIGURED = "not reconfigured, the log says why: what was served goes on"


class Systemd:
    """Who has started us, if it wants to hear."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._notifier = Notifier.of(environment)
        self._watchdog = watchdog_seconds(environment)
        self._served: object = None
        self._trouble = ""
        self._status = ""
        self._complained = ""

    def serves(self, generations: Collection[Generation], served: object) -> None:
        """Tell that all workers serve, and whether a reload has changed nothing."""
        self._trouble = NOT_RECONFIGURED if served is self._served else ""
        self._served = served
        self._tell("READY=1", f"MAINPID={os.getpid()}")
        self._look(generations)

    def reloads(self) -> None:
        """Tell that another configuration is read."""
        self._tell("RELOADING=1", now(), self._as_status("reads its configuration"))

    def stops(self, patience: float) -> None:
        """Tell that the end has begun, and how long it may take, if that is known."""
        limit = int((patience + BEYOND) * MICRO) if isfinite(patience) else 0
        extension = [f"EXTEND_TIMEOUT_USEC={limit}"] if limit else []
        self._trouble = "lets sessions end"
        self._tell("STOPPING=1", self._as_status(self._trouble), *extension)

    async def run(
        self, generations: Collection[Generation], complain: Callable[[str], None]
    ) -> None:
        """Say what changes, and that we live as long as every worker answers."""
        if self._notifier is None:
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._notifier.run)
            while True:
                await trio.sleep(min(LOOK, (self._watchdog or LOOK) / 4))
                self._look(generations)
                self._complain(complain)

    def _look(self, generations: Collection[Generation]) -> None:
        pulses = [pulse for each in generations for pulse in each.pulses]
        if pulses and (status := self._summary(generations)) != self._status:
            self._tell(self._as_status(status))
        if self._watchdog and pulses and all(pulse.is_felt for pulse in pulses):
            self._tell("WATCHDOG=1")

    def _summary(self, generations: Collection[Generation]) -> str:
        pulses = [pulse for each in generations for pulse in each.pulses]
        sessions = sum(pulse.sessions for pulse in pulses)
        words = [f"{counted(len(pulses), 'worker')}, {counted(sessions, 'client')}"]
        if silent := sum(not pulse.is_felt for pulse in pulses):
            does_not = "does not" if silent == 1 else "do not"
            words.append(f"{counted(silent, 'worker')} {does_not} answer")
        return "; ".join([*words, *filter(None, [self._trouble])])

    def _as_status(self, text: str) -> str:
        self._status = text
        return f"STATUS={text}"

    def _tell(self, *assignments: str) -> None:
        if self._notifier is not None:
            self._notifier.tell(*assignments)

    def _complain(self, complain: Callable[[str], None]) -> None:
        """Say once what keeps systemd from hearing."""
        if self._notifier is not None and self._notifier.failure != self._complained:
            self._complained = self._notifier.failure
            if self._complained:
                complain(f"systemd is not told how we are: {self._complained}")


def counted(number: int, name: str) -> str:
    """Say how many there are of something."""
    return f"{number} {name}{'' if number == 1 else 's'}"
