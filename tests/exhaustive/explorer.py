"""Play every conversation there is, up to a length, and hold each to the laws.

A generator cannot be copied, so each conversation is played from its first word; only
its last turn is judged. A conversation that has ended is not prolonged.
"""

from collections.abc import Iterable, Iterator

from attrs import define, evolve, frozen

from mailssl_trio.protocol.events import (
    Authenticate,
    Event,
    Goodbye,
    LoggedIn,
    StartTls,
)
from tests.exhaustive.alphabets import Alphabet
from tests.exhaustive.ledger import Ledger
from tests.exhaustive.player import BAD_CERTIFICATE, Otherwise, Player, Turn, play
from tests.exhaustive.script import as_script
from tests.exhaustive.step import Law, Memory, Step
from tests.exhaustive.worlds import World


class BrokenLawError(Exception):
    """A law does not hold; its words are the message."""

    def __init__(self, law: Law, step: Step) -> None:
        super().__init__(" ".join((law.__doc__ or law.__name__).split()))
        self.turns = step.turns


@define
class Finding:
    """What came of playing: how many conversations, and the shortest offender."""

    played: int = 0
    secured: int = 0
    """Last turns in which TLS came up."""
    logins: int = 0
    """Last turns in which a login was judged, or believed."""
    offence: tuple[str, ...] = ()
    report: str = ""

    def count(self, turn: Turn) -> None:
        """Count a last turn."""
        self.played += 1
        self.secured += turn.secured
        self.logins += bool(turn.logins) or isinstance(turn.outcome, LoggedIn)


@frozen
class Conversation:
    """One that goes on: what was said to us, by its names and in octets."""

    turns: tuple[Turn, ...]
    ledger: Ledger | None
    names: tuple[str, ...] = ()
    heard: tuple[bytes, ...] = ()


def explore(
    world: World, laws: tuple[Law, ...], alphabet: Alphabet, first: str, length: int
) -> Finding:
    """Play all that begins with the utterance ``first``, short ones first."""
    court = Court(world, laws)
    finding = Finding()
    going_on = [Conversation(play(world.make(), ()), world.ledger)]
    for depth in range(length):
        following = [(first, alphabet[first])] if depth == 0 else alphabet.items()
        prolonged = []
        for earlier in going_on:
            for name, octets in following:
                names, heard = (*earlier.names, name), (*earlier.heard, octets)
                try:
                    step = court.judge(earlier, octets)
                except Exception as offence:
                    report = as_script(world, heard, offence)
                    return evolve(finding, offence=names, report=report)
                finding.count(step.last)
                if step.last.ending is None:
                    ledger = step.after and step.after[0]
                    longer = Conversation(step.turns, ledger, names, heard)
                    prolonged.append(longer)
        going_on = prolonged
    return finding


class Court:
    """Hold the last turn of conversations to the laws."""

    def __init__(self, world: World, laws: tuple[Law, ...]) -> None:
        self.world = world
        self.laws = laws
        self.born_in_tls: Memory = {}

    def judge(self, earlier: Conversation, octets: bytes) -> Step:
        """Judge one more turn, with every answer that its questions may get.

        Returns the step with the usual answers, from which a conversation goes on.
        """
        usual = self.uphold(earlier, octets, None)
        for otherwise in self.other_answers(usual.last.questions):
            self.uphold(earlier, octets, otherwise)
        return usual

    def uphold(
        self, earlier: Conversation, octets: bytes, otherwise: Otherwise | None
    ) -> Step:
        """Play one more turn; raise BrokenLawError if it breaks a law."""
        player = Player(self.world.make())
        player.replay(earlier.turns)
        step = Step(
            self.world,
            (*earlier.heard, octets),
            otherwise,
            (*earlier.turns, player.hear(octets, otherwise)),
            player.session,
            earlier.ledger,
            self.born_in_tls,
        )
        for law in self.laws:
            if not law(step):
                raise BrokenLawError(law, step)
        return step

    def other_answers(
        self, questions: Iterable[tuple[Event, bool]]
    ) -> Iterator[Otherwise]:
        """Return what else may come of each question than the usual answer."""
        for nth, (asked, _) in enumerate(questions):
            if isinstance(asked, Authenticate):
                yield Otherwise(nth, self.world.welcome)
            if isinstance(asked, StartTls) and self.world.faces_clients:
                yield Otherwise(nth, BAD_CERTIFICATE)
            yield Otherwise(nth, Goodbye.SHUTTING_DOWN)
