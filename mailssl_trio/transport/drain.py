"""Reaching connections that wait for their peer, when the process is to end.

A drain cancels no task. It cuts short the waits that were declared to it; whoever
waited sees that ``begun`` is set, says goodbye in its own protocol, and leaves.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from math import inf

import trio
from attrs import frozen


class Wait(Enum):
    """What a peer is about while we wait for it."""

    ALLOWED_NOTHING = "allowed nothing"
    """It is not the peer's turn, or no peer is there yet."""
    SILENT = "silent"
    """It may say something, or not."""
    BUSY = "busy"
    """It has begun something: a handshake, a login, a line."""


@frozen
class Pace:
    """What a drain leaves to whom, in seconds."""

    sessions: float = inf
    """From its beginning: those who have logged in."""
    unfinished: float = 0.0
    """From its beginning: those who have begun a handshake or a login."""
    silence: float = 0.0
    """From their last word: those who have begun nothing. It lets the answer to a
    greeting arrive that is under way."""


AT_ONCE = Pace()


class Declared:
    """A wait that a drain may cut short, from when it is entered until it is left."""

    __slots__ = ("_drain", "_limit", "grace", "scope", "since", "wait")

    def __init__(
        self, drain: "Drain", scope: trio.CancelScope, grace: float, wait: Wait
    ) -> None:
        self.scope = scope
        self.grace = grace
        self.wait = wait
        self.since = trio.current_time()
        self._drain = drain
        self._limit = scope.deadline

    def __enter__(self) -> "Declared":
        self._drain.note(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._drain.forget(self)

    def turns(self, wait: Wait) -> None:
        """Say what the peer is about from now on."""
        self.wait, self.since = wait, trio.current_time()
        if self._drain.begun:
            self.scope.deadline = self._limit
            self._drain.cut(self)


class Drain:
    """A stop that is announced to everyone who declared a wait."""

    def __init__(self) -> None:
        self.begun = False
        self._pace = AT_ONCE
        self._beginning = inf
        self._waits: set[Declared] = set()
        self._sessions: set[trio.CancelScope] = set()

    def cuts(
        self,
        scope: trio.CancelScope,
        grace: float = 0.0,
        wait: Wait = Wait.ALLOWED_NOTHING,
    ) -> Declared:
        """Let ``scope`` last only so long once the drain has begun.

        That is ``grace`` seconds, or what the drain leaves to such a peer if that is
        more.
        """
        return Declared(self, scope, grace, wait)

    def note(self, declared: Declared) -> None:
        """Take account of a wait."""
        self._waits.add(declared)
        if self.begun:
            self.cut(declared)

    def forget(self, declared: Declared) -> None:
        """Leave a wait alone that is over."""
        self._waits.remove(declared)

    @contextmanager
    def ends(self, sessions: trio.CancelScope) -> Iterator[None]:
        """Let ``sessions`` last as long as those may that have logged in."""
        self._sessions.add(sessions)
        if self.begun:
            self._end(sessions)
        try:
            yield
        finally:
            self._sessions.remove(sessions)

    def begin(self, pace: Pace = AT_ONCE) -> None:
        """Cut short every declared wait, and each that will be declared.

        Another beginning may hasten what the first has left time to.
        """
        self.begun, self._pace = True, pace
        self._beginning = trio.current_time()
        for declared in self._waits:
            self.cut(declared)
        for sessions in self._sessions:
            self._end(sessions)

    def cut(self, declared: Declared) -> None:
        """Leave to a wait what the drain leaves to such a peer."""
        end = max(trio.current_time() + declared.grace, self._left_to(declared))
        declared.scope.deadline = min(declared.scope.deadline, end)

    def _left_to(self, declared: Declared) -> float:
        """Return until when the pace lets such a peer go on."""
        unfinished = self._beginning + self._pace.unfinished
        match declared.wait:
            case Wait.BUSY:
                return unfinished
            case Wait.SILENT:
                return min(declared.since + self._pace.silence, unfinished)
            case Wait.ALLOWED_NOTHING:
                return -inf

    def _end(self, sessions: trio.CancelScope) -> None:
        end = self._beginning + self._pace.sessions
        sessions.deadline = min(sessions.deadline, end)
