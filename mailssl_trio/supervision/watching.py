"""Noticing that files have changed, and that whoever changes them is done."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, ...] | None
"""What no change leaves as it was; None for a file that cannot be reached."""


class Watch:
    """Some files, by the names that lead to them, through whatever links."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)
        self._before: tuple[Stamp, ...] | None = None
        self._reported: tuple[Stamp, ...] | None = None

    def look(self) -> bool:
        """Return whether a change has come to rest: two looks have seen the same.

        The first state that rests is a change too, since the files may have changed
        between their reading and the first look. Asks the disk, so use a thread.
        """
        now = tuple(map(stamp, self._paths))
        is_news = now == self._before and now != self._reported
        self._before = now
        if is_news:
            self._reported = now
        return is_news


def stamp(path: Path) -> Stamp:
    """Return what tells a file's states apart."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return (
        found.st_dev,
        found.st_ino,
        found.st_size,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
