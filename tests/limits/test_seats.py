"""worker_connections: so many, and a line a minute when they are not enough."""

import trio
from trio.testing import MockClock

from mailssl_trio.limits.seats import Seats


async def test_seats_are_taken_and_given_back(autojump_clock: MockClock) -> None:
    said: list[str] = []
    seats = Seats(2, said.append)
    assert [seats.take() for _ in range(4)] == [True, True, False, False]
    assert said == ["2 worker_connections are not enough"]
    await trio.sleep(59)
    assert not seats.take()
    await trio.sleep(1)
    assert not seats.take()
    assert len(said) == 2
    seats.leave()
    assert seats.take()


async def test_without_a_limit_there_is_always_one() -> None:
    seats = Seats(None)
    assert all(seats.take() for _ in range(1000))
