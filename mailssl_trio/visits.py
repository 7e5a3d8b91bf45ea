"""Who is here: every connection of this process, from the door to its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_urlsafe

import trio
from attrs import define, field

from mailssl_trio.observer import Subject
from mailssl_trio.protocol.events import Goodbye

SESSION_OCTETS = 9
"""Of a session's name: twelve characters, and no two alike in the life of a log."""


@define(eq=False)
class Visit:
    """One connection, and the means to end it from outside."""

    subject: Subject
    scope: trio.CancelScope = field(factory=trio.CancelScope)
    """All that its client is waited for in."""
    dismissal: Goodbye | None = None
    """Why we have ended it, if we have."""

    def dismiss(self, reason: Goodbye) -> None:
        """Have it end, with its protocol's words for the reason if it may hear them."""
        if self.dismissal is None:
            self.dismissal = reason
            self.scope.cancel()


class Visits:
    """The connections that are open now, oldest first."""

    def __init__(self) -> None:
        self._open: dict[str, Visit] = {}

    def __iter__(self) -> Iterator[Visit]:
        return iter(self._open.values())

    def __len__(self) -> int:
        return len(self._open)

    def get(self, session: str) -> Visit | None:
        """Return the one of this name, None if it is not here."""
        return self._open.get(session)

    @contextmanager
    def entered(self, subject: Subject) -> Iterator[Visit]:
        """Name a connection, and keep it among the others for as long as it is open."""
        subject.session = token_urlsafe(SESSION_OCTETS)
        self._open[subject.session] = visit = Visit(subject)
        try:
            yield visit
        finally:
            del self._open[subject.session]
