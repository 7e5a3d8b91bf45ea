"""Questions to one worker, each with one answer, or none in time."""

from collections.abc import Callable
from itertools import count

import trio
from attrs import evolve

from mailssl_trio.channel import encode
from mailssl_trio.messages import Answer, Question

PATIENCE = 2.0
"""Seconds in which a worker answers that is well."""

MOST_UNANSWERED = 32
"""Questions that are sent to a worker that answers none of them."""


class Asking:
    """What one worker was asked."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self._send = send
        self._numbers = count(1)
        self._unanswered: dict[int, trio.Event] = {}
        self._answers: dict[int, Answer] = {}

    async def ask(self, question: Question) -> Answer | None:
        """Return the answer; None if it does not come in time."""
        if len(self._unanswered) >= MOST_UNANSWERED:
            return None
        number = next(self._numbers)
        self._unanswered[number] = heard = trio.Event()
        self._send(encode(evolve(question, number=number)))
        with trio.move_on_after(PATIENCE):
            await heard.wait()
        return self._answers.pop(number, None)

    def hear(self, answer: Answer) -> None:
        """Take an answer; one that nobody waits for any more is none."""
        heard = self._unanswered.pop(answer.number, None)
        if heard is not None and heard.statistics().tasks_waiting:
            self._answers[answer.number] = answer
            heard.set()
