"""Reloads: whoever asks hears what has come of one that began later."""

import trio
from trio.testing import wait_all_tasks_blocked

from mailssl_trio.supervision.reloading import Reloads


async def test_who_asks_while_one_is_under_way_waits_for_the_next() -> None:
    reloads = Reloads()
    first = reloads.ask()
    assert reloads.ask() is first  # it has not begun, and will see what is there
    await reloads.asked()
    assert reloads.begin() is first
    second = reloads.ask()
    assert second is not first
    reloads.settle(first)
    assert first.over.is_set()
    assert not second.over.is_set()
    await reloads.asked()
    assert reloads.begin() is second


async def test_nobody_has_asked_until_somebody_does() -> None:
    reloads = Reloads()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reloads.asked)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        reloads.ask()


async def test_refusal_is_kept_and_does_not_count() -> None:
    reloads = Reloads()
    reloads.settle(reloads.begin())
    reloads.settle(reloads.begin(), ("m:1: wrong", "m:2: wrong, too"), 78)
    assert reloads.done == 1
    assert reloads.last is not None
    assert reloads.last.problems == ("m:1: wrong", "m:2: wrong, too")
    assert reloads.last.exit_code == 78
