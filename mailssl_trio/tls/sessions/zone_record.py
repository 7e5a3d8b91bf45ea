"""How a session lies in a part of a zone.

Under its id there are the time when it expires, a checksum, and the session. Beside it
stands a second key, in the order of expiry, so that the first to expire is found.

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


class DamagedRecordError(Exception):
    """What is there is not what was stored."""


@frozen
class Record:
    """A session, its id, and its end in milliseconds since the epoch."""

    session_id: bytes
    session: bytes = field(repr=False)
    expires: int

    @classmethod
    def parse(cls, session_id: bytes, octets: bytes) -> Self:
        """Read what ``bytes()`` wrote, or raise DamagedRecordError."""
        expires = int.from_bytes(octets[:TIME])
        record = cls(session_id, octets[TIME + CHECKSUM :], expires)
        if bytes(record) != octets:
            raise DamagedRecordError("somebody has written into it")
        return record

    def __bytes__(self) -> bytes:
        time = self.expires.to_bytes(TIME)
        checksum = crc32(self.session, crc32(time, crc32(self.session_id)))
        return time + checksum.to_bytes(CHECKSUM) + self.session

    def session_at(self, now: float) -> bytes | None:
        """Return the session, None if it has expired."""
        return self.session if self.expires > now * 1000 else None


def session_key(session_id: bytes) -> bytes:
    """Return where a record is."""
    return SESSIONS + session_id


def expiry_key(session_id: bytes, octets: bytes) -> bytes:
    """Return where it is said when a record expires."""
    return EXPIRIES + octets[:TIME] + session_id


def id_of(expiry: bytes) -> bytes:
    """Return whose expiry a key says."""
    return expiry[len(EXPIRIES) + TIME :]


def has_expired(expiry: bytes, now: float) -> bool:
    """Whether what a key says is over."""
    time = expiry[len(EXPIRIES) : len(EXPIRIES) + TIME]
    return int.from_bytes(time) <= now * 1000
