"""Failed logins, and what follows from them."""

import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import trio
from trio.testing import MockClock

from mailssl_trio.channel import decode, encode
from mailssl_trio.limits import bans, ledger
from mailssl_trio.limits.ledger import Ledger
from mailssl_trio.limits.sanctions import Failure, LoginRule, Sanction, Success
from mailssl_trio.limits.standing import Standing
from mailssl_trio.messages import Configure, Limiting

ADDRESS, OTHER = "192.0.2.1/32", "192.0.2.2/32"
PAIR = LoginRule(by_user=True, distinct=3, time=600, delay=1, ban=3600)
WHOLE = LoginRule(by_user=False, distinct=5, time=600, ban=7200)


class Scene:
    """A ledger, and a worker's copy of what it tells."""

    def __init__(self, *rules: LoginRule) -> None:
        self.rules = rules
        self.banned: list[bans.Ban] = []
        self.ledger = Ledger(self.banned.append)
        self.standing = Standing()

    def fails(self, password: str, user: str = "joe", address: str = ADDRESS) -> None:
        failure = Failure(address, user, user, f"{user}:{password}", self.rules)
        self.ledger.failed(failure)
        self.standing.apply(self.ledger.take_news())

    def succeeds(self, user: str = "joe", address: str = ADDRESS) -> None:
        self.ledger.succeeded(Success(address, user))
        self.standing.apply(self.ledger.take_news())

    def delay(self, user: str = "joe", address: str = "192.0.2.1") -> float:
        return self.standing.delay(ip_address(address), user)

    def bars(self, user: str = "joe", address: str = "192.0.2.1") -> bool:
        return self.standing.bans_user(ip_address(address), user)

    def shuts_out(self, address: str = "192.0.2.1") -> bool:
        return self.standing.bans(ip_address(address))


