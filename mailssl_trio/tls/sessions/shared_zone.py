"""``shared:name:size``: sessions that all workers find, and that outlive each of them.

A zone consists of parts, in files side by side, one for each worker that ever lived at
the same time. Each worker writes its own and looks into all. One that takes a dead
one's place takes its part too, with the sessions in it.

Whatever is wrong with a part costs the sessions in it, and nothing else: its worker
begins a new one, the others look past it.
"""

import time
from collections.abc import Callable
from pathlib import Path

from mailssl_trio.tls.sessions.session_cache import LARGEST_SESSION, Clock
from mailssl_trio.tls.sessions.zone_environment import (
    NoRoomError,
    PartError,
    remove_files,
)
from mailssl_trio.tls.sessions.zone_files import Ownership, zone_of
from mailssl_trio.tls.sessions.zone_neighbours import Neighbours
from mailssl_trio.tls.sessions.zone_part import Part

LONGEST_ID = 32  # RFC 5246 section 7.4.1.2; so are those of OpenSSL for TLS 1.3
FOREVER = 2**40  # seconds; no session expires so late
COLLECTED = 200  # sessions at a time, in about a millisecond
PAUSE = 1.0
"""Seconds until a part is begun again, where none can be had or each is destroyed."""


class SharedZone:
    """A SessionStore that several processes have in common.

    One for each name and size in a process: LMDB's locks are the process's. Not to be
    used by a child that was forked.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        size: int,
        complain: Callable[[str], object] | None = None,
        clock: Clock = time.time,
    ) -> None:
        """Take a part; ``complain`` hears, in a sentence, when sessions are lost."""
        self.name = name
        self._size = size
        self._directory = directory
        self._zone = zone_of(name, size)
        self._complain = complain
        self._clock = clock
        self._ownership: Ownership | None = None
        self._part: Part | None = None
        self._others = Neighbours(directory, self._zone, size)
        self._lost_at = self._not_before = float("-inf")
        self._said = ""
        self._is_open = True
        self._own()

    def store(self, session_id: bytes, session: bytes, expires: float) -> None:
        """Keep a session, in place of the first to expire if there are too many."""
        now = self._clock()
        fits = 0 < len(session_id) <= LONGEST_ID and len(session) <= LARGEST_SESSION
        if (
            fits
            and now < expires < FOREVER
            and not self._keep(session_id, session, expires, now)
        ):
            self._keep(session_id, session, expires, now)  # in a new part

    def lookup(self, session_id: bytes) -> bytes | None:
        """Return a session that any worker has stored and that has not expired."""
        if not (self._is_open and 0 < len(session_id) <= LONGEST_ID):
            return None
        now = self._clock()
        if self._part is not None:
            try:
                if session := self._part.lookup(session_id, now):
                    return session
            except PartError as error:
                self._lose(str(error))
        own = self._part.path if self._part else None
        return self._others.lookup(session_id, now, own)

    def collect(self) -> None:
        """Let expired sessions of our own go. To be called every few seconds."""
        if part := self._own():
            try:
                part.collect(self._clock(), COLLECTED)
            except PartError as error:
                self._lose(str(error))

    def close(self) -> None:
        """Leave our part, with its sessions, to the next who comes."""
        self._is_open = False
        self._others.close()
        self._leave()

    def _keep(
        self, session_id: bytes, session: bytes, expires: float, now: float
    ) -> bool:
        """Store in our part; return whether that is the end of it."""
        part = self._own()
        if part is not None:
            try:
                part.store(session_id, session, expires, now)
            except NoRoomError:
                self._say("there is no room for more sessions")
            except PartError as error:
                self._lose(str(error))
                return False
        return True

    def _own(self) -> Part | None:
        """Return our part. Take or make one, if we have none and it is time."""
        is_time = self._is_open and time.monotonic() >= self._not_before
        if self._part is None and is_time:
            self._others.close()  # ours may be one of them, and is not opened twice
            try:
                self._ownership = Ownership.take(self._directory, self._zone)
                self._part = self._ownership.part(self._size)
            except (OSError, PartError) as error:
                self._lose(str(error))
        return self._part

    def _lose(self, reason: str) -> None:
        """Give up our part, for all. The next will be a new one."""
        now = time.monotonic()
        if self._part is None or now < self._lost_at + PAUSE:
            self._not_before = now + PAUSE
        self._lost_at = now
        if self._part is not None:
            remove_files(self._part.path)
        self._leave()
        self._say(f"sessions are lost: {reason}")

    def _leave(self) -> None:
        if self._part is not None:
            self._part.close()
        if self._ownership is not None:
            self._ownership.give_back()
        self._part = self._ownership = None

    def _say(self, text: str) -> None:
        if self._complain is not None and text != self._said:
            self._said = text
            self._complain(f'shared session cache "{self.name}": {text}')
