"""The memory that workers share, as who looks for it finds it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.interop.background import Background


def zones_of(program: Background) -> Path:
    """Return the directory of the zones that a program holds."""
    [found] = set(_opened(program.process.pid))
    return found


def parts_of(program: Background) -> list[Path]:
    """Return the files that sessions lie in."""
    return sorted(zones_of(program).glob("*.mdb"))


def _opened(pid: int) -> Iterator[Path]:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            path = Path(os.readlink(link))
            if path.name.startswith("mailssl-trio-"):
                yield path
