"""One client's life, from greeting to goodbye, with a backend that is played."""

import re
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from re import fullmatch
from socket import socket, socketpair
from typing import TypeAlias

import pytest
import trio
from attrs import Factory, define
from trio.testing import MockClock

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.route import Authenticator, Judgement, LoginAttempt, Route
from mailssl_trio.client_life import ClientLife
from mailssl_trio.gateway import Gateway
from mailssl_trio.observer import (
    Admitted,
    Crashed,
    Ended,
    Happening,
    JudgeFailed,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
    Unnamed,
    UpstreamFailed,
)
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.sasl import decode, encode
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.server import contained
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.transport.address import EmbeddedAddress, TcpAddress
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.secure import HandshakeError, TlsLayer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from mailssl_trio.transport.wire import Wire
from mailssl_trio.visits import Visit
from tests.sleeping import to_the_end
from tests.tls_pair import NAME, authority, client_side, server_side, server_tls
from tests.wire_pair import wire_pair

TIMEOUTS = Timeouts(session=60, connect=10, relay=3600, linger=5, close=2)

Backend: TypeAlias = Callable[[Wire], Awaitable[None]]


@define
class Told:
    """An observer that remembers what it was told."""

    events: list[str] = Factory(list)
    details: list[str] = Factory(list)

    def tell(self, subject: Subject, happening: Happening) -> None:
        self.events.append(self._event(subject, happening))
        match happening:
            case ProxyRefused(detail, seen) if seen is not None:
                self.details.append(f"{detail}: {seen!r}")
            case (
                Ended(_, detail)
                | ProxyRefused(detail)
                | JudgeFailed(detail)
                | Unnamed(detail)
                | UpstreamFailed(detail)
            ) if detail:
                self.details.append(detail)

    def _event(self, subject: Subject, happening: Happening) -> str:
        match happening:
            case Ended(reason):
                return f"closed {reason.name}"
            case LoginFailed(rejected):
                return f"rejected {rejected.reason.name}"
            case Admitted():
                return f"logged in {subject.login.decode()}"
            case Relayed(outcome, up, down):
                return f"relayed {outcome} {up} {down}"
            case Crashed(bug):
                return f"crashed {bug!r}"
            case _:  # ProxyRefused: "proxy refused"
                name = type(happening).__name__
                return re.sub(r"\B[A-Z]", r" \g<0>", name).lower()


@define
class House:
    """A gateway whose only backend is a function."""

    backend: Backend
    proxy_ssl: ProxySsl = ProxySsl.OFF
    judge: Authenticator | None = None
    told: Told = Factory(Told)
    tls: ServerTls = Factory(lambda: server_tls("pop3"))
    drain: Drain = Factory(Drain)
    dialer: Dialer = Factory(
        lambda house: Dialer("pop3", "gw", TIMEOUTS, client_side(), house.dial),
        takes_self=True,
    )
    backends: trio.Nursery | None = None
    pass_error_message: bool = False
    policy: Policy = Factory(Policy)

    async def dial(self, protocol: str) -> socket:
        assert self.backends is not None
        ours, theirs = socketpair()
        self.backends.start_soon(self.backend, Wire(theirs, 2))
        return ours

    async def serve(self, stream: Wire, *, implicit_tls: bool = False) -> None:
        upstream = Upstream(
            EmbeddedAddress(), self.proxy_ssl, BackendTlsPolicy(name=NAME)
        )
        async with trio.open_nursery() as self.backends:
            gateway = Gateway(
                "pop3",
                self.policy,
                self.tls,
                self.judge or BackendAuthenticator(upstream),
                self.dialer,
                TIMEOUTS,
                self.told,
                pass_error_message=self.pass_error_message,
            )
            subject = Subject(1, "pop3", "192.0.2.1", 50_000, "198.51.100.1:110")
            life = ClientLife(
                gateway,
                stream,
                self.drain,
                Visit(subject),
                self.backends.start_soon,
                implicit_tls=implicit_tls,
            )
            session = None
            try:
                with contained(lambda bug: self.told.tell(subject, Crashed(bug))):
                    session = await life.live()
                    if session is not None:
                        await to_the_end(session)
                    return
                await life.apologise()
            finally:
                await (life if session is None else session).close()


