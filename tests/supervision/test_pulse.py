"""A worker whose loop stands still is noticed; one that is slow, or old, is not."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.messages import Answer, Question, SessionCount
from mailssl_trio.supervision.pulse import QUESTIONS, STANDSTILL, Pulse, standstill

PATIENCE = 2.0


def worker(answers: Callable[[int], bool]) -> Pulse:
    """A worker that answers some questions, by their number."""
    asked = 0

    async def ask(question: Question) -> Answer | None:
        nonlocal asked
        asked += 1
        if answers(asked):
            return SessionCount(5, 2, number=question.number)
        await trio.sleep(PATIENCE)
        return None

    return Pulse(ask)


async def stops_within(pulse: Pulse, seconds: float) -> bool:
    with trio.move_on_after(seconds):
        await pulse.stops()
        return True
    return False


async def test_standstill_is_noticed_in_half_a_minute(
    autojump_clock: MockClock,
) -> None:
    pulse = worker(lambda number: number <= 3)
    began = trio.current_time()
    assert await stops_within(pulse, 100)
    assert not pulse.is_felt
    quiet = trio.current_time() - began - 3 * STANDSTILL / QUESTIONS
    assert quiet == pytest.approx(STANDSTILL, abs=0.1)


async def test_worker_that_answers_now_and_then_goes_on(
    autojump_clock: MockClock,
) -> None:
    pulse = worker(lambda number: number % QUESTIONS == 1)
    assert not await stops_within(pulse, 10_000)
    assert pulse.sessions == 7


async def test_worker_of_a_release_that_knows_no_question_goes_on(
    autojump_clock: MockClock,
) -> None:
    assert not await stops_within(worker(lambda _: False), 10_000)


async def test_machine_that_stood_still_is_nobodys_fault(
    mock_clock: MockClock,
) -> None:
    """All time that it missed is one answer that did not come."""
    pulse = worker(lambda number: number != 2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.stops)
        await trio.testing.wait_all_tasks_blocked()
        for jump in (STANDSTILL / QUESTIONS, 3600.0, 3600.0):
            mock_clock.jump(jump)
            await trio.testing.wait_all_tasks_blocked()
        assert pulse.is_felt
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("watchdog", "seconds"), [(None, 30), (300, 30), (60, 30), (20, 10)]
)
def test_one_worker_is_replaced_before_a_watchdog_ends_all(
    watchdog: float | None, seconds: float
) -> None:
    assert standstill(watchdog) == seconds
