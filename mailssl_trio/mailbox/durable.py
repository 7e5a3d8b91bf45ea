"""Writing that survives: what has been called done is still there after kill -9.

Nothing here is seen by halves. A file appears under its name when it is whole
(rename), and stays when its directory has been synced; whoever changes a file that
others change too holds its lock (flock), which the kernel frees when the holder dies.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from itertools import count
from pathlib import Path
from secrets import token_hex
from time import time_ns

_deliveries = count()


def unique_name() -> str:
    """Return a name no other delivery has, and that sorts by time (maildir(5))."""
    seconds, nanoseconds = divmod(time_ns(), 1_000_000_000)
    micros = nanoseconds // 1000
    number = next(_deliveries)
    return f"{seconds}.M{micros:06}P{os.getpid()}Q{number:08}R{token_hex(4)}.mailssl"


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file whole; the caller holds the lock that belongs to it."""
    fresh = path.with_name(path.name + ".fresh")
    with open(fresh, "wb", opener=private) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    sync_directory(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` against all other threads and processes."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            flock(descriptor, LOCK_EX)
            if _is_still(path, descriptor):
                yield
                return
        finally:
            os.close(descriptor)


def private(path: str, flags: int) -> int:
    """Open for nobody but ourselves."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the folder was not deleted and made anew while we waited."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
