"""What the kernel knows of a process and all that it has started."""

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def family(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    try:
        tasks = list((PROC / str(pid) / "task").iterdir())
        children = [
            child for task in tasks for child in (task / "children").read_text().split()
        ]
    except OSError:  # it has ended meanwhile
        return
    for child in children:
        yield from family(int(child))


def cpu(pid: int) -> float:
    """Return the seconds that a family has been on a processor, threads included.

    From ``schedstat``, which counts nanoseconds; ``stat`` counts hundredths.
    """
    nanoseconds = 0
    for member in family(pid):
        for task in (PROC / str(member) / "task").glob("*/schedstat"):
            nanoseconds += int(task.read_text().split()[0])
    return nanoseconds / 1e9


def pss(pid: int) -> float:
    """Return the KB of memory that a family has; what is shared counts in parts."""
    return sum(map(_pss, family(pid)))


def _pss(pid: int) -> float:
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return float(line.split()[1])
    return 0.0
