"""Whether a worker's loop still turns: it is asked, and must answer.

What counts is how often in succession it has not answered, not how long: when a whole
machine stands still, nobody is to blame.
"""

from collections.abc import Awaitable, Callable

import trio

from mailssl_trio.messages import Answer, CountSessions, Question, SessionCount
from mailssl_trio.supervision.notify import watchdog_seconds

QUESTIONS = 6
"""So many without an answer, one after the other, are a standstill."""

STANDSTILL = 30.0
"""Seconds that they take, where systemd does not expect a sign of life before."""


def standstill(watchdog: float | None) -> float:
    """Return how long a loop may stand still.

    A watchdog's half of it: we replace one worker before it ends us all.
    """
    return STANDSTILL if watchdog is None else min(STANDSTILL, watchdog / 2)


class Pulse:
    """That of one worker."""

    def __init__(self, ask: Callable[[Question], Awaitable[Answer | None]]) -> None:
        self.is_felt = True
        """It has answered the last question."""
        self.sessions = 0
        """How many clients it had by then."""
        self.standstill = standstill(watchdog_seconds())
        self._ask = ask
        self._has_answered = False

    async def stops(self) -> None:
        """Ask again and again, until it is clear that nobody answers any more.

        Workers of other releases, which were never heard to answer, may go on.
        """
        interval = self.standstill / QUESTIONS
        silent = 0
        while silent < QUESTIONS or not self._has_answered:
            asked = trio.current_time()
            answer = None
            with trio.move_on_after(interval):
                answer = await self._ask(CountSessions())
            self._hear(answer)
            silent = 0 if self.is_felt else silent + 1
            await trio.sleep_until(asked + interval)

    def _hear(self, answer: Answer | None) -> None:
        self.is_felt = answer is not None
        match answer:
            case SessionCount(logged_in, before_login):
                self.sessions = logged_in + before_login
                self._has_answered = True
