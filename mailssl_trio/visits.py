"""Who is here: every connection of this process, from the door to its end."""

from collections.abc import Callable, Iterator
from secrets import token_urlsafe

from attrs import define

from mailssl_trio.observer import Subject
from mailssl_trio.protocol.events import Goodbye

SESSION_OCTETS = 9
"""Of a session's name: twelve characters, and no two alike in the life of a log."""


@define(eq=False)
class Visit:
    """One connection, and the means to end it from outside."""

    subject: Subject
    dismissal: Goodbye | None = None
    """Why we have ended it, if we have."""
    _cancel: Callable[[], None] | None = None

    def dismiss(self, reason: Goodbye) -> None:
        """Have it end, with its protocol's words for the reason if it may hear them."""
        if self.dismissal is None:
            self.dismissal = reason
            if self._cancel is not None:
                self._cancel()

    def ends_by(self, cancel: Callable[[], None]) -> None:
        """Say what is to be called when it must end, in place of what was to be."""
        self._cancel = cancel
        if self.dismissal is not None:
            cancel()


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

    def enter(self, subject: Subject) -> Visit:
        """Name a connection, and keep it among the others until it leaves."""
        subject.session = token_urlsafe(SESSION_OCTETS)
        self._open[subject.session] = visit = Visit(subject)
        return visit

    def leave(self, visit: Visit) -> None:
        """Forget a connection that is open no more."""
        del self._open[visit.subject.session]