def lines(*script: bytes, then: bytes = b"") -> Backend:
    """A backend that says a line for each it hears, and one before the first."""

    async def backend(stream: Wire) -> None:
        async with stream:
            for line in script:
                await stream.send_all(line + b"\r\n")
                heard = b""
                while not heard.endswith(b"\r\n"):
                    if not (data := await stream.receive_some(1)):
                        return
                    heard += data
            await stream.send_all(then)

    return backend


GOOD = lines(b"+OK hi", b"-ERR no CAPA", b"+OK", b"+OK in", then=b"+OK bye\r\n")
REFUSING = lines(b"+OK hi", b"-ERR no CAPA", b"+OK", b"-ERR [AUTH] wrong")


async def rest(stream: trio.abc.Stream) -> bytes:
    received = b""
    while data := bytes(await stream.receive_some()):
        received += data
    return received


async def talk(house: House, *said: bytes) -> bytes:
    """Say all of it at once, half-close, and return all that is answered."""
    client, ours = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await client.send_all(b"".join(line + b"\r\n" for line in said))
        await client.send_eof()
        return await rest(client)


async def test_login_is_relayed_with_what_was_pipelined_behind_it(
    autojump_clock: MockClock,
) -> None:
    house = House(GOOD)
    assert await talk(house, b"USER joe", b"PASS x", b"QUIT") == (
        b"+OK POP3 ready\r\n+OK send PASS\r\n+OK in\r\n+OK bye\r\n"
    )
    assert house.told.events == [
        "connected", "logged in joe", "relayed finished 6 9",
    ]  # fmt: skip


async def test_each_wrong_password_waits_longer_than_the_one_before(
    autojump_clock: MockClock,
) -> None:
    house = House(REFUSING)
    answer = await talk(house, *[b"USER joe", b"PASS x"] * 5, b"NOOP")
    assert answer.count(b"-ERR [AUTH] authentication failed") == 5
    assert house.told.events[-1] == "closed TOO_MANY_ERRORS"
    assert 0.25 + 0.5 + 1 + 2 + 4 <= trio.current_time() < 12


JOE = Password(b"joe", b"secret")


async def test_refusal_of_a_user_whom_we_know_is_not_the_users_fault(
    autojump_clock: MockClock,
) -> None:
    class KnowsEverybody:
        async def judge(self, attempt: LoginAttempt) -> Judgement:
            return Route(Upstream(EmbeddedAddress()), JOE, judged=True)

    house = House(REFUSING, judge=KnowsEverybody())
    answer = await talk(house, b"USER joe", b"PASS secret", b"QUIT")
    assert b"-ERR [SYS/TEMP] temporary authentication failure\r\n" in answer
    assert house.told.details == ['upstream refused the login: "-ERR [AUTH] wrong"']


@pytest.mark.parametrize("judged", [False, True])
@pytest.mark.parametrize(
    ("backend", "heard"),
    [
        (REFUSING, b"-ERR [AUTH] wrong\r\n"),
        (lines(b"-ERR too busy"), b"-ERR too busy\r\n"),
        (lines(b"what"), b"-ERR [SYS/TEMP] temporary authentication failure\r\n"),
    ],
)
async def test_refusal_is_passed_on_in_the_backends_words_where_that_is_wanted(
    backend: Backend, heard: bytes, judged: bool, autojump_clock: MockClock
) -> None:
    class Judge:
        async def judge(self, attempt: LoginAttempt) -> Judgement:
            return Route(Upstream(EmbeddedAddress()), JOE, judged=judged)

    house = House(backend, judge=Judge(), pass_error_message=True)
    answer = await talk(house, b"USER joe", b"PASS secret", b"QUIT")
    assert answer == b"+OK POP3 ready\r\n+OK send PASS\r\n" + heard + b"+OK bye\r\n"


