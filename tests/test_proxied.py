"""Behind a proxy: its header comes first, and is believed from whom we named."""

from functools import partial
from ipaddress import IPv4Network, ip_address

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from mailssl_trio.auth.route import Judgement, LoginAttempt
from mailssl_trio.client_life import ClientLife
from mailssl_trio.gateway import Gateway
from mailssl_trio.observer import Subject
from mailssl_trio.protocol.credentials import Reason, Rejected
from mailssl_trio.protocol.proxy_header import Addresses, v1, v2
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.proxied import RealIpFrom
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire
from mailssl_trio.visits import Visit
from tests.test_gateway import Told, rest
from tests.tls_pair import NAME, client_side, server_tls
from tests.wire_pair import wire_pair

PROXY = "192.0.2.7"
NAMED = RealIpFrom((IPv4Network(PROXY),))
OTHERS = RealIpFrom((IPv4Network("192.0.2.8"),))
NOBODY = RealIpFrom()

SAID = Addresses(ip_address("203.0.113.9"), 4321, ip_address("192.0.2.7"), 143)
TIMEOUTS = Timeouts(session=60, close=2)


@define
class House:
    """A gateway that lets nobody in, and remembers who they said they were."""

    trusted: RealIpFrom
    told: Told = field(factory=Told)
    drain: Drain = field(factory=Drain)
    attempts: list[LoginAttempt] = field(factory=list)
    subject: Subject = field(
        factory=lambda: Subject(1, "pop3", PROXY, 50_000, "198.51.100.1:110")
    )

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        self.attempts.append(attempt)
        return Rejected(Reason.UNAVAILABLE)

    async def serve(self, stream: Wire, *, implicit_tls: bool = False) -> None:
        gateway = Gateway(
            "pop3",
            Policy(),
            server_tls("pop3"),
            self,
            Dialer("pop3", "gw", TIMEOUTS),
            TIMEOUTS,
            self.told,
            real_ip_from=self.trusted,
        )
        async with trio.open_nursery() as partings:
            life = ClientLife(
                gateway,
                stream,
                self.drain,
                Visit(self.subject),
                partings.start_soon,
                implicit_tls=implicit_tls,
                proxied=True,
            )
            await life.live()
            await life.close()


LOGIN = b"USER joe\r\nPASS x\r\nQUIT\r\n"


async def talk(house: House, *pieces: bytes) -> bytes:
    """Say the pieces one by one, half-close, and return all that is answered."""
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        for piece in pieces:
            await client.send_all(piece)
            await trio.sleep(0.01)
        await client.send_eof()
        return await rest(client)


@pytest.mark.parametrize("header", [v1(SAID), v2(SAID)], ids=["v1", "v2"])
@pytest.mark.parametrize("size", [1, 5, 1000])
async def test_client_is_whom_a_trusted_proxy_names(
    header: bytes, size: int, autojump_clock: MockClock
) -> None:
    house = House(NAMED)
    said = header + LOGIN  # in one piece, too: what is behind it is the client's
    pieces = [said[at : at + size] for at in range(0, len(said), size)]
    assert (await talk(house, *pieces)).startswith(b"+OK POP3 ready\r\n+OK send PASS")
    assert [attempt.client.client for attempt in house.attempts] == ["203.0.113.9"]
    assert (house.subject.client, house.subject.client_port) == ("203.0.113.9", 4321)
    assert house.subject.proxied == SAID


async def test_header_is_reported_and_not_believed_where_nobody_is_named(
    autojump_clock: MockClock,
) -> None:
    house = House(NOBODY)
    await talk(house, v1(SAID) + LOGIN)
    assert [attempt.client.client for attempt in house.attempts] == [PROXY]
    assert house.subject.proxied == SAID


@pytest.mark.parametrize("header", [v1(None), v2(None)], ids=["v1", "v2"])
async def test_proxy_that_speaks_for_itself_is_the_client(
    header: bytes, autojump_clock: MockClock
) -> None:
    house = House(NAMED)
    await talk(house, header + LOGIN)
    assert [attempt.client.client for attempt in house.attempts] == [PROXY]
    assert house.subject.proxied is None


@pytest.mark.parametrize(
    ("header", "claim"),
    [
        (v1(SAID), "it speaks for 203.0.113.9, port 4321"),
        (v2(None), "it speaks for itself"),
    ],
)
async def test_others_are_refused_by_a_line_that_says_what_was_seen(
    header: bytes, claim: str, autojump_clock: MockClock
) -> None:
    house = House(OTHERS)
    assert await talk(house, header + LOGIN) == b""
    assert house.told.events == ["connected", "proxy refused"]
    assert house.told.details == [f"{PROXY} is not in set_real_ip_from, {claim}"]
    assert house.attempts == []


@pytest.mark.parametrize(
    ("seen", "quoted"),
    [
        (b"", b""),
        (b"USER joe\r\nPASS x\r\n", b"USER joe"),
        (b"PASS secret\r\n", b"PASS"),
        (b"a LOGIN joe secret\r\n", b"a LOGIN"),
        (b"auth plain AGpvZQB4\r\n", b"auth"),
        (b"PROXY TCP4 300.1.1.1 ::1 1 2\r\n", b"PROXY TCP4 300.1.1.1 ::1 1 2"),
        (b"PROXY TCP4 203.0.113.9 192", b"PROXY TCP4 203.0.113.9 192"),
        (v2(SAID)[:20], v2(SAID)[:20]),
    ],
)
async def test_broken_header_ends_it_without_a_word(
    seen: bytes, quoted: bytes, autojump_clock: MockClock
) -> None:
    house = House(NAMED)
    assert await talk(house, seen) == b""
    assert house.told.events == ["connected", "proxy refused"]
    assert house.told.details == [f"broken header: {quoted!r}"]


async def test_header_comes_before_tls(autojump_clock: MockClock) -> None:
    house = House(NAMED)
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(house.serve, ours, implicit_tls=True))
        await client.send_all(v1(SAID))
        secured = trio.SSLStream(client, client_side(), server_hostname=NAME)
        await secured.send_all(LOGIN)
        assert (await secured.receive_some()).startswith(b"+OK POP3 ready")
        while await secured.receive_some():
            pass
        await secured.aclose()
    assert house.attempts[0].tls is not None
    assert house.attempts[0].client.client == "203.0.113.9"


async def test_header_and_client_share_one_budget(autojump_clock: MockClock) -> None:
    house = House(NAMED)
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await trio.sleep(50)
        await client.send_all(v1(SAID))
        assert await rest(client) == b"+OK POP3 ready\r\n"
    assert 60 <= trio.current_time() < 61
    assert house.told.events[-1] == "closed TIMED_OUT"


@pytest.mark.parametrize("said", [b"", b"PROXY TCP4 20", v2(SAID)[:14]])
async def test_proxy_that_falls_silent_is_not_waited_for(
    said: bytes, autojump_clock: MockClock
) -> None:
    house = House(NAMED)
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await client.send_all(said)
        assert await rest(client) == b""
    assert 60 <= trio.current_time() < 61
    assert house.told.events == ["connected", "closed TIMED_OUT"]


async def test_drain_waits_for_no_header(autojump_clock: MockClock) -> None:
    house = House(NAMED)
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await trio.sleep(1)
        house.drain.begin()
        assert await rest(client) == b""
    assert trio.current_time() < 2
    assert house.told.events == ["connected", "closed SHUTTING_DOWN"]
