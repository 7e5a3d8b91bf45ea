"""A drain reaches waits that were declared, and only those."""

import trio
from trio.testing import MockClock

from mailssl_trio.transport.drain import Drain


async def test_declared_wait_is_cut_and_others_are_not(
    autojump_clock: MockClock,
) -> None:
    drain = Drain()
    ended: list[tuple[str, float]] = []

    async def wait(name: str, declared: bool, grace: float) -> None:
        with trio.move_on_after(50) as scope:
            if declared:
                with drain.cuts(scope, grace):
                    await trio.sleep_forever()
            await trio.sleep_forever()
        ended.append((name, trio.current_time()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "at once", True, 0)
        nursery.start_soon(wait, "soon", True, 3)
        nursery.start_soon(wait, "undeclared", False, 0)
        await trio.sleep(10)
        drain.begin()
    assert ended == [("at once", 10), ("soon", 13), ("undeclared", 50)]


async def test_wait_that_is_declared_too_late_does_not_begin(
    autojump_clock: MockClock,
) -> None:
    drain = Drain()
    drain.begin()
    with trio.CancelScope() as scope, drain.cuts(scope):
        await trio.sleep_forever()
    assert scope.cancelled_caught


async def test_wait_that_is_over_is_not_reached(autojump_clock: MockClock) -> None:
    drain = Drain()
    with trio.CancelScope() as scope:
        with drain.cuts(scope):
            await trio.sleep(1)
        drain.begin()
        await trio.sleep(100)
    assert not scope.cancelled_caught