async def hang(stream: Wire) -> None:
    async with stream:
        await rest(stream)


async def stay(stream: Wire) -> None:
    """Say nothing, and do not even close when we do."""
    async with stream:
        await trio.sleep(1000)


async def hang_behind_the_greeting(stream: Wire) -> None:
    await stream.send_all(b"+OK hi\r\n")
    await hang(stream)


async def leave(stream: Wire) -> None:
    await stream.aclose()


@pytest.mark.parametrize(
    ("backend", "detail"),
    [
        (hang, "upstream timed out (110: Connection timed out)"),
        (hang_behind_the_greeting, "upstream timed out (110: Connection timed out)"),
        (leave, "upstream peer closed connection"),
        (lines(b"-ERR go away"), 'upstream sent invalid response: "-ERR go away"'),
        (lines(b"\xff\x00"), 'upstream sent invalid response: "'),
    ],
)
async def test_backend_that_fails_costs_its_client_a_temporary_refusal(
    backend: Backend, detail: str, autojump_clock: MockClock
) -> None:
    house = House(backend)
    answer = await talk(house, b"USER joe", b"PASS x", b"QUIT")
    assert answer.endswith(
        b"-ERR [SYS/TEMP] temporary authentication failure\r\n+OK bye\r\n"
    )
    assert house.told.details[0].startswith(detail)
    assert trio.current_time() < 65


@pytest.mark.parametrize("proxy_ssl", ProxySsl)
async def test_hanging_backend_is_answered_for_when_its_time_is_over(
    proxy_ssl: ProxySsl, autojump_clock: MockClock
) -> None:
    house, (client, ours) = House(stay, proxy_ssl), wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.serve, ours)
        await client.send_all(b"USER joe\r\nPASS x\r\n")
        heard = b""
        while b"[SYS/TEMP]" not in heard:
            heard += bytes(await client.receive_some())
        assert trio.current_time() == pytest.approx(TIMEOUTS.session)
        nursery.cancel_scope.cancel()


async def test_backend_that_is_not_there(autojump_clock: MockClock) -> None:
    class SendsThemNowhere:
        async def judge(self, attempt: LoginAttempt) -> Judgement:
            nowhere = Upstream(TcpAddress("127.0.0.1", 1))
            return Route(nowhere, JOE, judged=True)

    house = House(GOOD, judge=SendsThemNowhere())
    answer = await talk(house, b"USER joe", b"PASS x", b"QUIT")
    assert b"[SYS/TEMP]" in answer
    assert house.told.details[0].startswith("connect() to 127.0.0.1:1 failed")


@pytest.mark.parametrize(
    "proxy_ssl", [ProxySsl.ON, ProxySsl.STARTTLS], ids=["implicit", "starttls"]
)
async def test_backend_with_a_wrong_certificate_sees_no_credential(
    proxy_ssl: ProxySsl, autojump_clock: MockClock
) -> None:
    heard = b""

    async def impostor(stream: Wire) -> None:
        nonlocal heard
        try:
            if proxy_ssl is ProxySsl.STARTTLS:
                await stream.send_all(b"+OK hi\r\n")
                assert await stream.receive_some() == b"STLS\r\n"
                await stream.send_all(b"+OK\r\n")
            secured = trio.SSLStream(stream, wrong_name(), server_side=True)
            await secured.send_all(b"+OK hi\r\n")
            heard = bytes(await secured.receive_some())
        except trio.BrokenResourceError:
            return
        finally:
            await trio.aclose_forcefully(stream)

    house = House(impostor, proxy_ssl)
    answer = await talk(house, b"USER joe", b"PASS secret", b"QUIT")
    assert b"[SYS/TEMP]" in answer
    assert heard == b""
    assert "certificate verify failed" in house.told.details[0]


def wrong_name() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("elsewhere.example.org").configure_cert(context)
    return context


