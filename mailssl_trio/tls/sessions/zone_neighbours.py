"""The parts of a zone that are other workers', as they come and go."""

import os
import time
from pathlib import Path

from mailssl_trio.tls.sessions.zone_environment import PartError
from mailssl_trio.tls.sessions.zone_files import files_of
from mailssl_trio.tls.sessions.zone_part import Part

PAUSE = 0.01  # seconds until a part that could not be opened is tried again


class Neighbours:
    """Parts to look into. Neither method raises or waits."""

    def __init__(self, directory: Path, zone: str, size: int) -> None:
        self._directory = directory
        self._zone = zone
        self._size = size
        self._parts: dict[Path, Part] = {}
        self._seen = 0
        """When the directory had last changed as we looked at all that is in it."""
        self._not_before = 0.0

    def lookup(self, session_id: bytes, now: float, own: Path | None) -> bytes | None:
        """Return a session that is in one of the parts, and has not expired."""
        self._look_around(own)
        for path, part in tuple(self._parts.items()):
            try:
                if session := part.lookup(session_id, now):
                    return session
            except PartError:
                self._close(path)
                self._look_again()
        return None

    def close(self) -> None:
        """Let go of all. A lookup would open them again."""
        for path in tuple(self._parts):
            self._close(path)
        self._seen = 0

    def _look_around(self, own: Path | None) -> None:
        """Open parts that have come. Those that have gone say so when asked."""
        changed = _changed(self._directory)
        if changed == self._seen or time.monotonic() < self._not_before:
            return
        self._seen = changed
        there = files_of(self._directory, f"{self._zone}.", ".mdb")
        for path in set(there) - self._parts.keys() - {own}:
            try:
                self._parts[path] = Part(path, self._size, is_ours=False)
            except PartError:
                self._look_again()
        if time.time_ns() - changed < PAUSE * 10**9:  # clocks of files are coarse
            self._look_again()

    def _look_again(self) -> None:
        self._seen = 0
        self._not_before = time.monotonic() + PAUSE

    def _close(self, path: Path) -> None:
        self._parts.pop(path).close()


def _changed(directory: Path) -> int:
    """Return when a directory has changed, 0 if it is gone."""
    try:
        return os.stat(directory).st_mtime_ns
    except OSError:
        return 0
