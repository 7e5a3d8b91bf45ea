"""Print a conversation that broke a law, as an RFC would print it."""

import traceback
from collections.abc import Iterator, Sequence

from tests.exhaustive.player import Turn, play
from tests.exhaustive.worlds import World


def as_script(world: World, heard: Sequence[bytes], offence: Exception) -> str:
    """Tell what was said on both sides, and what is wrong with it."""
    turns: Sequence[Turn] | None = getattr(offence, "turns", None)
    raised = turns is None
    if turns is None:
        turns = play(world.make(), heard[:-1])
    us, peer = ("S", "C") if world.faces_clients else ("C", "S")
    script = [world.title, *_said(us, turns[0])]
    for octets, turn in zip(heard, turns[1:], strict=False):
        script += [*_heard(peer, octets), *_said(us, turn)]
    if raised:
        script += [*_heard(peer, heard[-1]), *traceback.format_exception(offence)]
    return "\n".join((*script, f"BROKEN: {offence}"))


def _said(letter: str, turn: Turn) -> Iterator[str]:
    yield from _lines(letter, turn.in_clear)
    for asked, tls in turn.questions:
        yield f"? {asked} {'in TLS' if tls else 'in the clear'}"
    yield from _lines(letter, turn.in_tls)
    if turn.outcome is not None:
        yield f"? {turn.outcome}"
    if turn.ending is not None:
        yield f"? Closed({turn.ending})"


def _heard(letter: str, octets: bytes) -> Iterator[str]:
    return _lines(letter, octets) if octets else iter((f"{letter}! EOF",))


def _lines(letter: str, octets: bytes) -> Iterator[str]:
    for line in octets.splitlines(keepends=True):
        yield f"{letter}: {line.decode('latin-1').encode('unicode_escape').decode()}"
