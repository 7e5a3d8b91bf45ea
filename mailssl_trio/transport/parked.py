"""Sessions in which nobody speaks: no task and no buffer, only two descriptors each.

Most of those who have logged in are silent most of the time. A task that waits costs
kilobytes, so a silent session has none: its descriptors are in an epoll of their own,
which can itself be waited for, and one task watches them all. Whoever speaks, or has
been silent for too long, is woken: a task carries him again.
"""

import select
from collections import OrderedDict
from collections.abc import Callable
from math import inf

import trio
from attrs import frozen

AT_ONCE = 64
"""Sessions that are woken before others get their turn."""

WAKES = select.EPOLLIN | select.EPOLLRDHUP


@frozen(eq=False)
class Sleeper:
    """A silent session."""

    descriptors: tuple[int, int]
    wake: Callable[[], None]
    """Goes on with it; is called once, when it is parked no more."""
    deadline: float
    """When it has been silent for too long, on Trio's clock."""


class Parked:
    """The silent sessions of one virtual server, and the task that watches them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._sleepers: OrderedDict[int, Sleeper] = OrderedDict()
        """By the first of their descriptors; the first to be late come first, since
        all of them may be silent for the same time."""
        self._first: dict[int, int] = {}
        """From each descriptor to the first of its sleeper."""
        self._late = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._sleepers)

    def park(self, sleeper: Sleeper) -> None:
        """Watch a session until somebody speaks, or its time is over."""
        first = sleeper.descriptors[0]
        for descriptor in sleeper.descriptors:
            self._epoll.register(descriptor, WAKES)
            self._first[descriptor] = first
        self._sleepers[first] = sleeper
        if len(self._sleepers) == 1:
            self._late.deadline = sleeper.deadline

    def rouse(self, sleeper: Sleeper) -> None:
        """Wake a session, unless that has happened already."""
        if self._sleepers.get(sleeper.descriptors[0]) is sleeper:
            for descriptor in sleeper.descriptors:
                self._epoll.unregister(descriptor)
                del self._first[descriptor]
            del self._sleepers[sleeper.descriptors[0]]
            sleeper.wake()

    def rouse_all(self) -> None:
        """Wake everybody."""
        for sleeper in tuple(self._sleepers.values()):
            self.rouse(sleeper)

    async def watch(self) -> None:
        """Wake who speaks and who is late, until cancelled."""
        while True:
            self._late = trio.CancelScope(deadline=self._next_deadline)
            with self._late:
                await trio.lowlevel.wait_readable(self._epoll.fileno())
            for descriptor, _ in self._epoll.poll(0, AT_ONCE):
                if (first := self._first.get(descriptor)) is not None:
                    self.rouse(self._sleepers[first])
            while self._next_deadline <= trio.current_time():
                self.rouse(next(iter(self._sleepers.values())))

    def close(self) -> None:
        """Let go of the epoll; nobody may be parked any more."""
        self._epoll.close()

    @property
    def _next_deadline(self) -> float:
        first = next(iter(self._sleepers.values()), None)
        return inf if first is None else first.deadline
