"""How many there are of each, in all workers: counted in memory that they share.

Every worker process has a segment of its own, in which it alone writes; the sum over
all segments is the count, so nobody is asked and nobody waits. A segment is a table
of slots: the keyed hash of what is counted, and how many. The key is the supervisor's
and random, so that nobody can choose what falls into the same place. When a worker is
gone, however it went, its supervisor clears its segment and gives it to another.

The order makes sure that no limit is ever exceeded: a worker writes first and reads
then, so of two that come at once at least one sees the other. Both may, and both be
refused.
"""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from struct import Struct
from threading import Lock

from attrs import frozen

BUCKETS = 2**14
SLOTS = 8
"""To a bucket. A process of 20,000 connections has some 30,000 keys: two in eight."""

WINDOW = 2 * SLOTS
"""Slots in which a key may be: those of its bucket, and of the next."""

KEY = Struct("=Q")
COUNT = Struct("=I")
COUNTS_OF_WINDOW = Struct(f"={WINDOW}I")

KEYS = (BUCKETS + 1) * SLOTS * KEY.size
SEGMENT = -(-(KEYS // 2 * 3) // mmap.PAGESIZE) * mmap.PAGESIZE
"""Octets that one worker writes, keys and then counts; what is never written takes no
memory."""

MOST_SEGMENTS = 1024
HEADER = mmap.PAGESIZE
"""Octets before the first segment. They say how many of these were ever in use."""


@frozen
class Place:
    """Where a worker counts."""

    descriptor: int
    segment: int


class Segments:
    """The supervisor's view: who counts where."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("mailssl-limits", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, HEADER + MOST_SEGMENTS * SEGMENT)
        self._memory = mmap.mmap(self.descriptor, 0)
        self._taken: set[int] = set()
        self._ever = 0

    @contextmanager
    def lent(self) -> Iterator[Place | None]:
        """Lend a segment for the life of a worker; None if there are too many."""
        free = (each for each in range(MOST_SEGMENTS) if each not in self._taken)
        if (segment := next(free, None)) is None:
            yield None
            return
        self._taken.add(segment)
        self._ever = max(self._ever, segment + 1)
        KEY.pack_into(self._memory, 0, self._ever)
        try:
            yield Place(self.descriptor, segment)
        finally:
            start = HEADER + segment * SEGMENT
            self._memory.madvise(mmap.MADV_REMOVE, start, SEGMENT)
            self._taken.remove(segment)

    def close(self) -> None:
        """Give the memory back, as far as workers do not hold it."""
        self._memory.close()
        os.close(self.descriptor)


class Counts:
    """A worker's view: it counts its own, and sees those of all."""

    def __init__(self, place: Place, hash_key: bytes) -> None:
        self._memory = mmap.mmap(place.descriptor, 0)
        os.close(place.descriptor)
        self._hash_key = hash_key
        self._own = HEADER + place.segment * SEGMENT
        self._barrier = Lock()

    def add(self, name: bytes) -> int:
        """Count one more of a name; return how many there are now, everywhere.

        One that finds no room is not counted, and neither hinders anybody nor is
        hindered: a table four times as large as what a worker can hold is full then.
        """
        key, first = self._locate(name)
        if (slot := self._find(self._own, key, first)) is None:
            if (slot := self._free(first)) is None:
                return 0
            KEY.pack_into(self._memory, self._own + slot * KEY.size, *KEY.unpack(key))
        self._write(slot, self._read(self._own, slot) + 1)
        with self._barrier:  # what is written is seen before what follows is read
            pass
        return self._sum(key, first)

    def drop(self, name: bytes) -> None:
        """Count one less of a name, which this worker has counted."""
        key, first = self._locate(name)
        if (slot := self._find(self._own, key, first)) is not None:
            self._write(slot, max(0, self._read(self._own, slot) - 1))

    def close(self) -> None:
        """Look at the memory no more."""
        self._memory.close()

    def _locate(self, name: bytes) -> tuple[bytes, int]:
        """Return the key of a name, and the first slot that it may be in."""
        key = blake2b(name, digest_size=KEY.size, key=self._hash_key).digest()
        return key, KEY.unpack(key)[0] % BUCKETS * SLOTS

    def _sum(self, key: bytes, first: int) -> int:
        (ever,) = KEY.unpack_from(self._memory, 0)
        segments = range(HEADER, HEADER + ever * SEGMENT, SEGMENT)
        found = ((start, self._find(start, key, first)) for start in segments)
        return sum(self._read(start, slot) for start, slot in found if slot is not None)

    def _find(self, segment: int, key: bytes, first: int) -> int | None:
        """Return the slot of a key."""
        at = segment + first * KEY.size
        end = at + WINDOW * KEY.size
        while (at := self._memory.find(key, at, end)) >= 0:
            slot, rest = divmod(at - segment, KEY.size)
            if not rest:
                return slot
            at += 1
        return None

    def _free(self, first: int) -> int | None:
        """Return a slot in which nothing is counted."""
        start = self._own + KEYS + first * COUNT.size
        counts = COUNTS_OF_WINDOW.unpack_from(self._memory, start)
        return first + counts.index(0) if 0 in counts else None

    def _read(self, segment: int, slot: int) -> int:
        at = segment + KEYS + slot * COUNT.size
        (count,) = COUNT.unpack_from(self._memory, at)
        return int(count)

    def _write(self, slot: int, count: int) -> None:
        COUNT.pack_into(self._memory, self._own + KEYS + slot * COUNT.size, count)
