"""Questions to one worker, each with one answer, or none in time."""

from collections.abc import Callable
from itertools import count

import trio
from attrs import define, evolve, field

from mailssl_trio.channel import encode
from mailssl_trio.messages import Answer, Question

PATIENCE = 2.0
"""Seconds in which a worker answers that is well."""

MOST_UNANSWERED = 32
"""Questions that are sent to a worker that answers none of them."""


@define(eq=False)
class Reply:
    """What somebody waits for."""

    heard: trio.Event = field(factory=trio.Event)
    answer: Answer | None = None


class Asking:
    """What one worker was asked."""

    def __init__(self, send: Callable[[bytes], bool]) -> None:
        self._send = send
        self._numbers = count(1)
        self._unanswered: dict[int, Reply] = {}

    async def ask(self, question: Question) -> Answer | None:
        """Return the answer; None if it does not come in time."""
        if len(self._unanswered) >= MOST_UNANSWERED:
            return None
        number = next(self._numbers)
        self._unanswered[number] = reply = Reply()
        self._send(encode(evolve(question, number=number)))
        with trio.move_on_after(PATIENCE):
            await reply.heard.wait()
        return reply.answer

    def hear(self, answer: Answer) -> None:
        """Take an answer, which may be too late for who has asked."""
        if (reply := self._unanswered.pop(answer.number, None)) is not None:
            reply.answer = answer
            reply.heard.set()
