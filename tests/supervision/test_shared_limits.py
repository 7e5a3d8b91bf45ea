"""The supervisor's part in limits: memory to count in, and news for workers."""

import resource
from ipaddress import ip_network
from pathlib import Path

import trio
from trio.testing import MockClock

from mailssl_trio.config.model import Config
from mailssl_trio.limits.sanctions import Failure, LoginRule
from mailssl_trio.messages import LoginsTold, Message, Sanctioned
from mailssl_trio.supervision.shared_limits import BATCH, SharedLimits
from tests.config.site import Site

LIMITED = """
[mail]
proxy_pass = "10.0.0.1"
limit_conn = "address 5"
[[mail.server]]
listen = "127.0.0.1:143"
"""


def config(directory: Path, *, limited: bool) -> Config:
    return Site(directory).load(
        LIMITED if limited else LIMITED.replace("limit_conn", "#")
    )


def no_more_descriptors() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, most))


async def test_each_worker_counts_in_a_place_of_its_own(tmp_path: Path) -> None:
    limits = SharedLimits(lambda *_: None)
    limited = config(tmp_path, limited=True)
    with limits.lent(limited) as first, limits.lent(limited) as second:
        assert first is not None
        assert second is not None
        assert first.segment != second.segment
        assert limits.of_worker(first).place is first
    limits.close()


async def test_where_nothing_is_limited_no_memory_is_made(tmp_path: Path) -> None:
    limits = SharedLimits(lambda *_: None)
    with limits.lent(config(tmp_path, limited=False)) as place:
        assert place is None
    limits.close()


async def test_worker_serves_although_there_is_no_memory_to_count_in(
    tmp_path: Path,
) -> None:
    said: list[tuple[str, str]] = []
    limits = SharedLimits(lambda level, text: said.append((level, text)))
    limited = config(tmp_path, limited=True)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    no_more_descriptors()
    try:
        with limits.lent(limited) as place:
            assert place is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    ((level, text),) = said
    assert level == "alert"
    assert text.startswith("limit_conn: a worker does not count: [Errno 24]")


async def test_workers_hear_at_once_what_has_come_to_hold(
    autojump_clock: MockClock,
) -> None:
    said: list[str] = []
    heard: list[tuple[float, Message]] = []
    limits = SharedLimits(lambda _, text: said.append(text))
    rule = LoginRule(by_user=True, distinct=1, ban=3600)
    async with trio.open_nursery() as nursery:

        def hear(message: Message) -> None:
            heard.append((trio.current_time(), message))

        nursery.start_soon(limits.spread, hear)
        await trio.sleep(10)
        failure = Failure("192.0.2.1/32", "j\noe", "tag", "x", (rule,))
        limits.hear(LoginsTold((failure,), ()))
        await trio.sleep(1)
        for number in range(2 * BATCH):
            limits.ledger.bans.add(ip_network(0x0A000000 + number), 60)
        await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert said == [
        'limit_login: "j\\x0aoe" at 192.0.2.1/32 is banned for 1h:'
        " 1 different wrong passwords"
    ]
    assert [when for when, _ in heard] == [10, 11, 11.1]
    for _, message in heard:
        assert isinstance(message, Sanctioned)
        assert len(message.sanctions) <= BATCH
