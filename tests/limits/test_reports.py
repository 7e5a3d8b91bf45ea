"""What a worker tells of logins waits for nobody, and has a bound."""

from mailssl_trio.limits.reports import BATCH, MOST, Reports
from mailssl_trio.limits.sanctions import Failure, Success


async def test_failures_and_successes_are_told_in_batches() -> None:
    reports = Reports()
    assert not reports.waiting.is_set()
    failure = Failure("192.0.2.1/32", "joe", "a", "b", ())
    for _ in range(BATCH):
        reports.add(failure)
    reports.add(Success("192.0.2.1/32", "a"))
    assert reports.waiting.is_set()
    assert reports.take() == ((failure,) * BATCH, ())
    assert reports.waiting.is_set()
    assert reports.take() == ((), (Success("192.0.2.1/32", "a"),))
    assert not reports.waiting.is_set()


async def test_what_is_too_much_is_forgotten_the_oldest_first() -> None:
    reports = Reports()
    for number in range(MOST + 5):
        reports.add(Success("192.0.2.1/32", str(number)))
    _, first = reports.take()
    assert first[0].user_tag == "5"
