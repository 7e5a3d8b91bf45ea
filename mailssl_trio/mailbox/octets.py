"""A message's file, read by windows: however large it is, little is in memory."""

import os
import re
from collections.abc import Iterator
from errno import EIO
from typing import BinaryIO

from attrs import frozen

WINDOW = 262_144
REACH = 1024
"""Octets that a pattern may match at most, so that no window's edge cuts a match."""


@frozen
class Extent:
    """A stretch of the file, from ``start`` up to but not including ``end``."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


class Octets:
    """Random access to a file that never changes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        status = os.fstat(file.fileno())
        self.size = status.st_size
        self.modified = status.st_mtime

    def read(self, start: int, end: int) -> bytes:
        """Return a stretch; OSError if the file is shorter than it was, as none is."""
        octets = os.pread(self._file.fileno(), max(end - start, 0), start)
        if len(octets) < end - start:
            raise OSError(EIO, "a message has lost its end")
        return octets

    def windows(self, extent: Extent) -> Iterator[bytes]:
        """Return a stretch in pieces."""
        for start in range(extent.start, extent.end, WINDOW):
            yield self.read(start, min(start + WINDOW, extent.end))

    def search(self, pattern: re.Pattern[bytes], extent: Extent) -> "Match | None":
        """Find the first place where a pattern matches."""
        for start in range(extent.start, extent.end, WINDOW - REACH):
            end = min(start + WINDOW, extent.end)
            match = pattern.search(self.read(start, end))
            if match and (match.start() < WINDOW - REACH or end == extent.end):
                return Match(start + match.start(), start + match.end(), match.groups())
        return None

    def count_lines(self, extent: Extent) -> int:
        """Count the line ends of a stretch."""
        return sum(window.count(b"\n") for window in self.windows(extent))

    def end_of_lines(self, extent: Extent, count: int) -> int:
        """Return where so many lines of a stretch end."""
        at = extent.start
        for window in self.windows(extent):
            if (lines := window.count(b"\n")) < count:
                count -= lines
                at += len(window)
                continue
            end = 0
            for _ in range(count):
                end = window.index(b"\n", end) + 1
            return at + end
        return extent.end

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


@frozen
class Match:
    """Where a pattern matched, and what its groups took."""

    start: int
    end: int
    groups: tuple[bytes | None, ...]
