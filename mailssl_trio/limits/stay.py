"""What one connection takes of all that is limited, from its arrival to its end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import trio

from mailssl_trio.limits.access import admits
from mailssl_trio.limits.house import House
from mailssl_trio.limits.ledger import LONGEST_DELAY
from mailssl_trio.limits.networks import Address, address_of, payer
from mailssl_trio.limits.policy import Counted, LimitPolicy
from mailssl_trio.limits.sanctions import Failure, Success
from mailssl_trio.limits.tags import folded
from mailssl_trio.protocol.credentials import Credentials, Envelope, Reason, Rejected
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.visits import Visit

BANNED = Rejected(Reason.UNAVAILABLE, usual="too many failed logins, try again later")
TOO_MANY = {
    Counted.USER: Rejected(Reason.LIMIT, usual="too many sessions of this user"),
    Counted.USER_AND_ADDRESS: Rejected(
        Reason.LIMIT, usual="too many sessions of this user from your address"
    ),
}

PATIENCE = 30.0
"""Seconds in which a turn comes, or the login is refused."""

NAME_IN_LOG = 64
"""Octets of a user's name that the ledger keeps."""


class Stay:
    """A connection as limits see it; ``end()`` gives back what it has taken."""

    def __init__(
        self, house: House, policy: LimitPolicy, protocol: str, visit: Visit
    ) -> None:
        self._house = house
        self._policy = policy
        self._protocol = protocol.encode()
        self._visit = visit
        self._address: Address | None = None
        self._exempt = False
        self._place: object = None
        """Under which address it is in the crowd; None: it is not."""
        self._counted: list[bytes] = []
        self._counted_at_door = 0
        self._has_seat = False
        self._has_backend = False

    # At the door.

    def arrives(self, *, proxied: bool) -> Goodbye | None:
        """Return why nobody may come in, whoever it is.

        Until a PROXY header says who it is, it is whoever has connected.
        """
        self._has_seat = self._house.seats.take()
        if not self._has_seat:
            return Goodbye.BUSY
        if proxied:
            self._join_crowd(self._visit.subject.client)
        return None

    def enters(self) -> Goodbye | None:
        """Return why a client may not come in, now that it is known who it is."""
        client = self._visit.subject.client
        self._address = address_of(client)
        self._exempt = self._policy.exempts(client)
        if not admits(self._policy.access, client):
            return Goodbye.DENIED
        if self._address is not None:
            if self._house.standing.bans(self._address):
                return Goodbye.BANNED
            if self._exceeds(Counted.ADDRESS, _octets(self._address)):
                return Goodbye.ADDRESS_LIMIT
        self._counted_at_door = len(self._counted)
        self._leave_crowd()
        if not self._exempt:
            self._join_crowd(client)
        return None

    def _join_crowd(self, client: str) -> None:
        address = address_of(client)
        self._place = client if address is None else payer(address)
        dismiss = partial(self._visit.dismiss, Goodbye.CROWDED_OUT)
        self._house.crowd.enter(self._place, self, dismiss)

    def _leave_crowd(self) -> None:
        if self._place is not None:
            self._house.crowd.leave(self._place, self)
            self._place = None

    # At a login.

    @asynccontextmanager
    async def turn(self, user: bytes) -> AsyncIterator[Rejected | None]:
        """Wait until a login may be judged; yield its refusal if it may not be.

        Of those that could together bring about a ban, no more are judged at a time.
        """
        house, tag = self._house, self._house.tags.of_user(user)
        if self._address is None:
            yield None
            return
        async with AsyncExitStack() as turns:
            with trio.move_on_after(LONGEST_DELAY + PATIENCE) as waiting:
                if self._is_watched:
                    await trio.sleep(house.standing.delay(self._address, tag))
                    for rule in self._policy.logins:
                        name = self._network, tag if rule.by_user else ""
                        turn = house.turns.taken(name, rule.distinct)
                        await turns.enter_async_context(turn)
            barred = house.standing.bans_user(self._address, tag)
            yield BANNED if barred or waiting.cancelled_caught else None

    def failed(self, credentials: Credentials) -> None:
        """Have it be told that a password was wrong; but mail without one has none."""
        if self._is_watched and not isinstance(credentials, Envelope):
            user, tags = credentials.authcid, self._house.tags
            self._house.reports.add(
                Failure(
                    self._network,
                    user[:NAME_IN_LOG].decode("utf-8", "backslashreplace"),
                    tags.of_user(user),
                    tags.of_guess(credentials),
                    self._policy.logins,
                )
            )

    def succeeded(self, user: bytes) -> None:
        """Be one of those who have logged in; have it be told, too."""
        self._leave_crowd()
        if self._is_watched and user:
            tag = self._house.tags.of_user(user)
            self._house.reports.add(Success(self._network, tag))

    @property
    def _is_watched(self) -> bool:
        watched = bool(self._policy.logins) and not self._exempt
        return watched and self._address is not None

    @property
    def _network(self) -> str:
        return "" if self._address is None else str(payer(self._address))

    # At the backend.

    def takes_backend(self) -> bool:
        """Whether there may be a connection with a backend."""
        self._has_backend = self._has_backend or self._house.seats.take()
        return self._has_backend

    def begins(self, user: bytes) -> Rejected | None:
        """Count the session of a user; return the refusal if there are too many."""
        self.ceases()
        if not user:
            return None
        name = folded(user)
        address = b"" if self._address is None else _octets(self._address)
        for counted, key in (
            (Counted.USER, name),
            (Counted.USER_AND_ADDRESS, address + b"/" + name),
        ):
            if self._exceeds(counted, key):
                self.ceases()
                return TOO_MANY[counted]
        return None

    def ceases(self) -> None:
        """Count no session of any user: there is none after all."""
        self._uncount(self._counted_at_door)

    def end(self) -> None:
        """Give back what was taken."""
        self._leave_crowd()
        self._uncount(0)
        for _ in filter(None, (self._has_seat, self._has_backend)):
            self._house.seats.leave()
        self._has_seat = self._has_backend = False

    def _exceeds(self, counted: Counted, key: bytes) -> bool:
        """Count one more, unless that were too many, or nobody counts them."""
        rule, counts = self._policy.rule_for(counted), self._house.counts
        if rule is None or counts is None or self._exempt:
            return False
        name = b"%s/%s/%s" % (counted.value.encode(), self._protocol, key)
        total = counts.add(name)
        if total > rule.most:
            counts.drop(name)
            return True
        if total:
            self._counted.append(name)
        return False

    def _uncount(self, but: int) -> None:
        while len(self._counted) > but and self._house.counts is not None:
            self._house.counts.drop(self._counted.pop())


def _octets(address: Address) -> bytes:
    return payer(address).network_address.packed
