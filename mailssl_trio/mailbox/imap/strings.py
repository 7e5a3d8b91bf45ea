"""Strings and dates as a server writes them (RFC 3501 section 9)."""

from datetime import UTC, datetime

from mailssl_trio.protocol.imap.grammar import quoted

NIL = b"NIL"

MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def string(value: bytes) -> bytes:
    """Write a string: quoted if that can hold it, else as a literal."""
    if (short := quoted(value)) is not None:
        return short
    value = value.replace(b"\0", b"")  # no CHAR8
    return b"{%d}\r\n%b" % (len(value), value)


def nstring(value: bytes | None) -> bytes:
    """Write a string, or NIL where there is none."""
    return NIL if value is None else string(value)


def parenthesised(items: list[bytes]) -> bytes:
    """Write a list."""
    return b"(" + b" ".join(items) + b")"


def date_time(timestamp: float) -> bytes:
    """Write an internal date, in UTC."""
    moment = datetime.fromtimestamp(timestamp, UTC)
    month = MONTHS[moment.month - 1]
    return f'"{moment.day:2}-{month}-{moment:%Y %H:%M:%S} +0000"'.encode()
