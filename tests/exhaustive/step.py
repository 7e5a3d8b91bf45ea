"""A conversation as the laws see it, and the ones that they compare it with."""

import re
from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

from attrs import define, field

from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import Goodbye, StartTls
from tests.exhaustive.ledger import IllegalReplyError, Ledger
from tests.exhaustive.player import Otherwise, Player, Turn, play
from tests.exhaustive.worlds import World

Memory: TypeAlias = dict[tuple[bytes, ...], tuple[Turn, ...]]


@define(slots=False)
class Step:
    """A conversation up to and with its last turn."""

    world: World
    utterances: tuple[bytes, ...]
    otherwise: Otherwise | None
    turns: tuple[Turn, ...]
    """The greeting's, and one for each utterance."""
    session: Session
    before: Ledger | None
    born_in_tls: Memory = field(repr=False)

    @property
    def last(self) -> Turn:
        """The turn in question."""
        return self.turns[-1]

    @cached_property
    def after(self) -> tuple[Ledger, bytes] | None:
        """The ledger behind the last turn and what got no reply; None if illegal."""
        said = self.last.said
        if self.last.ending is not None:
            said = said.removesuffix(last_words(self))
        if self.before is None or self.last.heard is None:
            return None
        try:
            return self.before.settle(self.last.heard, said)
        except IllegalReplyError:
            return None

    def again(self, *utterances: bytes) -> tuple[Turn, ...]:
        """Play the same conversation with another end, and return that end's turns."""
        before = tuple(turn.heard or b"" for turn in self.turns[1:-1])
        turns = play(self.world.make(), (*before, *utterances))
        return turns[len(before) + 1 :]


Law: TypeAlias = Callable[[Step], bool]


def last_words(step: Step) -> bytes:
    """Return what must be said last: nothing where the peer waits for TLS."""
    ending = step.last.ending
    if ending is None or handshake_failed(step.last):
        return b""
    return step.session.farewell(ending)


def handshake_failed(turn: Turn) -> bool:
    """Whether it ended between the go-ahead and TLS."""
    return (
        turn.ending not in {None, Goodbye.BAD_CERTIFICATE}
        and bool(turn.questions)
        and isinstance(turn.questions[-1][0], StartTls)
    )


def born_in_tls(step: Step, rest: tuple[bytes, ...]) -> Turn:
    """Return the last turn of a session born in TLS that hears this."""
    heard = (*step.world.opening, *rest)
    if step.otherwise is not None:
        player = Player(step.world.make_in_tls())
        player.replay(play(step.world.make_in_tls(), heard[:-1]))
        return player.hear(heard[-1], step.otherwise)
    if rest not in step.born_in_tls:
        step.born_in_tls[rest] = play(step.world.make_in_tls(), heard)
    return step.born_in_tls[rest][-1]


def alike(turn: Turn, other: Turn) -> bool:
    """Whether two turns are the same but for the numbers in tags."""
    return turn == other or _without_tags(repr(turn)) == _without_tags(repr(other))


def _without_tags(text: str) -> str:
    return re.sub(r"G[0-9]+(?= )", "G", text)
