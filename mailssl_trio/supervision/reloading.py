"""Reloads: who asks for one, who carries it out, and what has come of it."""

import time
from collections.abc import Iterable

import trio
from attrs import define, field, frozen


@frozen
class Outcome:
    """What has come of a reload."""

    problems: tuple[str, ...] = ()
    """Why it was refused: nothing here where it was not."""
    exit_code: int = 0
    """Which one ``serve`` would have ended with."""
    at: int = field(factory=lambda: int(time.time()))
    """Seconds since 1970."""


@define(eq=False)
class Wish:
    """A reload that somebody wants."""

    asked: trio.Event = field(factory=trio.Event)
    over: trio.Event = field(factory=trio.Event)
    outcome: Outcome = field(factory=Outcome)


class Reloads:
    """One at a time, each for all who asked before it began."""

    def __init__(self) -> None:
        self.done = 0
        self.last: Outcome | None = None
        self._next = Wish()

    def ask(self) -> Wish:
        """Want one that has not begun yet: it sees what is on the disk by now."""
        self._next.asked.set()
        return self._next

    async def asked(self) -> None:
        """Wait until somebody wants one."""
        await self._next.asked.wait()

    def begin(self) -> Wish:
        """Take up what is wanted; whoever asks from now on waits for the next."""
        wish, self._next = self._next, Wish()
        return wish

    def settle(
        self, wish: Wish, problems: Iterable[object] = (), exit_code: int = 0
    ) -> None:
        """Say what has come of it."""
        self.last = wish.outcome = Outcome(tuple(map(str, problems)), exit_code)
        self.done += not self.last.problems
        wish.over.set()
