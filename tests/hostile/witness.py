"""What was heard of a conversation, and how long one waits for it."""

import trio
from attrs import define, field, frozen


class SurprisedError(Exception):
    """The gateway has not done what it must."""


@frozen
class Patience:
    """How long things may take, in seconds, on the clock that counts."""

    answer: float = 30.0
    """An answer, the delay of a refused login included."""
    session: float = 60.0
    """All that a client does up to its login: the directive ``timeout``."""

    @property
    def life(self) -> float:
        """The session, its last words, and what the machine needs."""
        return self.session * 2 + self.answer


@define
class Heard:
    """What the others have heard of one door's clients."""

    logins: list[bytes] = field(factory=list)
    """By those who judge: ``name secret``."""
    relayed: bytearray = field(factory=bytearray)
    """By the backend, behind its login."""

    news: trio.Event = field(factory=trio.Event)

    def forget(self) -> None:
        """Begin anew."""
        self.logins.clear()
        self.relayed.clear()

    def hear_login(self, login: bytes) -> None:
        """Remember who was judged."""
        self.logins.append(login)
        self._tell()

    def hear_relayed(self, octets: bytes) -> None:
        """Remember what came through the relay."""
        self.relayed += octets
        self._tell()

    async def wait_for(self, logins: int, octets: int) -> None:
        """Wait until so many logins were judged, and so many octets came."""
        while len(self.logins) < logins or len(self.relayed) < octets:
            await self.news.wait()

    def _tell(self) -> None:
        self.news.set()
        self.news = trio.Event()
