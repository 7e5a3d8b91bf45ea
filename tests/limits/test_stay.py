"""Clients of a gateway that has limits: who is let in, and what the others hear."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from socket import socket, socketpair

import attrs
import pytest
import trio
import trio.testing
from attrs import Factory, define, evolve
from trio.testing import MockClock

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.route import Authenticator, Judgement, LoginAttempt, Route
from mailssl_trio.client_life import ClientLife
from mailssl_trio.gateway import Gateway
from mailssl_trio.limits.access import AccessRule
from mailssl_trio.limits.counts import Counts, Segments
from mailssl_trio.limits.crowd import Crowd
from mailssl_trio.limits.house import House
from mailssl_trio.limits.ledger import Ledger
from mailssl_trio.limits.policy import ConnectionRule, Counted, LimitPolicy
from mailssl_trio.limits.sanctions import LoginRule, Sanction
from mailssl_trio.limits.seats import Seats
from mailssl_trio.observer import Subject
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.proxied import RealIpFrom
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import Upstream
from mailssl_trio.transport.wire import Wire
from mailssl_trio.visits import Visit
from tests.sleeping import to_the_end
from tests.test_gateway import GOOD, REFUSING, Backend, Told, lines
from tests.wire_pair import wire_pair

UPSTREAM = Upstream(EmbeddedAddress())
TIMEOUTS = Timeouts(session=60, connect=10, relay=3600, linger=5, close=2)
HERE, THERE = "192.0.2.1", "192.0.2.2"

BY_ADDRESS = ConnectionRule(Counted.ADDRESS, 2)
BY_USER = ConnectionRule(Counted.USER, 2)
BY_BOTH = ConnectionRule(Counted.USER_AND_ADDRESS, 1)
TRUSTED = (AccessRule(allow=True, network=ip_network("192.0.2.0/24")),)


class Judge:
    """Knows a user whose password is the name, in whatever case; asks nobody else."""

    def __init__(self) -> None:
        self.asked = 0

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        self.asked += 1
        match attempt.credentials:
            case Password(name, password) as good if name.lower() == password.lower():
                return Route(UPSTREAM, good, judged=True)
        return Rejected(Reason.AUTHENTICATIONFAILED)


@define
class Client:
    """A client from its side."""

    stream: trio.abc.Stream
    heard: bytes = b""

    async def hears(self, what: bytes) -> None:
        """Read until these octets have come."""
        with trio.fail_after(600):
            while what not in self.heard:
                data = bytes(await self.stream.receive_some())
                assert data, f"{what!r} was to come, not {self.heard!r}"
                self.heard += data
        self.heard = self.heard.partition(what)[2]

    async def hears_only(self, what: bytes) -> None:
        """Read to the end, which comes behind this."""
        with trio.fail_after(600):
            while data := bytes(await self.stream.receive_some()):
                self.heard += data
        assert self.heard == what

    async def says(self, what: bytes) -> None:
        await self.stream.send_all(what)

    async def logs_in(self, user: bytes, password: bytes | None = None) -> None:
        await self.says(b"USER %s\r\nPASS %s\r\n" % (user, password or user))


@define
class Place:
    """A gateway for POP3, and the clients that it has."""

    nursery: trio.Nursery
    house: House
    policy: LimitPolicy = Factory(LimitPolicy)
    protocol: str = "pop3"
    judge: Authenticator = Factory(Judge)
    told: Told = Factory(Told)
    proxy: str = ""
    dialled: int = 0
    backend: Backend = GOOD
    implicit_tls: bool = False

    async def dial(self, protocol: str) -> socket:
        ours, theirs = socketpair()
        self.dialled += 1
        self.nursery.start_soon(self.backend, Wire(theirs, 2))
        return ours

    def comes(self, address: str = HERE) -> Client:
        client, ours = wire_pair()
        self.nursery.start_soon(self._live, ours, address)
        return Client(client)

    async def _live(self, stream: Wire, address: str) -> None:
        gateway = Gateway(
            self.protocol,
            Policy(server_name="mx"),
            None,
            self.judge,
            Dialer(self.protocol, "gw", TIMEOUTS, None, self.dial),
            TIMEOUTS,
            self.told,
            real_ip_from=RealIpFrom((ip_network(f"{self.proxy}/32"),))
            if self.proxy
            else RealIpFrom(),
            limits=self.policy,
            house=self.house,
        )
        came_from = self.proxy or address
        subject = Subject(1, self.protocol, came_from, 50_000, "198.51.100.1:110")
        visit = Visit(subject)
        async with trio.open_nursery() as partings:
            life = ClientLife(
                gateway,
                stream,
                Drain(),
                visit,
                partings.start_soon,
                implicit_tls=self.implicit_tls,
                proxied=bool(self.proxy),
            )
            session = None
            try:
                with trio.CancelScope() as scope:
                    visit.ends_by(scope.cancel)
                    session = await life.live()
                    if session is not None:
                        await to_the_end(session)
                if visit.dismissal is not None:
                    await life.leave(visit.dismissal)
            finally:
                await (life if session is None else session).close()


@pytest.fixture
def house() -> Iterator[House]:
    segments = Segments()
    with segments.lent() as place:
        assert place is not None
        ours = evolve(place, descriptor=os.dup(place.descriptor))
        yield House(counts=Counts(ours, bytes(16)))
    segments.close()


@asynccontextmanager
async def gateway(house: House, *rules: ConnectionRule) -> AsyncIterator[Place]:
    async with trio.open_nursery() as nursery:
        yield Place(nursery, house, LimitPolicy(connections=rules))
        nursery.cancel_scope.cancel()


REFUSED_BY_ADDRESS = {
    "imap": b"* BYE [LIMIT] too many connections from your address\r\n",
    "pop3": b"-ERR [SYS/TEMP] too many connections from your address\r\n",
    "smtp": b"421 4.7.0 mx too many connections from your address\r\n",
}


@pytest.mark.parametrize("protocol", REFUSED_BY_ADDRESS)
async def test_third_connection_of_an_address_hears_why_in_place_of_a_greeting(
    protocol: str, house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS) as it:
        it.protocol = protocol
        first, second = it.comes(), it.comes()
        await first.hears(b"\r\n")
        await second.hears(b"\r\n")
        await it.comes().hears_only(REFUSED_BY_ADDRESS[protocol])
        assert it.told.events.count("closed ADDRESS_LIMIT") == 1
        await it.comes(THERE).hears(b"\r\n")
        await first.stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        await it.comes().hears(b"ready")


async def test_where_tls_comes_first_a_refusal_has_no_words(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        it.implicit_tls = True
        house.standing.apply([Sanction(f"{HERE}/32", 3600.0)])
        await it.comes().hears_only(b"")
        assert "closed BANNED" in it.told.events


async def test_who_comes_by_a_unix_socket_has_no_address_but_a_name(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS, BY_USER) as it:
        for reply in (b"+OK in\r\n", b"+OK in\r\n", b"-ERR [IN-USE]"):
            client = it.comes("unix:")
            await client.logs_in(b"joe")
            await client.hears(reply)


async def test_one_subscriber_of_ipv6_is_one_address(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS) as it:
        for number in (1, 2):
            await it.comes(f"2001:db8::{number}").hears(b"+OK")
        await it.comes("2001:db8::3").hears_only(REFUSED_BY_ADDRESS["pop3"])
        await it.comes("2001:db8:0:1::3").hears(b"+OK")


async def test_limits_hold_for_whom_a_proxy_speaks_for(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS) as it:
        it.proxy = "198.51.100.9"
        for client, reply in (
            (HERE, b"+OK"),
            (HERE, b"+OK"),
            (THERE, b"+OK"),
            (HERE, REFUSED_BY_ADDRESS["pop3"]),
        ):
            visitor = it.comes()
            await visitor.says(b"PROXY TCP4 %s 192.0.2.9 1 2\r\n" % client.encode())
            await visitor.hears(reply)


async def test_limit_is_one_for_all_servers_of_a_protocol_and_for_none_of_another(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS) as it:
        for _ in range(2):
            await it.comes().hears(b"+OK")
        another = Place(it.nursery, house, it.policy)
        await another.comes().hears_only(REFUSED_BY_ADDRESS["pop3"])
        another.protocol = "imap"
        await another.comes().hears(b"* OK")


async def test_trusted_networks_are_neither_counted_nor_refused(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS, BY_USER, BY_BOTH) as it:
        it.policy = evolve(it.policy, exempt=TRUSTED)
        for _ in range(5):
            client = it.comes()
            await client.logs_in(b"joe")
            await client.hears(b"+OK in\r\n")
        assert len(house.crowd) == 0


async def test_user_with_too_many_sessions_hears_so_and_others_do_not(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_USER) as it:
        clients = [it.comes(address) for address in (HERE, THERE)]
        for client in clients:
            await client.logs_in(b"joe")
            await client.hears(b"+OK in\r\n")
        third = it.comes("198.51.100.7")
        await third.logs_in(b"joe")
        await third.hears(b"-ERR [IN-USE] too many sessions of this user\r\n")
        assert it.dialled == 2
        await third.logs_in(b"ann")
        await third.hears(b"+OK in\r\n")
        await clients[0].stream.aclose()
        await trio.sleep(10)
        fourth = it.comes()
        await fourth.logs_in(b"joe")
        await fourth.hears(b"+OK in\r\n")


async def test_case_makes_no_other_user(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_USER) as it:
        for name in (b"joe", b"Joe"):
            client = it.comes()
            await client.logs_in(name)
            await client.hears(b"+OK in\r\n")
        client = it.comes()
        await client.logs_in(b"JOE")
        await client.hears(b"-ERR [IN-USE]")


async def test_user_may_come_from_elsewhere(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_BOTH) as it:
        for address, reply in (
            (HERE, b"+OK in\r\n"),
            (HERE, b"[IN-USE] too many sessions of this user from your address\r\n"),
            (THERE, b"+OK in\r\n"),
        ):
            client = it.comes(address)
            await client.logs_in(b"joe")
            await client.hears(reply)


async def test_guesses_take_up_no_session_and_are_told_nothing(
    house: House, autojump_clock: MockClock
) -> None:
    """Where the backend judges, it is asked before sessions are counted."""
    async with gateway(house, BY_BOTH) as it:
        it.judge = BackendAuthenticator(UPSTREAM)
        first = it.comes()
        await first.logs_in(b"joe", b"x")
        await first.hears(b"+OK in\r\n")
        guess = it.comes()
        it.backend = REFUSING
        await guess.logs_in(b"joe", b"guess")
        await guess.hears(b"[AUTH]")
        it.backend = GOOD
        await guess.logs_in(b"joe", b"x")
        await guess.hears(b"[IN-USE]")
        it.backend = REFUSING
        await guess.logs_in(b"joe", b"guess")
        await guess.hears(b"[AUTH]")


async def test_limit_of_the_backend_is_told_as_one(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        it.judge = BackendAuthenticator(UPSTREAM)
        it.backend = lines(b"+OK hi", b"-ERR no CAPA", b"+OK", b"-ERR [IN-USE] full")
        client = it.comes()
        await client.logs_in(b"joe")
        await client.hears(b"-ERR [IN-USE] too many sessions\r\n")


async def test_session_that_came_to_nothing_is_not_counted(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_USER) as it:
        it.backend = REFUSING
        client = it.comes()
        for _ in range(3):
            await client.logs_in(b"joe")
            await client.hears(b"[SYS/TEMP]")
        it.backend = GOOD
        for _ in range(2):
            client = it.comes()
            await client.logs_in(b"joe")
            await client.hears(b"+OK in\r\n")


async def test_denied_client_hears_so_and_is_not_let_in(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        it.policy = LimitPolicy(access=(*TRUSTED, AccessRule(allow=False)))
        await it.comes().hears(b"+OK")
        await it.comes("198.51.100.7").hears_only(b"-ERR [SYS/PERM] access denied\r\n")
        assert "closed DENIED" in it.told.events


async def test_banned_address_is_not_let_in(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        inside = it.comes()
        await inside.hears(b"+OK")
        house.standing.apply([Sanction(f"{HERE}/32", 3600.0)])
        refused = b"-ERR [SYS/TEMP] your address is banned for a time\r\n"
        await it.comes().hears_only(refused)
        await it.comes(THERE).hears(b"+OK")
        await inside.logs_in(b"joe")
        await inside.hears(b"-ERR [SYS/TEMP] too many failed logins, try again later")
        await trio.sleep(3600)
        await it.comes().hears(b"+OK")


async def test_crowd_of_one_address_hurts_itself(
    house: House, autojump_clock: MockClock
) -> None:
    house.crowd = Crowd(5)
    async with gateway(house) as it:
        other = it.comes(THERE)
        await other.hears(b"+OK")
        flood = []
        for _ in range(10):
            flood.append(it.comes())
            await flood[-1].hears(b"+OK")
        busy = b"-ERR [SYS/TEMP] too many connections\r\n"
        await other.logs_in(b"joe")
        await other.hears(b"+OK in\r\n")
        await flood[0].hears(busy)
        await flood[-1].logs_in(b"ann")
        await flood[-1].hears(b"+OK in\r\n")
        assert it.told.events.count("closed CROWDED_OUT") == 6


async def test_who_has_logged_in_is_in_nobodys_way(
    house: House, autojump_clock: MockClock
) -> None:
    house.crowd = Crowd(1)
    async with gateway(house) as it:
        clients = []
        for _ in range(3):
            client = it.comes()
            await client.logs_in(b"joe")
            await client.hears(b"+OK in\r\n")
            clients.append(client)
        assert len(house.crowd) == 0
        for client in clients:
            await client.says(b"QUIT\r\n")
            await client.hears(b"+OK bye")


async def test_connections_beyond_worker_connections_hear_that_it_is_busy(
    house: House, autojump_clock: MockClock
) -> None:
    said: list[str] = []
    house.seats = Seats(3, said.append)
    async with gateway(house) as it:
        first, second = it.comes(), it.comes()
        await first.logs_in(b"joe")
        await first.hears(b"+OK in\r\n")
        await second.hears(b"+OK")
        await it.comes().hears_only(b"-ERR [SYS/TEMP] too many connections\r\n")
        await second.logs_in(b"ann")  # there is no connection with a backend left
        await second.hears(b"-ERR [SYS/TEMP]")
        assert it.told.details == ["worker_connections are not enough"]
        assert said == ["3 worker_connections are not enough"]
        await first.stream.aclose()
        await trio.sleep(10)
        assert house.seats.taken == 1


async def test_all_that_was_taken_is_given_back(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house, BY_ADDRESS, BY_USER, BY_BOTH) as it:
        for _ in range(20):
            client = it.comes()
            await client.logs_in(b"joe")
            await client.hears(b"+OK in\r\n")
            await client.says(b"QUIT\r\n")
            await client.hears(b"+OK bye")
            await client.stream.aclose()
            visitor = it.comes(THERE)
            await visitor.hears(b"+OK")
            await visitor.stream.aclose()
            await trio.sleep(1)
        assert (len(house.crowd), house.seats.taken) == (0, 0)


class Supervised:
    """A ledger that hears of each login at once."""

    def __init__(self, house: House, place: Place, *rules: LoginRule) -> None:
        self.house, self.place = house, place
        place.policy = evolve(place.policy, logins=rules)
        self.ledger = Ledger(lambda _: None)

    async def tries(self, user: bytes, password: bytes, address: str = HERE) -> bytes:
        """Return the reply, and let the ledger do its work."""
        client = self.place.comes(address)
        await client.hears(b"\r\n")
        if client.heard:
            return client.heard
        await client.logs_in(user, password)
        await client.hears(b"send PASS\r\n")
        while b"\r\n" not in client.heard:
            client.heard += bytes(await client.stream.receive_some())
        await client.stream.aclose()
        failures, successes = self.house.reports.take()
        for failure in failures:
            self.ledger.failed(failure)
        for success in successes:
            self.ledger.succeeded(success)
        self.house.standing.apply(self.ledger.take_news())
        return client.heard


PAIR = LoginRule(by_user=True, distinct=3, time=600, delay=4, ban=3600)
WHOLE = LoginRule(by_user=False, distinct=5, time=600, ban=7200)
WRONG = b"-ERR [AUTH] authentication failed\r\n"
BARRED = b"-ERR [SYS/TEMP] too many failed logins, try again later\r\n"


async def test_guesses_wait_longer_and_are_then_not_even_judged(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        judge = it.judge = Judge()
        supervised = Supervised(house, it, PAIR)
        took = []
        for guess in (b"one", b"two", b"three"):
            began = trio.current_time()
            assert await supervised.tries(b"joe", guess) == WRONG
            took.append(trio.current_time() - began)
        assert took == pytest.approx([0.25, 4.25, 8.25])
        assert await supervised.tries(b"joe", b"joe") == BARRED
        assert judge.asked == 3
        assert await supervised.tries(b"joe", b"joe", THERE) == b"+OK in\r\n"
        assert await supervised.tries(b"ann", b"ann") == b"+OK in\r\n"
        await trio.sleep(3600)
        assert await supervised.tries(b"joe", b"joe") == b"+OK in\r\n"


async def test_guesses_that_come_all_at_once_are_not_all_judged(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        judge = it.judge = Judge()
        supervised = Supervised(house, it, evolve(PAIR, delay=0))
        async with trio.open_nursery() as guesses:
            for number in range(200):
                guesses.start_soon(supervised.tries, b"joe", b"%d" % number)
        assert judge.asked <= 2 * PAIR.distinct
        assert len(house.turns) == 0


async def test_turn_that_does_not_come_is_a_refusal(
    house: House, autojump_clock: MockClock
) -> None:
    class Asleep:
        async def judge(self, attempt: LoginAttempt) -> Judgement:
            await trio.sleep_forever()

    async with gateway(house) as it:
        it.judge = Asleep()
        it.policy = LimitPolicy(logins=(evolve(PAIR, distinct=1),))
        await it.comes().logs_in(b"joe", b"x")
        await trio.testing.wait_all_tasks_blocked()
        second = it.comes()
        await second.logs_in(b"joe", b"x")
        await second.hears(BARRED)
        assert 60 <= trio.current_time() < 61
        third = it.comes()
        await third.logs_in(b"joe", b"x")
        await trio.sleep(1)
        await third.stream.aclose()
        await trio.sleep(1)
        assert len(house.turns) == 1


async def test_user_who_is_not_there_waits_as_long_as_one_who_is(
    house: House, autojump_clock: MockClock
) -> None:
    """The judge knows joe from his password alone, the limit from neither."""
    async with gateway(house) as it:
        supervised = Supervised(house, it, PAIR)
        took: dict[bytes, list[float]] = {b"joe": [], b"nobody": []}
        for number in range(4):
            for user, times in took.items():
                began = trio.current_time()
                await supervised.tries(user, b"guess %d" % number)
                times.append(trio.current_time() - began)
        assert took[b"joe"] == took[b"nobody"]


async def test_phone_with_an_old_password_bans_nobody(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        supervised = Supervised(house, it, PAIR, WHOLE)
        for _ in range(20):
            assert await supervised.tries(b"joe", b"old") == WRONG
        assert await supervised.tries(b"Joe", b"joe") == b"+OK in\r\n"


async def test_address_that_tries_many_users_hears_no_greeting_any_more(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        supervised = Supervised(house, it, WHOLE)
        for number in range(5):
            await supervised.tries(b"user%d" % number, b"123456")
        await it.comes().hears_only(
            b"-ERR [SYS/TEMP] your address is banned for a time\r\n"
        )
        assert "closed BANNED" in it.told.events


async def test_trusted_network_is_not_banned(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        it.policy = LimitPolicy(exempt=TRUSTED)
        supervised = Supervised(house, it, PAIR, WHOLE)
        for number in range(10):
            assert await supervised.tries(b"joe", b"%d" % number) == WRONG


async def test_what_is_not_the_users_fault_is_not_counted(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        supervised = Supervised(house, it, PAIR, WHOLE)
        it.backend = REFUSING  # it should not, since the judge knows the user
        for _ in range(10):
            assert (await supervised.tries(b"joe", b"joe")).startswith(b"-ERR [SYS")
        assert len(supervised.ledger) == 0


async def test_no_password_is_in_what_the_supervisor_hears(
    house: House, autojump_clock: MockClock
) -> None:
    async with gateway(house) as it:
        it.policy = LimitPolicy(logins=(PAIR,))
        client = it.comes()
        await client.logs_in(b"x" * 90, b"hunter2")
        await client.hears(WRONG)
        (failure,), _ = house.reports.take()
        assert "hunter2" not in repr(failure)
        assert "hunter2" not in str(attrs.asdict(failure))
        assert failure.user == "x" * 64
