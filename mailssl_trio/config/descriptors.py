"""The directive ``worker_rlimit_nofile``: how many files a worker may have open."""

from typing import Annotated, TypeAlias

from mailssl_trio.config.values import WrongValueError, is_number, shown

LEAST = 64
"""Under these a worker would not even start."""

MOST = 2**30  # the kernel's own bound is below: proc(5), fs.nr_open


def descriptors(value: object) -> int:
    """Read a number of descriptors."""
    if is_number(value) and isinstance(value, int) and LEAST <= value <= MOST:
        return value
    raise WrongValueError(
        f"{shown(value)} is not a number of open files", f"write {LEAST} or more"
    )


Descriptors: TypeAlias = Annotated[int, descriptors]
