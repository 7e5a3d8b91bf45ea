"""Who holds a lock on a file: proc_locks(5).

To lock a file takes no more than to read it, so of one that everybody may read a lock
alone says nothing: whoever waits for it has it when its owner is killed.
"""

import os
from contextlib import suppress
from pathlib import Path


def holders(descriptor: int) -> frozenset[int]:
    """Return the processes with flock(2) on an open file, as far as one can see."""
    found = os.fstat(descriptor)
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    file = f"{device}:{found.st_ino}"
    with suppress(OSError):
        locks = map(str.split, Path("/proc/locks").read_text().splitlines())
        return frozenset(
            int(pid)
            for _, kind, _, _, pid, where, *_ in locks
            if kind == "FLOCK" and where == file  # "->" is one who waits
        )
    return frozenset()


def strangers(descriptor: int) -> frozenset[int]:
    """Return the same if none of them is root, or who we are."""
    found = holders(descriptor)
    return frozenset() if any(map(_is_one_of_us, found)) else found


def _is_one_of_us(pid: int) -> bool:
    """Whether a process may be; one that cannot be seen may be, too."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("Uid:"):
                return int(line.split()[2]) in {0, os.geteuid()}
    return True
