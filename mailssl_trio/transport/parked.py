"""Sessions in which little is said: no task and no buffer, only two descriptors each.

Most of those who have logged in are silent most of the time, and what they then say is
a line and an answer. A task that waits costs kilobytes, so such a session has none: its
descriptors are in an epoll of their own, which can itself be waited for, and one task
watches them all. It passes on what is little; where there is more to do, or somebody
has been silent for too long, it wakes the session: a task carries it again.
"""

import select
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from math import inf
from typing import NoReturn

import trio

from mailssl_trio.transport.relay import Relay

AT_ONCE = 64
"""Sessions that are looked after before others get their turn."""

WAKES = select.EPOLLIN | select.EPOLLRDHUP


class Sleeper:
    """A session that has no task."""

    __slots__ = ("descriptors", "pass_on", "relay", "wake")

    def __init__(
        self, relay: Relay, pass_on: Callable[[int], bool], wake: Callable[[], None]
    ) -> None:
        """``pass_on`` is the relay's, made such that it does not raise.

        ``wake`` goes on with it; it is called once, when it is parked no more.
        """
        self.relay = relay
        self.pass_on = pass_on
        self.wake = wake
        self.descriptors = relay.descriptors


class Parked:
    """The sessions of one virtual server that have no task, and who watches them."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._sleepers: OrderedDict[Sleeper, None] = OrderedDict()
        """The first to be late come first: all of them may be silent for as long."""
        self._whose: dict[int, Sleeper] = {}
        self._late = trio.CancelScope()

    def __len__(self) -> int:
        return len(self._sleepers)

    def park(self, sleeper: Sleeper) -> bool:
        """Watch a session until it has to be woken; return whether that is possible.

        It is not where the system has no memory for it (epoll_ctl(2), ENOSPC too), or
        where nobody watches any more.
        """
        if not self._can_watch(sleeper.descriptors):
            return False
        self._whose.update(dict.fromkeys(sleeper.descriptors, sleeper))
        self._sleepers[sleeper] = None
        if len(self._sleepers) == 1:
            self._late.deadline = self._next_deadline
        return True

    def _can_watch(self, descriptors: tuple[int, ...]) -> bool:
        """Begin to watch all of them, or none."""
        if self._epoll.closed:
            return False
        with ExitStack() as undo:
            for descriptor in descriptors:
                try:
                    self._epoll.register(descriptor, WAKES)
                except OSError:
                    return False
                undo.callback(self._epoll.unregister, descriptor)
            undo.pop_all()
        return True

    def rouse(self, sleeper: Sleeper) -> None:
        """Wake a session, unless that has happened already."""
        if sleeper in self._sleepers:
            for descriptor in sleeper.descriptors:
                self._epoll.unregister(descriptor)
                del self._whose[descriptor]
            del self._sleepers[sleeper]
            sleeper.wake()

    def rouse_all(self) -> None:
        """Wake everybody."""
        for sleeper in tuple(self._sleepers):
            self.rouse(sleeper)

    async def watch(self) -> None:
        """Pass on what is said, and wake who needs it, until cancelled."""
        while True:
            self._late = trio.CancelScope(deadline=self._next_deadline)
            with self._late:
                await self._listen()
            for _ in range(AT_ONCE):
                if self._next_deadline <= trio.current_time():
                    self.rouse(next(iter(self._sleepers)))

    def close(self) -> None:
        """Let go of the epoll; nobody may be parked any more."""
        self._epoll.close()

    async def _listen(self) -> NoReturn:
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for descriptor, _ in self._epoll.poll(0, AT_ONCE):
                self._hear(descriptor)

    def _hear(self, descriptor: int) -> None:
        """Pass on what is said; an earlier one of this turn may have woken it."""
        if (sleeper := self._whose.get(descriptor)) is None:
            return
        if sleeper.pass_on(descriptor):
            self._sleepers.move_to_end(sleeper)
        else:
            self.rouse(sleeper)

    @property
    def _next_deadline(self) -> float:
        first = next(iter(self._sleepers), None)
        return inf if first is None else first.relay.patience_ends
