"""What a worker knows of bans and delays: a copy, asked at each door and each login."""

from collections import OrderedDict
from collections.abc import Iterable
from ipaddress import ip_network

import trio

from mailssl_trio.limits.networks import Address, Network, Networks, payer
from mailssl_trio.limits.sanctions import Sanction

MOST_DELAYS = 100_000

Pair = tuple[Network, str]


class Standing:
    """All sanctions that hold, as the supervisor has told of them."""

    def __init__(self) -> None:
        self._bans: Networks[float] = Networks()
        self._banned_users: dict[Pair, float] = {}
        self._delays: OrderedDict[Pair, tuple[float, float]] = OrderedDict()

    def apply(self, sanctions: Iterable[Sanction]) -> None:
        """Have sanctions hold, or hold no more, from now on."""
        now = trio.current_time()
        for sanction in sanctions:
            network = ip_network(sanction.network)
            if sanction.delay is not None:
                self._delay(network, sanction, now)
            elif sanction.user_tag:
                pair = network, sanction.user_tag
                self._banned_users.pop(pair, None)
                if sanction.seconds:
                    self._banned_users[pair] = now + sanction.seconds
            elif sanction.seconds:
                self._bans[network] = now + sanction.seconds
            else:
                self._bans.pop(network)

    def bans(self, address: Address) -> bool:
        """Whether nobody is let in from an address."""
        now = trio.current_time()
        return any(until > now for until in self._bans.holding(address))

    def bans_user(self, address: Address, user_tag: str) -> bool:
        """Whether a user may not log in from an address, or nobody may."""
        until = self._banned_users.get((payer(address), user_tag), 0.0)
        return until > trio.current_time() or self.bans(address)

    def delay(self, address: Address, user_tag: str) -> float:
        """Return how many seconds a login has to wait."""
        now, network = trio.current_time(), payer(address)
        found = (self._delays.get((network, tag)) for tag in ("", user_tag))
        return max((each[0] for each in found if each and each[1] > now), default=0.0)

    def _delay(self, network: Network, sanction: Sanction, now: float) -> None:
        pair = network, sanction.user_tag
        self._delays.pop(pair, None)
        if sanction.seconds:
            self._delays[pair] = sanction.delay or 0.0, now + sanction.seconds
            if len(self._delays) > MOST_DELAYS:
                self._delays.popitem(last=False)
