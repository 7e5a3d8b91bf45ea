"""So many at a time, and nothing kept of those who have gone."""

import trio
from trio.testing import MockClock

from mailssl_trio.limits.turns import Turns


async def test_no_more_at_a_time_than_there_are_turns(
    autojump_clock: MockClock,
) -> None:
    turns, at_once = Turns(), list[int]()
    here = 0

    async def take(name: str) -> None:
        nonlocal here
        async with turns.taken(name, 3):
            here += 1
            at_once.append(here)
            await trio.sleep(1)
            here -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(9):
            nursery.start_soon(take, "joe")
    assert max(at_once) == 3
    assert trio.current_time() == 3
    assert len(turns) == 0


async def test_who_leaves_before_his_turn_leaves_nothing(
    autojump_clock: MockClock,
) -> None:
    turns = Turns()
    async with turns.taken("joe", 1):
        with trio.move_on_after(1):
            async with turns.taken("joe", 1):
                raise AssertionError("there is one turn")
        assert len(turns) == 1
    with trio.CancelScope() as scope:
        scope.cancel()
        async with turns.taken("joe", 1):
            pass
    assert len(turns) == 0
