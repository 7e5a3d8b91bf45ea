"""Signals and paces: what a worker leaves to whom when it leaves."""

import signal
from math import inf

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.leaving import LAST_WORDS, SILENCE, UNFINISHED, Leaving
from mailssl_trio.transport.drain import Wait


async def given(leaving: Leaving, wait: Wait | None) -> float:
    """Return how many seconds the drain leaves to somebody."""
    scope = trio.CancelScope()
    declared = (
        leaving.drain.ends(scope)
        if wait is None
        else leaving.drain.cuts(scope, 0, wait)
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
    leaving, went_on = Leaving(configured), False
    with trio.CancelScope() as everything:
        async with trio.open_nursery() as nursery:
            await nursery.start(leaving.obey_signals, everything)
            signal.raise_signal(number)
            with trio.fail_after(1):
                while not leaving.drain.begun:
                    await trio.lowlevel.checkpoint()
            assert await given(leaving, None) == pytest.approx(allowed, abs=1)
            assert await given(leaving, Wait.BUSY) <= 0
            assert leaving.signalled.is_set()
            await trio.sleep(0.05)
            assert not everything.cancel_called
            signal.raise_signal(signal.SIGTERM)
            went_on = True
            await trio.sleep_forever()
    assert went_on


@pytest.mark.parametrize(("configured", "allowed"), [(None, inf), (600.0, 600.0)])
async def test_retiring_leaves_time_to_who_has_begun_something(
    configured: float | None, allowed: float, autojump_clock: MockClock
) -> None:
    leaving = Leaving(configured)
    leaving.retire()
    assert await given(leaving, None) == allowed
    assert await given(leaving, Wait.BUSY) == UNFINISHED
    assert await given(leaving, Wait.SILENT) == SILENCE
    await trio.sleep(UNFINISHED - SILENCE / 2)
    assert await given(leaving, Wait.SILENT) == SILENCE / 2


async def test_signal_that_stops_hastens_who_has_retired(
    autojump_clock: MockClock,
) -> None:
    leaving = Leaving(None)
    sessions = trio.CancelScope()
    with leaving.drain.ends(sessions):
        leaving.retire()
        await trio.sleep(3)
        leaving.stop()
        assert sessions.deadline == 33
    assert await given(leaving, Wait.BUSY) == 0
    leaving.retire()
    assert await given(leaving, Wait.BUSY) == 0


async def test_what_the_supervisor_says_is_not_counted_as_a_signal() -> None:
    """systemd sends SIGTERM to all processes, and the supervisor passes its own on."""
    leaving, went_on = Leaving(None), False
    with trio.CancelScope() as everything:
        async with trio.open_nursery() as nursery:
            await nursery.start(leaving.obey_signals, everything)
            leaving.stop()
            signal.raise_signal(signal.SIGTERM)
            leaving.stop()
            await trio.sleep(0.1)
            assert not everything.cancel_called
            signal.raise_signal(signal.SIGTERM)
            went_on = True
            await trio.sleep_forever()
    assert went_on


@pytest.mark.parametrize("configured", [0.5, 3.0])
async def test_who_must_end_soon_has_time_to_hear_why(
    configured: float, autojump_clock: MockClock
) -> None:
    leaving = Leaving(configured)
    leaving.retire()
    assert await given(leaving, None) == configured
    assert await given(leaving, Wait.BUSY) == max(0.0, configured - LAST_WORDS)
