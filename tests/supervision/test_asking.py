"""Questions to a worker: each has its answer, or none in time."""

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from mailssl_trio.channel import decode
from mailssl_trio.messages import CountSessions, SessionCount
from mailssl_trio.supervision.asking import MOST_UNANSWERED, PATIENCE, Asking


def asking() -> tuple[Asking, list[int]]:
    """Return what asks, and the numbers of its questions."""
    numbers: list[int] = []

    def send(line: bytes) -> bool:
        said = decode(line)
        assert isinstance(said, CountSessions)
        numbers.append(said.number)
        return True

    return Asking(send), numbers


async def test_answers_in_another_order_find_their_questions() -> None:
    worker, numbers = asking()
    heard: dict[int, object] = {}

    async def ask(which: int) -> None:
        heard[which] = await worker.ask(CountSessions())

    async with trio.open_nursery() as nursery:
        for which in range(3):
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(ask, which)
        await trio.testing.wait_all_tasks_blocked()
        for number in reversed(numbers):
            worker.hear(SessionCount(number, 0, number=number))
    assert heard == {
        which: SessionCount(number, 0, number=number)
        for which, number in enumerate(numbers)
    }


async def test_worker_that_is_silent_is_given_up(autojump_clock: MockClock) -> None:
    worker, numbers = asking()
    began = trio.current_time()
    assert await worker.ask(CountSessions()) is None
    assert trio.current_time() - began == pytest.approx(PATIENCE)
    worker.hear(SessionCount(1, 1, number=numbers[0]))  # too late, for nobody
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.ask, CountSessions())
        await trio.testing.wait_all_tasks_blocked()
        worker.hear(SessionCount(1, 1, number=numbers[1]))


async def test_answer_that_nobody_asked_for_is_none() -> None:
    worker, _ = asking()
    worker.hear(SessionCount(1, 1, number=77))


async def test_worker_that_answers_nothing_is_asked_no_more(
    autojump_clock: MockClock,
) -> None:
    worker, numbers = asking()
    for _ in range(MOST_UNANSWERED + 5):
        assert await worker.ask(CountSessions()) is None
    assert len(numbers) == MOST_UNANSWERED
    worker.hear(SessionCount(1, 1, number=numbers[0]))
    await worker.ask(CountSessions())
    assert len(numbers) == MOST_UNANSWERED + 1