@pytest.mark.parametrize(
    "proxy_ssl", [ProxySsl.ON, ProxySsl.STARTTLS], ids=["implicit", "starttls"]
)
async def test_backend_is_logged_in_to_through_tls(
    proxy_ssl: ProxySsl, autojump_clock: MockClock
) -> None:
    async def backend(stream: Wire) -> None:
        if proxy_ssl is ProxySsl.STARTTLS:
            await stream.send_all(b"+OK hi\r\n")
            assert await stream.receive_some() == b"STLS\r\n"
            await stream.send_all(b"+OK\r\n")
        secured = trio.SSLStream(stream, server_side(), server_side=True)
        if proxy_ssl is ProxySsl.ON:
            await secured.send_all(b"+OK hi\r\n")
        assert bytes(await secured.receive_some()) == b"CAPA\r\n"
        await secured.send_all(b"+OK\r\nSASL PLAIN\r\n.\r\n")
        assert bytes(await secured.receive_some()) == b"AUTH PLAIN AGpvZQB4\r\n"
        await secured.send_all(b"+OK in\r\n")
        assert bytes(await secured.receive_some()) == b"QUIT\r\n"
        await secured.send_all(b"+OK bye\r\n")
        await secured.aclose()

    answer = await talk(House(backend, proxy_ssl), b"USER joe", b"PASS x", b"QUIT")
    assert answer.endswith(b"+OK in\r\n+OK bye\r\n")


async def test_backend_that_misses_our_certificate_is_quoted(
    autojump_clock: MockClock,
) -> None:
    """In TLS 1.3 it says so behind a handshake that we have taken for good."""

    async def backend(stream: Wire) -> None:
        with pytest.raises(HandshakeError):
            await TlsLayer(insisting()).upgrade(stream)
        await trio.aclose_forcefully(stream)

    house = House(backend, ProxySsl.ON)
    answer = await talk(house, b"USER joe", b"PASS x", b"QUIT")
    assert b"[SYS/TEMP]" in answer
    assert house.told.details == [
        "upstream peer closed connection: tlsv13 alert certificate required"
    ]


def insisting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(NAME).configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_next_login_resumes_the_tls_session_of_the_one_before(
    autojump_clock: MockClock,
) -> None:
    resumed: list[bool] = []

    async def backend(stream: Wire) -> None:
        secured = trio.SSLStream(stream, server_side(), server_side=True)
        for answer in (b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"+OK in\r\n"):
            await secured.send_all(answer)
            await secured.receive_some()
        resumed.append(bool(secured.session_reused))
        await secured.aclose()

    house = House(backend, ProxySsl.ON)
    for _ in range(2):
        assert b"+OK in\r\n" in await talk(house, b"USER joe", b"PASS x", b"QUIT")
    assert resumed == [False, True]


async def test_plaintext_behind_the_go_ahead_of_a_backend_is_not_believed(
    autojump_clock: MockClock,
) -> None:
    """CVE-2021-22947: the rest of the dialogue, injected before the handshake."""
    heard = b""

    async def injecting(stream: Wire) -> None:
        nonlocal heard
        async with stream:
            await stream.send_all(b"+OK hi\r\n")
            await stream.receive_some()
            await stream.send_all(b"+OK\r\n+OK\r\n+OK in\r\n")
            heard = await rest(stream)

    house = House(injecting, ProxySsl.STARTTLS)
    answer = await talk(house, b"USER joe", b"PASS secret", b"QUIT")
    assert b"[SYS/TEMP]" in answer
    assert heard == b""
    assert house.told.details == ["upstream sent plaintext behind STARTTLS"]


async def test_bug_ends_its_own_connection_with_an_apology(
    autojump_clock: MockClock,
) -> None:
    class Buggy:
        async def judge(self, attempt: LoginAttempt) -> Judgement:
            raise ZeroDivisionError

    house = House(GOOD, judge=Buggy())
    answer = await talk(house, b"USER joe", b"PASS x")
    assert answer.endswith(b"-ERR [SYS/TEMP] internal server error\r\n")
    assert "ZeroDivisionError" in house.told.events[-2]
    assert house.told.events[-1] == "closed INTERNAL_ERROR"


