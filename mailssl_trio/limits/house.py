"""What the limits of all virtual servers of a worker are kept with."""

from secrets import token_bytes

from attrs import define, field

from mailssl_trio.limits.counts import Counts
from mailssl_trio.limits.crowd import Crowd
from mailssl_trio.limits.reports import Reports
from mailssl_trio.limits.seats import Seats
from mailssl_trio.limits.standing import Standing
from mailssl_trio.limits.tags import KEY_OCTETS, Tags
from mailssl_trio.limits.turns import Turns

MOST_BEFORE_LOGIN = 2_000
"""Connections of a worker that have not logged in: the default."""


@define
class House:
    """Counts and copies; each virtual server has a policy of its own."""

    seats: Seats = field(factory=lambda: Seats(None))
    crowd: Crowd = field(factory=lambda: Crowd(MOST_BEFORE_LOGIN))
    counts: Counts | None = None
    """None where no server has ``limit_conn``, or no memory is shared."""
    standing: Standing = field(factory=Standing)
    reports: Reports = field(factory=Reports)
    turns: Turns = field(factory=Turns)
    tags: Tags = field(factory=lambda: Tags(token_bytes(KEY_OCTETS)))
