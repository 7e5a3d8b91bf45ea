"""Signals and paces: what a worker leaves to whom when it leaves."""

import signal
from math import inf

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.stopping import SILENCE, UNFINISHED, Stop
from mailssl_trio.transport.drain import Wait


async def given(stop: Stop, wait: Wait | None) -> float:
    """Return how many seconds the drain leaves to somebody."""
    scope = trio.CancelScope()
    declared = (
        stop.drain.ends(scope) if wait is None else stop.drain.cuts(scope, 0, wait)
    )
    with declared:
        return scope.deadline - trio.current_time()


@pytest.mark.parametrize(
    ("number", "configured", "allowed"),
    [
        (signal.SIGTERM, None, 30.0),
        (signal.SIGINT, 5.0, 5.0),
        (signal.SIGQUIT, None, inf),
        (signal.SIGQUIT, 5.0, 5.0),
    ],
)
async def test_first_signal_drains_and_the_second_ends(
    number: signal.Signals, configured: float | None, allowed: float
) -> None:
    stop = Stop(configured)
    with trio.CancelScope() as everything:
        async with trio.open_nursery() as nursery:
            await nursery.start(stop.obey_signals, everything)
            signal.raise_signal(number)
            with trio.fail_after(1):
                while not stop.drain.begun:
                    await trio.lowlevel.checkpoint()
            assert await given(stop, None) == pytest.approx(allowed, abs=1)
            assert await given(stop, Wait.BUSY) <= 0
            signal.raise_signal(signal.SIGTERM)
            await trio.sleep_forever()
    assert everything.cancelled_caught


@pytest.mark.parametrize(("configured", "allowed"), [(None, inf), (600.0, 600.0)])
async def test_retiring_leaves_time_to_who_has_begun_something(
    configured: float | None, allowed: float, autojump_clock: MockClock
) -> None:
    stop = Stop(configured)
    stop.retire()
    assert await given(stop, None) == allowed
    assert await given(stop, Wait.BUSY) == UNFINISHED
    assert await given(stop, Wait.SILENT) == SILENCE
    await trio.sleep(UNFINISHED - SILENCE / 2)
    assert await given(stop, Wait.SILENT) == SILENCE / 2


async def test_signal_that_stops_hastens_who_has_retired(
    autojump_clock: MockClock,
) -> None:
    stop = Stop(None)
    sessions = trio.CancelScope()
    with stop.drain.ends(sessions):
        stop.retire()
        await trio.sleep(3)
        stop.stop()
        assert sessions.deadline == 33
    assert await given(stop, Wait.BUSY) == 0
    stop.retire()
    assert await given(stop, Wait.BUSY) == 0
