"""A parser that is given anything, what must be true then, and what it is used to."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from time import process_time

from attrs import frozen

from tests.fuzz.mutation import Mutator

CORPUS = Path(__file__).parent / "corpus"


@frozen
class Target:
    """A parser, or a session."""

    name: str
    law: Callable[[bytes], None]
    """Gives it an input, and asserts all that must be true; its words say what."""
    words: tuple[bytes, ...] = ()
    """What means something to it."""
    seconds: float = 1.0
    """Of computing that an input may take, and all that the law does with it."""

    @property
    def directory(self) -> Path:
        """Where the inputs are kept that have shown something once."""
        return CORPUS / self.name

    @property
    def seeds(self) -> tuple[bytes, ...]:
        """The inputs that are kept."""
        return tuple(file.read_bytes() for file in sorted(self.directory.iterdir()))

    def law_in_time(self, octets: bytes) -> None:
        """Give it an input, which may take no longer than it is long."""
        began = process_time()
        self.law(octets)
        taken = process_time() - began
        assert taken < self.seconds, f"{taken:.1f} s for {len(octets)} octets"

    def mutations(self, seed: int, count: int) -> Iterator[bytes]:
        """Yield so many inputs that resemble those that are kept."""
        dice = Random(f"{self.name} {seed}")
        mutator, seeds = Mutator(dice, self.words), self.seeds
        for _ in range(count):
            yield mutator.mutated(dice.choice(seeds))
