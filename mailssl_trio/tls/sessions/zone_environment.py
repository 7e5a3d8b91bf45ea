"""How a part of a zone lies in files, and how LMDB has them open.

LMDB maps its files into memory. Garbage in them it finds by itself, or the checksum
of a session does. But where a file has become shorter than its map, touching what is
no longer there kills the process (SIGBUS). So the files have all their length from the
beginning, mostly as holes that cost nothing, and before anything is read it is made
sure that they still have it. LMDB writes with pwrite(2), not into the map, so a file
system that is full is an error like others. What can still kill is a file that is cut
in that very moment, and good pages in each other's places (SIGABRT): zone_files.py
says what the supervisor does about it.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import EIO, ENOSPC
from math import ceil
from pathlib import Path

import lmdb

MIB = 2**20
MAP_PER_SIZE = 24
"""4,000 sessions of 4,000 octets, and room for what LMDB writes anew each time."""
SMALLEST_MAP = 4 * MIB
LOCK_FILE = 16384  # octets, for 254 readers

NO_ROOM = (os.strerror(ENOSPC), os.strerror(EIO))  # the latter for half a write


class PartError(Exception):
    """The part is damaged, has vanished, or cannot be had now."""


class NoRoomError(PartError):
    """The file system has no room for more; what is there is as it was."""


@contextmanager
def translated() -> Iterator[None]:
    """Let what the system or LMDB says against a part be a PartError."""
    try:
        yield
    except (OSError, lmdb.Error) as error:
        text = str(error)
        lacks_room = any(reason in text for reason in NO_ROOM)
        raise (NoRoomError if lacks_room else PartError)(text) from None


def map_size_of(size: int) -> int:
    """Return how long the file of a part is, in octets. Most are never written."""
    return ceil(max(SMALLEST_MAP, size * MAP_PER_SIZE) / MIB) * MIB


def lock_of(path: Path) -> Path:
    """Return where LMDB keeps the locks of a file."""
    return path.with_name(f"{path.name}-lock")


def make_files(path: Path, map_size: int) -> None:
    """Make the files of an empty part. Raises OSError, and lmdb.Error.

    The octets of the lock file are there, and no holes, since LMDB writes them by its
    map.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(lock_of(path), flags, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, LOCK_FILE)
    finally:
        os.close(descriptor)
    environment(path, map_size, is_ours=True).close()
    os.truncate(path, map_size)


def rename_files(path: Path, new: Path) -> None:
    """Give a part its name. It is found by that of its data, which comes last."""
    lock_of(path).rename(lock_of(new))
    path.rename(new)


def remove_files(path: Path) -> None:
    """Take a part away. Whoever has it open notices it."""
    for file in (path, lock_of(path)):
        with suppress(OSError):
            file.unlink()


def opened_file(path: Path, opened: ExitStack) -> int:
    """Open one of the files beside LMDB, to look at it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    opened.callback(os.close, descriptor)
    return descriptor


def environment(path: Path, map_size: int, *, is_ours: bool) -> lmdb.Environment:
    """Open LMDB: https://lmdb.readthedocs.io, and mdb_env_open in its lmdb.h."""
    return lmdb.open(
        str(path),
        map_size=map_size,
        subdir=False,
        readonly=not is_ours,
        create=is_ours,
        mode=0o600,
        sync=False,  # there is no disk
        metasync=False,
        readahead=False,
        max_spare_txns=1,  # keeps our place among the readers
    )