async def test_user_waits_longer_after_each_wrong_password_and_is_then_banned(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(PAIR)
    assert (scene.delay(), scene.bars()) == (0, False)
    scene.fails("one")
    assert scene.delay() == 1
    scene.fails("two")
    assert (scene.delay(), scene.bars()) == (2, False)
    scene.fails("three")
    assert (scene.delay(), scene.bars()) == (0, True)
    assert [ban.why for ban in scene.banned] == ["3 different wrong passwords"]
    assert [ban.user for ban in scene.ledger.bans] == ["joe"]


async def test_nobody_else_is_banned_for_it(autojump_clock: MockClock) -> None:
    scene = Scene(PAIR)
    for password in ("one", "two", "three"):
        scene.fails(password)
    assert not scene.bars("ann")
    assert not scene.bars("joe", "192.0.2.2")
    assert not scene.shuts_out()


async def test_same_wrong_password_again_counts_once(autojump_clock: MockClock) -> None:
    scene = Scene(PAIR, WHOLE)
    for _ in range(1000):  # a phone that nobody has told
        scene.fails("old")
    assert (scene.delay(), scene.bars()) == (1, False)


async def test_who_tries_many_users_is_shut_out_altogether(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(PAIR, WHOLE)
    for user in "abcd":
        scene.fails("secret", user)
    assert not scene.shuts_out()
    scene.fails("secret", "e")
    assert scene.shuts_out()
    assert not scene.shuts_out("192.0.2.2")
    assert scene.bars("whoever")


async def test_what_is_older_than_the_time_does_not_count(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(PAIR)
    scene.fails("one")
    await trio.sleep(400)
    scene.fails("two")
    await trio.sleep(201)
    scene.fails("three")
    assert (scene.delay(), scene.bars()) == (2, False)
    await trio.sleep(601)
    assert scene.delay() == 0


async def test_ban_ends_and_all_begins_anew(autojump_clock: MockClock) -> None:
    scene = Scene(PAIR)
    for password in ("one", "two", "three"):
        scene.fails(password)
    await trio.sleep(3599)
    assert scene.bars()
    await trio.sleep(1)
    assert not scene.bars()
    assert [*scene.ledger.bans] == []
    scene.fails("one")
    assert (scene.delay(), scene.bars()) == (1, False)


async def test_success_forgives_what_failed_before(autojump_clock: MockClock) -> None:
    scene = Scene(PAIR, WHOLE)
    scene.fails("one")
    scene.fails("two")
    scene.succeeds()
    assert scene.delay() == 0
    scene.fails("three")
    assert not scene.bars()


async def test_own_success_buys_no_guesses_at_others(autojump_clock: MockClock) -> None:
    scene = Scene(WHOLE)
    for number in range(5):
        scene.fails(f"guess {number}", "victim")
        scene.succeeds("attacker")
    assert scene.shuts_out()


async def test_success_forgives_ones_own_failures_of_a_shared_address(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(WHOLE)
    for number in range(20):
        user = f"employee{number}"
        scene.fails("mistyped", user)
        scene.succeeds(user)
    assert not scene.shuts_out()
    assert len(scene.ledger) == 0
    assert not scene.ledger._records, "nothing is left of them"


async def test_delay_grows_no_further_than_its_bound(autojump_clock: MockClock) -> None:
    scene = Scene(LoginRule(by_user=True, distinct=1000, delay=1))
    for number in range(100):
        scene.fails(str(number))
    assert scene.delay() == ledger.LONGEST_DELAY


async def test_unban_lets_in_and_begin_anew(autojump_clock: MockClock) -> None:
    scene = Scene(PAIR, WHOLE)
    for number in range(5):
        scene.fails(str(number))
    assert scene.shuts_out()
    ended = scene.ledger.unban(ip_network("192.0.2.0/24"))
    scene.standing.apply(scene.ledger.take_news())
    assert len(ended) == 2
    assert not scene.bars()
    scene.fails("another")
    assert (scene.delay(), scene.bars(), scene.shuts_out()) == (1, False, False)


async def test_unban_of_a_user_forgives_the_address_what_led_to_it(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(PAIR, WHOLE)
    for number in range(3):
        scene.fails(str(number))
    scene.ledger.unban(ip_network("192.0.2.1"))
    scene.fails("another")
    scene.fails("yet another")
    assert not scene.shuts_out()


async def test_ban_by_hand_holds_for_a_network_and_for_its_time(
    autojump_clock: MockClock,
) -> None:
    scene = Scene()
    scene.ledger.bans.add(ip_network("198.51.100.0/24"), 60)
    scene.ledger.bans.add(ip_network("2001:db8::/32"), 60)
    scene.standing.apply(scene.ledger.take_news())
    assert scene.shuts_out("198.51.100.7")
    assert scene.shuts_out("2001:db8::7")
    assert not scene.shuts_out("198.51.101.7")
    assert [ban.why for ban in scene.ledger.bans] == [bans.BY_HAND] * 2
    await trio.sleep(60)
    assert not scene.shuts_out("198.51.100.7")
    assert scene.ledger.bans.remove(ip_network("0.0.0.0/0")) == ()


async def test_ban_that_is_over_hides_no_other_one(autojump_clock: MockClock) -> None:
    scene = Scene()
    scene.ledger.bans.add(ip_network("192.0.2.0/24"), 600)
    scene.ledger.bans.add(ip_network("192.0.2.1/32"), 60)
    scene.standing.apply(scene.ledger.take_news())
    await trio.sleep(61)
    assert scene.shuts_out()


async def test_ban_of_everybody_can_be_taken_back(autojump_clock: MockClock) -> None:
    scene = Scene()
    scene.ledger.bans.add(ip_network("0.0.0.0/0"), 1e12)
    scene.standing.apply(scene.ledger.take_news())
    assert scene.shuts_out()
    scene.ledger.bans.remove(ip_network("0.0.0.0/0"))
    scene.standing.apply(scene.ledger.take_news())
    assert not scene.shuts_out()


async def test_worker_that_begins_knows_what_holds(autojump_clock: MockClock) -> None:
    scene = Scene(PAIR, WHOLE)
    for number in range(4):
        scene.fails(str(number))
    scene.ledger.bans.add(ip_network("198.51.100.0/24"), 60)
    scene.standing = Standing()
    limiting = Limiting(b"", None, scene.ledger.standing(), trio.current_time())
    scene.standing.apply(limiting.standing)
    assert scene.bars()
    await trio.sleep(59)
    assert scene.shuts_out("198.51.100.7")
    await trio.sleep(1)
    assert not scene.shuts_out("198.51.100.7")


async def test_worker_that_begins_is_told_of_20_000_bans_in_no_time(
    autojump_clock: MockClock,
) -> None:
    some = ledger.Ledger(lambda _: None)
    for number in range(bans.MOST):
        some.bans.add(ip_network((0x20010DB8_00000000 + number << 64, 64)), 3600)
    began = time.process_time()
    limiting = Limiting(b"", None, some.standing(), trio.current_time())
    line = encode(Configure(Path(), Path(), (), (), limiting=limiting))
    assert time.process_time() - began < 0.2  # and some 20 ms where nothing hinders
    told = decode(line)
    assert isinstance(told, Configure)
    assert told.limiting is not None
    assert len([*told.limiting.standing]) == bans.MOST


async def test_all_bans_end_when_all_are_meant_but_not_all_at_once(
    autojump_clock: MockClock,
) -> None:
    some = ledger.Ledger(lambda _: None)
    for number in range(2 * bans.AT_ONCE + 1):
        some.bans.add(ip_network(0x0A000000 + number), 3600)
    everybody = ip_network("0.0.0.0/0")
    ended = [len(some.unban(everybody)) for _ in range(4)]
    assert ended == [bans.AT_ONCE, bans.AT_ONCE, 1, 0]


async def test_worker_that_is_told_nonsense_by_another_begins_all_the_same(
    autojump_clock: MockClock,
) -> None:
    rule = LoginRule(by_user=True, distinct=1, ban=float("inf"))
    scene = Scene(rule)
    scene.ledger.failed(Failure("192.0.2.1/32", "j", "a tag of \n words", "x", (rule,)))
    (ban,) = scene.ledger.standing()
    held = Sanction.of(ban, trio.current_time())
    assert (held.user_tag, held.seconds) == ("a tag of \n words", bans.LONGEST)


async def test_delay_of_the_most_guesses_there_can_be_is_a_delay(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(LoginRule(by_user=False, distinct=10_000, delay=1.0))
    for number in range(1100):
        scene.fails(str(number))
    assert scene.delay() == ledger.LONGEST_DELAY


async def test_bans_that_are_over_keep_no_room_of_those_that_hold(
    autojump_clock: MockClock,
) -> None:
    told: list[Sanction] = []
    some = bans.Bans(told.append, most=100)
    for number in range(100):  # somebody's list of bad networks, each hour
        some.add(ip_network(0x0A000000 + number), 3600)
    await trio.sleep(3601)
    for number in range(50):
        some.add(ip_network(0x0B000000 + number), 3600, "of itself")
    assert len(some) == 50
    assert sum(not sanction.seconds for sanction in told) == 100


async def test_news_are_told_once(autojump_clock: MockClock) -> None:
    scene = Scene()
    assert not scene.ledger.news.is_set()
    scene.ledger.bans.add(ip_network("192.0.2.0/24"), 600)
    assert scene.ledger.news.is_set()
    assert scene.ledger.take_news() == (Sanction("192.0.2.0/24", 600.0),)
    assert not scene.ledger.news.is_set()
    assert scene.ledger.take_news() == ()


async def test_flood_of_addresses_is_forgotten_but_for_so_many(
    autojump_clock: MockClock,
) -> None:
    scene = Scene(PAIR, WHOLE)
    scene.ledger = ledger.Ledger(scene.banned.append, most=1000)
    for number in range(10_000):
        address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}/32"
        for password in ("a", "b"):
            failure = Failure(address, "joe", "joe", password, scene.rules)
            scene.ledger.failed(failure)
    assert len(scene.ledger) <= 1000
    scene.ledger.take_news()
    scene.fails("one")
    assert scene.delay() == 1


async def test_what_a_worker_writes_may_be_nonsense(autojump_clock: MockClock) -> None:
    scene = Scene(LoginRule(by_user=False, distinct=1))
    failure = Failure("not a network", "joe", "joe", "x", scene.rules)
    scene.ledger.failed(failure)
    assert [*scene.ledger.bans] == []


async def test_bans_have_a_bound_and_those_by_hand_stay_longest(
    autojump_clock: MockClock,
) -> None:
    some = bans.Bans(lambda _: None, most=100)
    by_hand = some.add(ip_network("198.51.100.0/24"), 1e9)
    for number in range(110):
        some.add(ip_network(0x0A000000 + number), 3600, "of itself")
    assert len(some) == 100
    assert by_hand in [*some]
    assert ip_network("10.0.0.9") not in [ban.network for ban in some]
