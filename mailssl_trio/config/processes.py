"""The directive ``worker_processes``."""

import os
from typing import Annotated, TypeAlias

from mailssl_trio.config.values import WrongValueError, is_number, shown

MOST = 1024  # as in nginx


def processes(value: object) -> int:
    """Read a number of processes; ``auto`` is one for each processor we may use."""
    if value == "auto":
        return min(len(os.sched_getaffinity(0)), MOST)
    if is_number(value) and isinstance(value, int) and 1 <= value <= MOST:
        return value
    raise WrongValueError(
        f"{shown(value)} is not a number of processes", f'write 1 to {MOST}, or "auto"'
    )


Processes: TypeAlias = Annotated[int, processes]
