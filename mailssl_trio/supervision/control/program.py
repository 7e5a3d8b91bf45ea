"""What an administrator may see of the program, and have it do."""

import time
from collections.abc import Awaitable, Callable, Collection

from attrs import field, frozen

from mailssl_trio.limits.ledger import Ledger
from mailssl_trio.supervision.generation import Generation
from mailssl_trio.supervision.reloading import Reloads
from mailssl_trio.supervision.served import Served


@frozen(eq=False)
class Program:
    """The supervisor, as far as the control socket reaches."""

    served: Callable[[], Served | None]
    """What is served now; None before the start."""
    generations: Callable[[], Collection[Generation]]
    """All that have workers, those that leave included."""
    reloads: Reloads
    ledger: Ledger
    """Who is banned."""
    is_stopping: Callable[[], bool]
    stop: Callable[[], None]
    """Have everything end in good order; asked again, at once."""
    reopen: Callable[[], Awaitable[None]]
    """Have the log files opened again, in all processes."""
    began: int = field(factory=lambda: int(time.time()))
    """Seconds since 1970."""

    def log(self, level: str, text: str) -> None:
        """Write a line of the error log."""
        if (served := self.served()) is not None:
            served.log.write(level, text)
