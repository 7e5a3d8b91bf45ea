"""The directive ``worker_login_connections``: who has not logged in yet, by address.

When there are too many, the oldest connection of the address with the most goes: a
flood from one place hurts itself, and who comes is always let in. All of it takes the
same time, however many there are.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

Leave = Callable[[], object]


class Crowd:
    """Connections before their login, and what ends each of them."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._count = 0
        self._of: dict[Hashable, OrderedDict[object, Leave]] = {}
        """The connections of each address, the oldest first."""
        self._with: dict[int, OrderedDict[Hashable, None]] = {}
        """The addresses with so many connections, who has had them longest first."""
        self._greatest = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, address: Hashable, who: object, leave: Leave) -> None:
        """Take a connection in, and send one away if they are too many."""
        own = self._of.setdefault(address, OrderedDict())
        self._move(address, len(own), len(own) + 1)
        own[who] = leave
        self._count += 1
        if self._count > self.most:
            self._send_one_away()

    def leave(self, address: Hashable, who: object) -> None:
        """Let a connection go, unless it was sent away."""
        if who in (own := self._of.get(address, OrderedDict())):
            del own[who]
            self._gone(address, own)

    def _send_one_away(self) -> None:
        address = next(iter(self._with[self._greatest]))
        own = self._of[address]
        _, leave = own.popitem(last=False)
        self._gone(address, own)
        leave()

    def _gone(self, address: Hashable, own: OrderedDict[object, Leave]) -> None:
        self._move(address, len(own) + 1, len(own))
        self._count -= 1
        if not own:
            del self._of[address]

    def _move(self, address: Hashable, before: int, now: int) -> None:
        """Note that an address has more connections, or fewer: one, in any case."""
        if before:
            del self._with[before][address]
        if now:
            self._with.setdefault(now, OrderedDict())[address] = None
        self._greatest = max(self._greatest, now)
        if before and not self._with[before]:
            del self._with[before]
            if self._greatest == before:
                self._greatest = now
