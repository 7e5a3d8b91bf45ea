"""Judging by a users file: who gets in, where to, and what it costs."""

import threading
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
import trio
from attrs import define, field

from mailssl_trio.auth.passwords import parse_hash
from mailssl_trio.auth.route import LoginAttempt, Route
from mailssl_trio.auth.users import User, Users
from mailssl_trio.auth.users_authenticator import UsersAuthenticator
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import (
    Address,
    EmbeddedAddress,
    TcpAddress,
    UnixAddress,
)
from mailssl_trio.transport.upstream import ProxySsl, Upstream

REFUSED = Rejected(Reason.AUTHENTICATIONFAILED)

SHARED = Upstream(
    TcpAddress("backend", 143),
    ProxySsl.STARTTLS,
    BackendTlsPolicy(trusted_certificate=Path("ca.pem")),
)


@define(eq=False)
class Plain:
    """A scheme that hides nothing and remembers what it was asked."""

    password: bytes
    cost: str = "plain"
    asked: list[bytes] = field(factory=list)
    meanwhile: Callable[[], object] = bool

    def verify(self, password: bytes) -> bool:
        self.asked.append(password)
        self.meanwhile()
        return password == self.password


def attempt(
    name: bytes,
    password: bytes,
    *,
    authzid: bytes = b"",
    protocol: str = "imap",
    client_address: str = "192.0.2.7",
) -> LoginAttempt:
    credentials = Password(name, password, authzid)
    return LoginAttempt(credentials, protocol, Introduction(client_address), tls=None)


def authenticator(
    *users: User, default: Upstream | None = SHARED, at_once: int = 2
) -> UsersAuthenticator:
    return UsersAuthenticator(Users(users), default, trio.CapacityLimiter(at_once))


async def test_right_password_leads_to_the_backend_with_the_same_password() -> None:
    judge = authenticator(User("alice", Plain(b"wonderland")))
    assert await judge.judge(attempt(b"alice", b"wonderland")) == Route(
        SHARED, Password(b"alice", b"wonderland"), judged=True
    )


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (b"alice", b"wonder"),
        (b"alice", b""),
        (b"Alice", b"wonderland"),
        (b"alice ", b"wonderland"),
        (b"mallory", b"wonderland"),
        (b"\xff\xfe", b"wonderland"),
    ],
)
async def test_every_refusal_costs_one_verification_and_says_the_same(
    name: bytes, password: bytes
) -> None:
    known = Plain(b"wonderland")
    judge = authenticator(User("alice", known))
    assert await judge.judge(attempt(name, password)) == REFUSED
    assert known.asked == [password]


async def test_stranger_who_guesses_the_decoys_password_stays_one() -> None:
    judge = authenticator(User("alice", Plain(b"wonderland")))
    assert judge.users.decoy.verify(b"wonderland")
    assert await judge.judge(attempt(b"bob", b"wonderland")) == REFUSED


async def test_stranger_is_held_against_a_hash_of_the_usual_cost() -> None:
    rare, usual, usual_too = Plain(b"", "dear"), Plain(b""), Plain(b"")
    judge = authenticator(
        User("alice", rare), User("bob", usual), User("carol", usual_too)
    )
    await judge.judge(attempt(b"mallory", b"x"))
    assert (rare.asked, usual.asked, usual_too.asked) == ([], [b"x"], [])


@pytest.mark.parametrize(
    ("authzid", "passes"), [(b"", True), (b"alice", True), (b"bob", False)]
)
async def test_nobody_acts_for_somebody_else(authzid: bytes, passes: bool) -> None:
    known = Plain(b"wonderland")
    judge = authenticator(User("alice", known), User("bob", Plain(b"builder")))
    judgement = await judge.judge(attempt(b"alice", b"wonderland", authzid=authzid))
    if passes:
        route = Route(SHARED, Password(b"alice", b"wonderland"), judged=True)
        assert judgement == route
    else:
        assert judgement == REFUSED
    assert known.asked == [b"wonderland"]


NETWORKS = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))


@pytest.mark.parametrize(
    ("client_address", "passes"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::7", True),
        ("198.51.100.7", False),
        ("::ffff:198.51.100.7", False),
        ("fe80::1%eth0", False),
        ("unix:", False),
        ("", False),
    ],
)
async def test_user_comes_from_the_networks_that_are_named(
    client_address: str, passes: bool
) -> None:
    known = Plain(b"wonderland")
    judge = authenticator(User("alice", known, networks=NETWORKS))
    judgement = await judge.judge(
        attempt(b"alice", b"wonderland", client_address=client_address)
    )
    assert isinstance(judgement, Route) is passes
    assert passes or judgement == REFUSED
    assert known.asked == [b"wonderland"]


