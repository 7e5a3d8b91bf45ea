"""A flood of connections that do not log in hurts itself."""

from collections.abc import Callable
from functools import partial
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from mailssl_trio.limits.crowd import Crowd


def entering(crowd: Crowd, gone: list[str]) -> Callable[[str, str], None]:
    return lambda address, who: crowd.enter(address, who, partial(gone.append, who))


def test_oldest_of_the_address_with_the_most_goes_for_who_comes() -> None:
    gone: list[str] = []
    crowd = Crowd(4)
    enter = entering(crowd, gone)
    enter("one", "1a")
    enter("flood", "fa")
    enter("flood", "fb")
    enter("two", "2a")
    assert gone == []
    enter("three", "3a")
    assert gone == ["fa"]
    assert len(crowd) == 4


def test_flood_sends_its_own_away_and_nobody_elses() -> None:
    gone: list[str] = []
    crowd = Crowd(100)
    enter = entering(crowd, gone)
    for number in range(50):
        enter(f"192.0.2.{number}", f"other {number}")
    for number in range(10_000):
        enter("198.51.100.1", f"flood {number}")
    assert len(crowd) == 100
    assert len(gone) == 9950
    assert all(who.startswith("flood") for who in gone)


def test_among_equals_the_oldest_goes() -> None:
    gone: list[str] = []
    enter = entering(Crowd(3), gone)
    for number in range(5):
        enter(f"192.0.2.{number}", str(number))
    assert gone == ["0", "1"]


def test_who_has_logged_in_or_left_does_not_count() -> None:
    gone: list[str] = []
    crowd = Crowd(2)
    enter = entering(crowd, gone)
    enter("flood", "fa")
    enter("flood", "fb")
    crowd.leave("flood", "fa")
    enter("one", "1a")
    assert (gone, len(crowd)) == ([], 2)
    crowd.leave("flood", "fa")  # once is enough
    crowd.leave("nobody", "x")
    assert len(crowd) == 2


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 9))))
def test_whatever_comes_and_goes_the_address_with_the_most_pays(
    steps: list[tuple[bool, int, int]],
) -> None:
    gone: list[object] = []
    crowd, here = Crowd(6), list[tuple[int, object]]()
    for enters, address, at in steps:
        if not enters and here:
            left = here.pop(at % len(here))
            crowd.leave(*left)
        elif enters:
            who = object()
            here.append((address, who))
            crowd.enter(address, who, partial(gone.append, who))
        if len(here) > 6:
            addresses = [each for each, _ in here]
            most = max(map(addresses.count, addresses))
            sent = next(each for each in here if each[1] is gone[-1])
            assert addresses.count(sent[0]) == most
            assert sent == next(each for each in here if each[0] == sent[0])
            here.remove(sent)
        assert len(crowd) == len(here)


def test_time_does_not_grow_with_the_crowd() -> None:
    def one(size: int) -> float:
        crowd = Crowd(size)
        for number in range(size):
            crowd.enter(number % 1000, number, lambda: None)
        began = perf_counter()
        for number in range(size, size + 2000):
            crowd.enter(number % 1000, number, lambda: None)
        return perf_counter() - began

    small, large = min(one(1000) for _ in "12345"), min(one(50_000) for _ in "123")
    assert large < 15 * small  # not 50 times, as if all were looked at
