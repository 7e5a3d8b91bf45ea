"""Who is not let in, and until when."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice

import trio
from attrs import field, frozen

from mailssl_trio.limits.networks import Network
from mailssl_trio.limits.sanctions import Sanction

MOST = 20_000
"""Bans at a time; the oldest of those that came by themselves go first. A worker that
begins reads so many in less than a second, before it lets anybody in."""

BY_HAND = "by an administrator"

LOOK = 60.0
"""Seconds between two looks for bans that are over, when there is no room."""

AT_ONCE = 500
"""Bans that end together: the loop is held for some 10 ms."""

LONGEST = 100 * 365 * 86400.0
"""Seconds of a ban that has no end."""


@frozen
class Ban:
    """Somebody who is not let in."""

    network: Network
    until: float
    """On Trio's clock."""
    why: str
    """In words; what a peer said in it is not escaped."""
    user_tag: str = ""
    """A keyed hash of the one name that may not log in from there; "": all."""
    user: str = ""
    """That name, perhaps shortened; not escaped."""
    written: str = field(init=False, eq=False)
    """It in one line, which is made once: whoever begins is told all of them."""

    @written.default
    def _in_one_line(self) -> str:
        return f"{self.network} {self.until} {self.user_tag}"

    @property
    def seconds_left(self) -> float:
        """For how long it holds."""
        return max(0.0, self.until - trio.current_time())

    @property
    def sanction(self) -> Sanction:
        """It as workers hear of it."""
        return Sanction(str(self.network), self.seconds_left, self.user_tag)


class Bans:
    """All bans that hold now; whoever must act on them is told of each change."""

    def __init__(
        self, announce: Callable[[Sanction], object], most: int = MOST
    ) -> None:
        self._announce = announce
        self._most = most
        self._by_age: OrderedDict[tuple[Network, str], Ban] = OrderedDict()
        self._next_look = 0.0

    def __iter__(self) -> Iterator[Ban]:
        """Yield them, the oldest first."""
        now = trio.current_time()
        return iter([ban for ban in self._by_age.values() if ban.until > now])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def add(self, network: Network, seconds: float, why: str = BY_HAND) -> Ban:
        """Let nobody in from a network for so long, whatever held for it before."""
        return self.begin(
            Ban(network, trio.current_time() + min(seconds, LONGEST), why)
        )

    def begin(self, ban: Ban) -> Ban:
        """Have a ban hold, in place of another of the same."""
        self._make_room()
        key = ban.network, ban.user_tag
        self._by_age.pop(key, None)
        self._by_age[key] = ban
        self._announce(ban.sanction)
        return ban

    def remove(self, network: Network) -> tuple[Ban, ...]:
        """End bans of a network and of what lies in it, so many at once; return them.

        There are none left when none are returned.
        """
        inside = (ban for ban in self if _lies_in(ban.network, network))
        ended = tuple(islice(inside, AT_ONCE))
        for ban in ended:
            self._end(ban)
        return ended

    def _end(self, ban: Ban) -> None:
        del self._by_age[ban.network, ban.user_tag]
        self._announce(Sanction(str(ban.network), 0.0, ban.user_tag))

    def _make_room(self) -> None:
        """If need be, end what is over; or what has held for longest, unasked."""
        if len(self._by_age) >= self._most:
            self._clear_out()
        if len(self._by_age) >= self._most:
            held = self._by_age.values()
            by_itself = (ban for ban in held if ban.why != BY_HAND)
            self._end(next(by_itself, next(iter(held))))

    def _clear_out(self) -> None:
        """End some that are over, unless there were none a moment ago."""
        if (now := trio.current_time()) >= self._next_look:
            is_over = (ban for ban in self._by_age.values() if ban.until <= now)
            over = tuple(islice(is_over, AT_ONCE))
            for ban in over:
                self._end(ban)
            if len(over) < AT_ONCE:
                self._next_look = now + LOOK


def _lies_in(inner: Network, outer: Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )
