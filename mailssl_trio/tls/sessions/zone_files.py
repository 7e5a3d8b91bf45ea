"""How the parts of zones lie in their directory, and whose each is.

``ZONE.NUMBER.owner`` is locked by the worker that owns the part of that number; the
lock ends with its process, however that ends. ``ZONE.NUMBER.TOKEN.mdb`` is the part.
When something is wrong with it, a new one takes its place with a token of its own, so
that what others have open is never mixed up with what is there now.
"""

import os
import secrets
import time
from contextlib import suppress
from errno import EMFILE
from fcntl import LOCK_EX, LOCK_NB, flock
from hashlib import sha256
from pathlib import Path
from typing import Self

from attrs import frozen

from mailssl_trio.tls.sessions.zone_environment import PartError, remove_files
from mailssl_trio.tls.sessions.zone_part import Part

MOST = 1024  # parts of a zone: more workers than anybody has


def zone_of(name: str, size: int) -> str:
    """Return what the names of a zone's files begin with.

    A zone of another size is another zone, as in nginx.
    """
    return sha256(f"{size} {name}".encode(errors="surrogatepass")).hexdigest()[:24]


def discard(directory: Path) -> None:
    """Throw all sessions of all zones away, for workers to begin anew.

    To be done when a worker has died of SIGBUS, SIGSEGV, SIGABRT or SIGILL: what it
    has died of may be here, and kill the next one. Those that live notice it.
    """
    for path in (*files_of(directory, "", ".mdb"), *files_of(directory, "", ".new")):
        remove_files(path)


def discard_abandoned(directory: Path, lifetime: float) -> None:
    """Throw away the parts that nobody owns, once all that is in them has expired.

    Reloads leave them, with fewer workers or without a zone, and nobody else would let
    their sessions go. No session lives longer than ``lifetime``, in seconds.
    """
    for owner in files_of(directory, "", ".owner"):
        with suppress(OSError):
            descriptor = _lock(owner)
            if descriptor is not None:
                try:
                    _discard_older(directory, owner.stem, time.time() - lifetime)
                finally:
                    os.close(descriptor)


def _discard_older(directory: Path, stem: str, moment: float) -> None:
    for path in files_of(directory, f"{stem}.", ".mdb"):
        if path.stat().st_mtime < moment:  # nothing was stored since
            remove_files(path)


def files_of(directory: Path, beginning: str, ending: str) -> list[Path]:
    """Return the files whose names are so. None if the directory is gone."""
    try:
        names = os.listdir(directory)
    except OSError:
        return []
    wanted = [n for n in names if n.startswith(beginning) and n.endswith(ending)]
    return [directory / name for name in sorted(wanted)]


@frozen
class Ownership:
    """The right to one part of a zone, until it is given back or the process ends."""

    directory: Path
    stem: str
    descriptor: int

    @classmethod
    def take(cls, directory: Path, zone: str) -> Self:
        """Take the first part that nobody owns. Raises OSError."""
        for number in range(MOST):
            stem = f"{zone}.{number}"
            descriptor = _lock(directory / f"{stem}.owner")
            if descriptor is not None:
                return cls(directory, stem, descriptor)
        raise OSError(EMFILE, f"{MOST} parts are taken")

    def part(self, size: int) -> Part:
        """Open the part that is there, or else make one. Raises PartError."""
        for path in self._files(".mdb"):
            with suppress(PartError):
                return Part(path, size, is_ours=True)
        for path in (*self._files(".mdb"), *self._files(".new")):
            remove_files(path)
        token = secrets.token_hex(8)
        return Part.create(self.directory / f"{self.stem}.{token}.mdb", size)

    def give_back(self) -> None:
        """Let another have the part."""
        os.close(self.descriptor)

    def _files(self, ending: str) -> list[Path]:
        return files_of(self.directory, f"{self.stem}.", ending)


def _lock(path: Path) -> int | None:
    """Lock a file for as long as it is open; None if somebody else has."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor
