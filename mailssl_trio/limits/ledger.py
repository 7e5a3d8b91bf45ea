"""The directive ``limit_login``: the account of failed logins, kept by the supervisor.

Workers tell it what has failed; it decides what follows, and they hear of it. What it
keeps has a bound, beyond which the oldest is forgotten: a flood of failures from many
addresses costs an attacker's own record first.
"""

from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_network

import trio

from mailssl_trio.limits.bans import LONGEST, Ban, Bans
from mailssl_trio.limits.networks import Network
from mailssl_trio.limits.sanctions import Failure, LoginRule, Sanction, Success

MOST_FAILURES = 100_000
"""Failed logins that are remembered."""

LONGEST_DELAY = 30.0
"""Seconds beyond which no delay grows."""

DOUBLINGS = 64
"""After so many the shortest delay is longer than that."""

Key = tuple[str, str]
"""A network, and the tag of a user; "" is for all of its users."""


Seen = dict[str, float]
"""When something failed, by the tags of user and password, the oldest first."""


class Ledger:
    """All failed logins that count, and the bans that came of them or by hand."""

    def __init__(
        self, tell: Callable[[Ban], object], most: int = MOST_FAILURES
    ) -> None:
        self.bans = Bans(self._announce)
        self.news = trio.Event()
        """There is something to tell workers; see ``take_news()``."""
        self._tell = tell
        self._most = most
        self._records: OrderedDict[Key, Seen] = OrderedDict()
        self._failures = 0
        self._news: dict[tuple[str, str, bool], Sanction] = {}

    def __len__(self) -> int:
        """Return how many failures are remembered."""
        return self._failures

    def failed(self, failure: Failure) -> None:
        """Take note of a failed login, and decide what follows."""
        for rule in failure.rules:
            if not rule.by_user:
                self._count((failure.network, ""), rule, failure)
            elif failure.user_tag:
                self._count((failure.network, failure.user_tag), rule, failure)

    def succeeded(self, success: Success) -> None:
        """Forget what failed before somebody remembered his password.

        Only his own failures: one good password must not buy guesses at others.
        """
        key = success.network, success.user_tag
        if key in self._records:
            self._clear(key)
        if (record := self._records.get((success.network, ""))) is not None:
            own = [tag for tag in record if tag.startswith(success.user_tag)]
            for tag in own:
                del record[tag]
            self._failures -= len(own)
            if not record:
                del self._records[success.network, ""]

    def unban(self, network: Network) -> tuple[Ban, ...]:
        """End bans within a network, and let those who were banned begin anew.

        It ends so many at once; there are none left when none are returned.
        """
        ended = self.bans.remove(network)
        for ban in ended:
            self._clear((str(ban.network), ban.user_tag))
            self._clear((str(ban.network), ""))
        return ended

    def standing(self) -> tuple[str, ...]:
        """Return the bans that hold, a line each: a worker must know them that begins.

        Delays it hears of with the next failure.
        """
        return tuple(ban.written for ban in self.bans)

    def take_news(self) -> tuple[Sanction, ...]:
        """Return what has come to hold, or ceased to, since this was asked before."""
        news, self._news = tuple(self._news.values()), {}
        self.news = trio.Event()
        return news

    def _announce(self, sanction: Sanction) -> None:
        is_ban = sanction.delay is None
        self._news[sanction.network, sanction.user_tag, is_ban] = sanction
        self.news.set()

    def _count(self, key: Key, rule: LoginRule, failure: Failure) -> None:
        if (count := self._remember(key, rule, failure)) >= rule.distinct:
            self._clear(key)
            self._ban(key, rule, failure)
        elif rule.delay:
            delay = min(LONGEST_DELAY, rule.delay * 2.0 ** min(count - 1, DOUBLINGS))
            self._announce(Sanction(key[0], rule.time, key[1], delay))

    def _remember(self, key: Key, rule: LoginRule, failure: Failure) -> int:
        """Record a failure; return how many there are of the key, those of late."""
        now = trio.current_time()
        before = self._records.pop(key, {})
        tag = failure.user_tag + failure.password_tag
        seen = {other: when for other, when in before.items() if when > now - rule.time}
        self._records[key] = {**seen, tag: now}
        self._failures += len(self._records[key]) - len(before)
        while self._failures > self._most and len(self._records) > 1:
            self._forget(next(iter(self._records)))
        return len(self._records[key])

    def _clear(self, key: Key) -> None:
        """Let a key begin anew, also with what workers know of it."""
        if key in self._records:
            self._forget(key)
        self._announce(Sanction(key[0], 0.0, key[1], delay=0.0))

    def _forget(self, key: Key) -> None:
        self._failures -= len(self._records.pop(key))

    def _ban(self, key: Key, rule: LoginRule, failure: Failure) -> None:
        network = _network(key[0])
        if network is None:
            return
        until = trio.current_time() + min(LONGEST, rule.ban)
        why = f"{rule.distinct} different wrong passwords"
        user = failure.user if key[1] else ""
        self._tell(self.bans.begin(Ban(network, until, why, key[1], user)))


def _network(text: str) -> Network | None:
    """Read what a worker has written; what strangers speak to may write anything."""
    try:
        return ip_network(text)
    except ValueError:
        return None
