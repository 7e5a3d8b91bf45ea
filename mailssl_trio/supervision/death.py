"""How worker processes end, in words."""

import signal
from typing import TypeAlias

from attrs import frozen

FAULTS = frozenset(
    -number for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL)
)


@frozen
class Death:
    """How a worker process ended."""

    pid: int
    code: int
    """As a shell has it, but a signal's number is negative."""
    reason: str = ""
    """What it said itself, or what we had against it."""

    def __str__(self) -> str:
        how = f"exited with code {self.code}"
        if self.code < 0:
            how = f"exited on signal {-self.code}"
        said = f" ({self.reason})" if self.reason else ""
        return f"worker process {self.pid} {how}{said}"

    @property
    def is_fault(self) -> bool:
        """Whether memory may have been in disorder, shared memory included."""
        return self.code in FAULTS


Ending: TypeAlias = Death | OSError | str
"""How a worker was lost: an OSError is the end of one without a start."""
