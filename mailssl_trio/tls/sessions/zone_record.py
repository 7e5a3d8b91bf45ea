"""How a session lies in a part of a zone.

Under its id there are its times, a checksum, and the session. Beside it stands a second
key, in the order of expiry, so that the first to expire is found. As OpenSSL counts in
whole seconds, many end at the same time: of those, the first to come is the first to
go.

The checksum is not there against anybody: who can write here is us. It is there since
OpenSSL may take a session whose octets have been damaged, and then not the resumption
would fail, but the handshake.
"""

from typing import Self
from zlib import crc32

from attrs import field, frozen

SESSIONS, EXPIRIES = b"s", b"e"
"""What keys begin with."""
TIME, CHECKSUM = 8, 4  # octets
TIMES = 2 * TIME


class DamagedRecordError(Exception):
    """What is there is not what was stored."""


@frozen
class Record:
    """A session, its id, its end and its coming in milliseconds since the epoch."""

    session_id: bytes
    session: bytes = field(repr=False)
    expires: int
    came: int

    @classmethod
    def parse(cls, session_id: bytes, octets: bytes) -> Self:
        """Read what ``bytes()`` wrote, or raise DamagedRecordError."""
        expires, came = octets[:TIME], octets[TIME:TIMES]
        session = octets[TIMES + CHECKSUM :]
        times = int.from_bytes(expires), int.from_bytes(came)
        record = cls(session_id, session, *times)
        if bytes(record) != octets:
            raise DamagedRecordError("somebody has written into it")
        return record

    def __bytes__(self) -> bytes:
        times = self.expires.to_bytes(TIME) + self.came.to_bytes(TIME)
        checksum = crc32(self.session, crc32(times, crc32(self.session_id)))
        return times + checksum.to_bytes(CHECKSUM) + self.session

    def session_at(self, now: float) -> bytes | None:
        """Return the session, None if it has expired."""
        return self.session if self.expires > now * 1000 else None


def session_key(session_id: bytes) -> bytes:
    """Return where a record is."""
    return SESSIONS + session_id


def expiry_key(session_id: bytes, octets: bytes) -> bytes:
    """Return where it is said when a record expires."""
    return EXPIRIES + octets[:TIMES] + session_id


def id_of(expiry: bytes) -> bytes:
    """Return whose expiry a key says."""
    return expiry[len(EXPIRIES) + TIMES :]


def has_expired(expiry: bytes, now: float) -> bool:
    """Whether what a key says is over."""
    time = expiry[len(EXPIRIES) : len(EXPIRIES) + TIME]
    return int.from_bytes(time) <= now * 1000
