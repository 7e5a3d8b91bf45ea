"""A drain reaches waits that were declared, and only those."""

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.transport.drain import AT_ONCE, Drain, Pace, Wait


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


@pytest.mark.parametrize(
    ("wait", "declared", "ends"),
    [
        (Wait.ALLOWED_NOTHING, 0, 10),
        (Wait.SILENT, 0, 10),
        (Wait.SILENT, 9.5, 10.5),
        (Wait.SILENT, 12, 13),
        (Wait.SILENT, 14.5, 15),
        (Wait.BUSY, 0, 15),
        (Wait.BUSY, 12, 15),
        (Wait.BUSY, 16, 16),
    ],
)
async def test_pace_leaves_time_to_who_has_begun_something(
    wait: Wait, declared: float, ends: float, autojump_clock: MockClock
) -> None:
    """The drain begins at 10; each is given what is left of its time."""
    drain = Drain()
    ended: list[float] = []

    async def wait_for_peer() -> None:
        await trio.sleep(declared)
        with trio.CancelScope() as scope, drain.cuts(scope, wait=wait):
            await trio.sleep_forever()
        ended.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_for_peer)
        await trio.sleep(10)
        drain.begin(Pace(unfinished=5, silence=1))
    assert ended == [ends]


async def test_sessions_end_when_their_time_is_over(autojump_clock: MockClock) -> None:
    drain = Drain()
    async with trio.open_nursery() as nursery:
        for _ in range(2):

            async def session() -> None:
                with trio.CancelScope() as scope, drain.ends(scope):
                    await trio.sleep_forever()

            nursery.start_soon(session)
            await trio.sleep(1)
            drain.begin(Pace(sessions=10))
    assert trio.current_time() == 11  # of the first beginning


async def test_another_beginning_hastens_and_never_prolongs(
    autojump_clock: MockClock,
) -> None:
    drain = Drain()
    sessions, busy = trio.CancelScope(), trio.CancelScope()
    with drain.ends(sessions), drain.cuts(busy, wait=Wait.BUSY):
        drain.begin(Pace(sessions=100, unfinished=5))
        assert (sessions.deadline, busy.deadline) == (100, 5)
        await trio.sleep(1)
        drain.begin(Pace(sessions=30))
        assert (sessions.deadline, busy.deadline) == (31, 1)
        drain.begin(Pace(unfinished=60))
        assert (sessions.deadline, busy.deadline) == (31, 1)
    assert Pace() == AT_ONCE
