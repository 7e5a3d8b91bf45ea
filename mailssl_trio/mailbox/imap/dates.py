"""Dates as clients write them: ``date`` and ``date-time`` of RFC 3501 section 9."""

import re
from datetime import date, datetime, timedelta, timezone

from mailssl_trio.mailbox.imap.arguments import Arguments
from mailssl_trio.mailbox.imap.strings import MONTHS

DATE = re.compile(rb'"?[0-9]{1,2}-[A-Za-z]{3}-[0-9]{4}"?')
DATE_TIME = re.compile(
    rb'"[ 0-9][0-9]-[A-Za-z]{3}-[0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}"'
)


def parse_date(arguments: Arguments) -> date:
    """Read a date, quoted or not."""
    text = arguments.take(DATE, "date").strip(b'"').decode()
    try:
        return _date(text)
    except ValueError:
        raise arguments.fault("no such date") from None


def parse_date_time(arguments: Arguments) -> float:
    """Read a quoted date and time; return it in seconds since 1970."""
    text = arguments.take(DATE_TIME, "date-time").strip(b'"').decode()
    day, clock, zone = text.lstrip().split(" ")
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    try:
        hour, minute, second = map(int, clock.split(":"))
        moment = datetime(
            *_date(day).timetuple()[:3],
            hour,
            minute,
            min(second, 59),  # a leap second
            tzinfo=timezone(-offset if zone[0] == "-" else offset),
        )
        return moment.timestamp()
    except (ValueError, OverflowError):
        raise arguments.fault("no such date") from None


def _date(text: str) -> date:
    day, month, year = text.split("-")
    return date(int(year), MONTHS.index(month.capitalize()) + 1, int(day))
