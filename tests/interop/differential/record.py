"""What one dialogue came to, and how it is known by the addresses that are its own."""

from collections.abc import Iterable, Sequence

from attrs import define, field

from tests.interop.differential.dialogue import Dialogue
from tests.interop.differential.notation import written

A_MOMENT = 0.5
"""Seconds that somebody who is slow takes."""

ENDLESSLY = 30
"""Seconds that nobody waits for."""


@define
class Record:
    """What the client read, the auth server was asked, and the backend was told."""

    dialogue: Dialogue
    heard: list[str] = field(factory=list)
    asked: list[str] = field(factory=list)
    told: list[str] = field(factory=list)
    requests: int = 0

    @property
    def lines(self) -> list[str]:
        """All of it, with a letter for who heard it."""
        return [
            *(f"S: {line}" for line in self.heard),
            *(f"A: {line}" for line in self.asked),
            *(f"B: {line}" for line in self.told),
        ]

    def ask(self, lines: Iterable[bytes]) -> None:
        """Write down a request for the auth server."""
        self.asked += map(written, lines)
        self.requests += 1


def records_of(dialogues: Sequence[Dialogue]) -> dict[int, Record]:
    """Return an empty record for each."""
    return {dialogue.number: Record(dialogue) for dialogue in dialogues}


def number_at(address: str) -> int:
    """Return whose address this is."""
    if ":" in address:
        return int(address.rpartition(":")[2], 16) - 1
    high, low = map(int, address.split(".")[-2:])
    return 250 * high + low - 1