async def test_user_without_networks_may_come_by_a_unix_socket() -> None:
    judge = authenticator(User("alice", Plain(b"wonderland")))
    judgement = await judge.judge(
        attempt(b"alice", b"wonderland", client_address="unix:")
    )
    assert isinstance(judgement, Route)


async def test_wrong_protocol_is_refused_like_a_wrong_password() -> None:
    known = Plain(b"wonderland")
    judge = authenticator(User("alice", known, protocols=("imap", "pop3")))
    smtp = attempt(b"alice", b"wonderland", protocol="smtp")
    assert await judge.judge(smtp) == REFUSED
    assert known.asked == [b"wonderland"]


@pytest.mark.parametrize(
    ("address", "upstream"),
    [
        (
            TcpAddress("10.0.0.5", 143),
            Upstream(TcpAddress("10.0.0.5", 143), SHARED.proxy_ssl, SHARED.tls),
        ),
        (
            UnixAddress(Path("/run/imap")),
            Upstream(UnixAddress(Path("/run/imap")), SHARED.proxy_ssl, SHARED.tls),
        ),
        (EmbeddedAddress(), Upstream(EmbeddedAddress())),
    ],
)
async def test_users_own_backend_is_spoken_to_as_the_servers_would_be(
    address: Address, upstream: Upstream
) -> None:
    alice = User("alice", Plain(b"wonderland"), upstreams={"imap": address})
    judgement = await authenticator(alice).judge(attempt(b"alice", b"wonderland"))
    assert isinstance(judgement, Route)
    assert judgement.upstream == upstream


async def test_backend_of_one_protocol_says_nothing_about_the_others() -> None:
    own = TcpAddress("10.0.0.5", 143)
    alice = User("alice", Plain(b"wonderland"), upstreams={"imap": own})
    judge = authenticator(alice, default=None)
    assert await judge.judge(attempt(b"alice", b"wonderland")) == Route(
        Upstream(own), Password(b"alice", b"wonderland"), judged=True
    )
    pop3 = attempt(b"alice", b"wonderland", protocol="pop3")
    assert await judge.judge(pop3) == Rejected(Reason.CONTACTADMIN)


async def test_real_hash_is_verified_beside_the_loop() -> None:
    line = "{SSHA}nu+3cYH7CytBdcuIXjEcp3rETzLqOTuo"
    judge = authenticator(User("alice", parse_hash(line)))
    assert isinstance(await judge.judge(attempt(b"alice", b"wonderland")), Route)
    assert await judge.judge(attempt(b"alice", b"builder")) == REFUSED


async def test_twenty_logins_verify_two_at_a_time() -> None:
    """Each verification waits for another: alone none would end."""
    lock, pair = threading.Lock(), threading.Barrier(2, timeout=5)
    running: list[object] = []
    peak = 0

    def meanwhile() -> None:
        nonlocal peak
        with lock:
            running.append(object())
            peak = max(peak, len(running))
        pair.wait()
        with lock:
            running.pop()

    judge = authenticator(User("alice", Plain(b"wonderland", meanwhile=meanwhile)))
    judgements = []

    async def log_in() -> None:
        judgements.append(await judge.judge(attempt(b"alice", b"wonderland")))

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(log_in)
    assert len(judgements) == 20
    assert peak == 2


async def test_client_that_leaves_is_not_waited_for_but_its_work_is_counted() -> None:
    begun, end = threading.Event(), threading.Event()

    def meanwhile() -> None:
        begun.set()
        end.wait(5)

    judge = authenticator(
        User("alice", Plain(b"wonderland", meanwhile=meanwhile)), at_once=1
    )
    try:
        with trio.fail_after(5):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(judge.judge, attempt(b"alice", b"wonderland"))
                await trio.to_thread.run_sync(begun.wait)
                nursery.cancel_scope.cancel()
        assert judge.limiter.borrowed_tokens == 1
    finally:
        end.set()
    with trio.fail_after(5):
        async with judge.limiter:
            assert judge.limiter.borrowed_tokens == 1


async def test_client_that_leaves_the_queue_costs_nothing() -> None:
    known = Plain(b"wonderland")
    judge = authenticator(User("alice", known), at_once=1)
    async with judge.limiter:
        with trio.move_on_after(0):
            await judge.judge(attempt(b"alice", b"wonderland"))
    assert known.asked == []
    assert judge.limiter.borrowed_tokens == 0