async def test_client_that_leaves_takes_its_login_with_it(
    autojump_clock: MockClock,
) -> None:
    gone = trio.Event()

    async def slow(stream: Wire) -> None:
        async with stream:
            assert await rest(stream) == b""
        gone.set()

    house = House(slow)
    await talk(house, b"USER joe", b"PASS x")
    assert gone.is_set()
    assert house.told.events == ["connected", "closed PEER_GONE"]
    assert trio.current_time() < 1


async def test_who_judges_logins_knows_what_the_handshake_agreed_on(
    autojump_clock: MockClock,
) -> None:
    attempts: list[LoginAttempt] = []

    class Remembers:
        async def judge(self, attempt: LoginAttempt) -> Judgement:
            attempts.append(attempt)
            return Rejected(Reason.UNAVAILABLE)

    client, ours = wire_pair()
    house = House(GOOD, judge=Remembers())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(house.serve, ours, implicit_tls=True))
        secured = trio.SSLStream(client, client_side(), server_hostname=NAME)
        await secured.send_all(b"USER joe\r\nPASS x\r\nQUIT\r\n")
        await rest(secured)
    assert [attempt.tls for attempt in attempts] == [
        TlsInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", server_name=NAME)
    ]


async def test_truncated_backend_is_not_made_to_look_complete(
    autojump_clock: MockClock,
) -> None:
    async def dying(stream: Wire) -> None:
        secured = trio.SSLStream(stream, server_side(), server_side=True)
        for answer in (b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"+OK\r\nhalf a li"):
            await secured.send_all(answer)
            await secured.receive_some()
        await trio.aclose_forcefully(stream)

    client, ours = wire_pair()
    house = House(dying, ProxySsl.ON)
    async with trio.open_nursery() as nursery:
        serving = trio.Event()

        async def serve() -> None:
            await house.serve(ours, implicit_tls=True)
            serving.set()

        nursery.start_soon(serve)
        secured = trio.SSLStream(client, client_side(), server_hostname=NAME)
        await secured.send_all(b"USER joe\r\nPASS x\r\nRETR 1\r\n")
        heard = b""
        with suppress(trio.BrokenResourceError):
            while data := bytes(await secured.receive_some()):
                heard += data
            pytest.fail("a close_notify behind half a line")
        await serving.wait()
    assert heard.endswith(b"+OK\r\nhalf a li")
    assert house.told.events[-1].startswith("relayed connection lost")


async def test_what_a_backend_says_of_a_token_reaches_its_client(
    autojump_clock: MockClock,
) -> None:
    """RFC 7628 section 3.2.2, through both of our sessions."""
    failure = encode(b'{"status":"invalid_token"}')
    refusing = lines(
        b"+OK hi",
        b"+OK\r\nSASL XOAUTH2\r\n.",
        b"+ " + failure,
        b"-ERR [AUTH] no such token",
    )
    house = House(refusing, policy=Policy(mechanisms=("XOAUTH2",)))
    message = encode(b"user=joe\x01auth=Bearer t0ken\x01\x01")
    assert await talk(house, b"AUTH XOAUTH2 " + message, b"AQ==", b"QUIT") == (
        b"+OK POP3 ready\r\n+ "
        + failure
        + b"\r\n-ERR [AUTH] authentication failed\r\n+OK bye\r\n"
    )
    assert house.told.events[1] == "rejected AUTHENTICATIONFAILED"


async def test_no_two_clients_are_given_the_same_challenges(
    autojump_clock: MockClock,
) -> None:
    policy = Policy("mx", mechanisms=("CRAM-MD5",), apop=True)
    challenges: set[bytes] = set()
    for _ in range(2):
        said = await talk(House(GOOD, policy=policy), b"AUTH CRAM-MD5", b"*", b"QUIT")
        greeting, challenge, *_ = said.splitlines()
        challenges |= {greeting.split()[-1], decode(challenge.removeprefix(b"+ "))}
    assert len(challenges) == 4
    assert all(fullmatch(rb"<[0-9]+[.][0-9]+@mx>", each) for each in challenges)
