"""One part of a shared zone: what one worker writes, and all read, in LMDB.

Readers of LMDB never wait, and writers wait for each other only. As each part has one
writer, nobody waits for anybody, whoever is stopped or killed, and wherever. What LMDB
does wait for is another process in the middle of *opening* the same files. So a new
part gets its name when it is complete, and others are opened only if nobody is at it.
"""

import os
from contextlib import ExitStack, suppress
from fcntl import LOCK_NB, LOCK_SH, lockf
from pathlib import Path
from typing import Self, TypeAlias

import lmdb

from mailssl_trio.tls.sessions.zone_environment import (
    LOCK_FILE,
    MIB,
    PartError,
    environment,
    lock_of,
    make_files,
    map_size_of,
    opened_file,
    rename_files,
    translated,
)
from mailssl_trio.tls.sessions.zone_record import (
    EXPIRIES,
    DamagedRecordError,
    Record,
    expiry_key,
    has_expired,
    id_of,
    session_key,
)

SESSIONS_PER_MIB = 4000
FULL = 3 / 4
"""How much of the map sessions may take; the rest is for changing them."""
EXPIRED, EVICTIONS = 2, 64  # sessions that go, at most, for one that comes

Transaction: TypeAlias = "lmdb.Transaction[bytes]"


def capacity_of(size: int) -> int:
    """Return how many sessions each part of a zone of so many octets holds."""
    return max(1, size * SESSIONS_PER_MIB // MIB)


class Part:
    """An open part. All that it does raises PartError when it is of no more use."""

    def __init__(self, path: Path, size: int, *, is_ours: bool) -> None:
        """Open what is there: to read, and to write if it is ours."""
        self.path = path
        self._capacity = capacity_of(size)
        self._map_size = map_size_of(size)
        with translated(), ExitStack() as opened:
            self._lock_file = opened_file(lock_of(path), opened)
            lockf(self._lock_file, LOCK_SH | LOCK_NB, 1)  # LMDB's, without waiting
            self._data_file = opened_file(path, opened)
            self._make_sure()
            self._env = environment(path, self._map_size, is_ours=is_ours)
            opened.callback(self._close_env)
            self._room = int(self._map_size / self._env.stat()["psize"] * FULL)
            self._opened = opened.pop_all()

    @classmethod
    def create(cls, path: Path, size: int) -> Self:
        """Make an empty part of our own, which others find when it is complete."""
        unnamed = path.with_suffix(".new")
        with translated(), ExitStack() as opened:
            make_files(unnamed, map_size_of(size))
            part = cls(unnamed, size, is_ours=True)
            opened.callback(part.close)
            rename_files(unnamed, path)
            opened.pop_all()
        part.path = path
        return part

    def lookup(self, session_id: bytes, now: float) -> bytes | None:
        """Return a session that is there and has not expired."""
        self._make_sure()
        try:  # not translated(), which would take as long as the rest
            with self._env.begin() as transaction:
                octets = transaction.get(session_key(session_id))
            return octets and Record.parse(session_id, octets).session_at(now)
        except (lmdb.Error, DamagedRecordError) as error:
            raise PartError(str(error)) from None

    def store(
        self, session_id: bytes, session: bytes, expires: float, now: float
    ) -> None:
        """Keep a session, in place of the first to expire if there are too many."""
        self._make_sure()
        times = int(expires * 1000), int(now * 1000)
        record = Record(session_id, session, *times)
        with translated():
            try:
                self._put(record, now)
            except lmdb.MapFullError:
                self._env.reader_check()  # one that was killed holds what was freed
                self._put(record, now)

    def collect(self, now: float, at_most: int) -> int:
        """Let expired sessions go; return how many."""
        self._make_sure()
        with translated():
            self._env.reader_check()
            with self._env.begin(write=True) as transaction:
                return self._evict(transaction, now, at_most, at_most)

    def close(self) -> None:
        """Let go of the files."""
        self._opened.close()

    def _close_env(self) -> None:
        """Close LMDB, which writes into the lock file, whatever is left of it.

        A lock file that was cut gets a length that is wrong in another way, so that
        the others do not take it for a good one.
        """
        with suppress(OSError):
            if os.fstat(self._lock_file).st_size < LOCK_FILE:
                os.truncate(self._lock_file, 2 * LOCK_FILE)
        self._env.close()

    def _put(self, record: Record, now: float) -> None:
        with self._env.begin(write=True) as transaction:
            key = session_key(record.session_id)
            if before := transaction.get(key):
                transaction.delete(expiry_key(record.session_id, before))
            octets = bytes(record)
            transaction.put(key, octets)
            transaction.put(expiry_key(record.session_id, octets), b"")
            self._evict(transaction, now, EXPIRED, EVICTIONS)

    def _evict(
        self, transaction: Transaction, now: float, expired: int, most: int
    ) -> int:
        """Let the first to expire go: some that have, and those too many."""
        cursor = transaction.cursor()
        gone = 0
        while gone < most and cursor.set_range(EXPIRIES):
            key = cursor.key()
            is_over = gone < expired and has_expired(key, now)
            if not key.startswith(EXPIRIES) or not (
                is_over or self._is_full(transaction)
            ):
                break
            transaction.delete(key)
            transaction.delete(session_key(id_of(key)))
            gone += 1
        return gone

    def _is_full(self, transaction: Transaction) -> bool:
        stat = transaction.stat()
        pages = stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
        return stat["entries"] > 2 * self._capacity or pages > self._room

    def _make_sure(self) -> None:
        """See that the files are still there, and as long as when they were mapped."""
        data, lock = os.fstat(self._data_file), os.fstat(self._lock_file)
        if not data.st_nlink or not lock.st_nlink:
            raise PartError("somebody has removed it")
        if data.st_size != self._map_size or lock.st_size != LOCK_FILE:
            raise PartError("somebody has cut it")
