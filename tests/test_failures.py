"""Why nobody has logged in, as the gateway finds out: one reason for each way."""

import pytest
import trio
from attrs import Factory, define
from trio.testing import MockClock

from mailssl_trio.auth.route import Judgement, LoginAttempt, Route, Undecided
from mailssl_trio.observer import Ended, Happening, JudgeFailed, LoginFailed, Subject
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.failures import OF_A_JUDGE, Failure
from mailssl_trio.protocol.secrets import WITHHELD
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.transport.address import EmbeddedAddress, TcpAddress
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.test_gateway import (
    GOOD,
    REFUSING,
    Backend,
    House,
    Told,
    hang,
    leave,
    lines,
    talk,
)
from tests.wire_pair import wire_pair

BUSY = lines(b"+OK hi", b"-ERR no CAPA", b"+OK", b"-ERR [SYS/TEMP] not now")
NOWHERE = Upstream(TcpAddress("127.0.0.1", 1))
EMBEDDED = Upstream(EmbeddedAddress())


@define
class Why(Told):
    """Remembers why, too."""

    failures: list[tuple[str, Failure]] = Factory(list)
    texts: list[str] = Factory(list)

    def tell(self, subject: Subject, happening: Happening) -> None:
        super().tell(subject, happening)
        match happening:
            case LoginFailed(rejected):
                self.failures.append(("failed", subject.failure))
                self.texts.append(rejected.text)
            case JudgeFailed(detail):
                self.texts.append(detail)
            case Ended():
                self.failures.append(("ended", subject.failure))


@define
class Says:
    """A judge of few words."""

    judgement: Judgement

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        return self.judgement


async def failures(
    backend: Backend = GOOD, *, judgement: Judgement | None = None
) -> list[Failure]:
    """Try to log in once, and quit; return why that failed, at once and at the end."""
    told = Why()
    judge = None if judgement is None else Says(judgement)
    await talk(House(backend, judge=judge, told=told), b"USER joe", b"PASS x", b"QUIT")
    (first, at_once), (then, in_the_end) = told.failures
    assert (first, then) == ("failed", "ended")
    return [at_once, in_the_end]


@pytest.mark.parametrize("reason", Reason)
async def test_judge_that_refuses(reason: Reason, autojump_clock: MockClock) -> None:
    found = await failures(judgement=Rejected(reason, wait=0))
    assert found == [OF_A_JUDGE[reason]] * 2


async def test_judge_that_cannot_be_asked(autojump_clock: MockClock) -> None:
    found = await failures(judgement=Undecided("the auth server sleeps"))
    assert found == [Failure.INTERNAL_FAILURE] * 2


@pytest.mark.parametrize(
    ("backend", "judged", "failure"),
    [
        (REFUSING, False, Failure.AUTH_FAILED),
        (REFUSING, True, Failure.UPSTREAM_AUTH_FAILED),
        (BUSY, False, Failure.UPSTREAM_AUTH_TEMP_FAILED),
        (BUSY, True, Failure.UPSTREAM_AUTH_TEMP_FAILED),
        (hang, False, Failure.UPSTREAM_REMOTE_FAILURE),
        (leave, False, Failure.UPSTREAM_REMOTE_FAILURE),
        (lines(b"-ERR go away"), False, Failure.UPSTREAM_PROTOCOL_FAILURE),
        (lines(b"\xff\x00"), True, Failure.UPSTREAM_PROTOCOL_FAILURE),
    ],
)
async def test_backend_that_will_not(
    backend: Backend, judged: bool, failure: Failure, autojump_clock: MockClock
) -> None:
    route = Route(EMBEDDED, Password(b"joe", b"x"), judged=judged)
    assert await failures(backend, judgement=route) == [failure] * 2


async def test_backend_that_is_not_there(autojump_clock: MockClock) -> None:
    route = Route(NOWHERE, Password(b"joe", b"x"), judged=True)
    found = await failures(judgement=route)
    assert found == [Failure.UPSTREAM_CONNECT_FAILED] * 2


async def test_backend_without_the_tls_that_is_asked_for(
    autojump_clock: MockClock,
) -> None:
    told = Why()
    house = House(lines(b"+OK hi", b"-ERR no STLS"), ProxySsl.STARTTLS, told=told)
    await talk(house, b"USER joe", b"PASS x", b"QUIT")
    assert told.failures[0] == ("failed", Failure.UPSTREAM_PROTOCOL_FAILURE)


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ([b"QUIT"], Failure.NO_ATTEMPTS),
        ([b"AUTH NOVELTY"], Failure.INVALID_MECHANISM),
        ([b"AUTH PLAIN !"], Failure.INVALID_BASE64),
        ([b"AUTH PLAIN", b"*"], Failure.ABORTED_BY_CLIENT),
        ([b"AUTH PLAIN"], Failure.ABORTED_BY_CLIENT),
        ([b"USER joe", b"PASS x", b"AUTH NOVELTY"], Failure.INVALID_MECHANISM),
    ],
)
async def test_what_was_never_judged(
    said: list[bytes], failure: Failure, autojump_clock: MockClock
) -> None:
    told = Why()
    await talk(House(REFUSING, told=told), *said)
    assert told.failures[-1] == ("ended", failure)


async def test_login_before_tls(autojump_clock: MockClock) -> None:
    told = Why()
    house = House(GOOD, told=told, policy=Policy(starttls=StartTlsMode.ONLY))
    await talk(house, b"USER joe", b"QUIT")
    assert told.failures == [("ended", Failure.CLEARTEXT_DISABLED)]


async def test_client_that_leaves_before_the_verdict(autojump_clock: MockClock) -> None:
    told = Why()
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(House(hang, told=told).serve, ours)
        await client.send_all(b"USER joe\r\nPASS x\r\n")
        await trio.sleep(1)
        await client.aclose()
    assert told.events[-1] == f"closed {Goodbye.PEER_GONE.name}"
    assert told.failures == [("ended", Failure.ABORTED_BY_CLIENT)]


@pytest.mark.parametrize(
    "judgement",
    [
        Rejected(Reason.AUTHENTICATIONFAILED, "no Secret99 here", wait=0),
        Rejected(Reason.AUTHENTICATIONFAILED, "no SECRET99 here", wait=0),
        Undecided('auth http server sent invalid server port: "secret99"'),
    ],
)
async def test_judge_that_quotes_the_password_is_not_quoted(
    judgement: Judgement, autojump_clock: MockClock
) -> None:
    told = Why()
    house = House(GOOD, judge=Says(judgement), told=told)
    await talk(house, b"USER joe", b"PASS Secret99", b"QUIT")
    assert told.texts[0] == WITHHELD
