"""A backend's TLS session is resumed by the next login, and by nobody else's."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import socket, socketpair

import pytest
import trio
from attrs import Factory, define
from trio.testing import MockClock

from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import Closed, Event, LoggedIn, Refused
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.backend_sessions import (
    LIFETIME,
    Backend,
    BackendSessions,
)
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import NAME, authority

JOE = Password(b"joe", b"x")
TIMEOUTS = Timeouts(session=60, connect=10, linger=5, close=2)

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def server_side(version: ssl.TLSVersion, *, tickets: bool = True) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(NAME, "other.example.org").configure_cert(context)
    context.minimum_version = context.maximum_version = version
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


def client_side() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@define
class Pop3Backend:
    """Speaks real TLS, lets everybody in, and tells who came with a session."""

    context: ssl.SSLContext
    proxy_ssl: ProxySsl = ProxySsl.ON
    answer: bytes = b"+OK in\r\n"
    """What it says to a login."""
    fails: bool = False
    """Whether it breaks the handshake off."""
    resumed: list[bool] = Factory(list)

    async def serve(self, stream: Wire) -> None:
        if self.fails:
            return await stream.aclose()
        if self.proxy_ssl is ProxySsl.STARTTLS:
            await stream.send_all(b"+OK hi\r\n")
            await self._hear(stream)
            await stream.send_all(b"+OK\r\n")
        secured = trio.SSLStream(stream, self.context, server_side=True)
        try:
            await secured.do_handshake()
            self.resumed.append(bool(secured.session_reused))
            if self.proxy_ssl is ProxySsl.ON:
                await secured.send_all(b"+OK hi\r\n")
            for answer in (b"+OK\r\nSASL PLAIN\r\n.\r\n", self.answer):
                await self._hear(secured)
                await secured.send_all(answer)
            await secured.receive_some()
            await secured.aclose()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)

    @staticmethod
    async def _hear(stream: trio.abc.Stream) -> None:
        while bytes(await stream.receive_some(1)) not in {b"\n", b""}:
            pass


@define
class House:
    """One virtual server's way to one backend."""

    dialer: Dialer
    backend: Pop3Backend
    session_reuse: bool = True

    async def log_in(self, name: str = NAME) -> Event:
        """Log in and take leave."""
        event, connection = await self.begin(name)
        await connection.close()
        return event

    async def begin(self, name: str = NAME) -> tuple[Event, Connection]:
        """Log in, and stay."""
        policy = BackendTlsPolicy(name=name, session_reuse=self.session_reuse)
        upstream = Upstream(EmbeddedAddress(), self.backend.proxy_ssl, policy)
        connection = await self.dialer.open(upstream, JOE)
        event = await connection.next_event()
        self.dialer.keep_session(upstream, connection)
        return event, connection


@asynccontextmanager
async def house(
    backend: Pop3Backend, client: ssl.SSLContext | None = None
) -> AsyncIterator[House]:
    async with trio.open_nursery() as nursery:

        async def dial(protocol: str) -> socket:
            ours, theirs = socketpair()
            nursery.start_soon(backend.serve, Wire(theirs, 2))
            return ours

        tls = client or client_side()
        yield House(Dialer("pop3", "gw", TIMEOUTS, tls, dial), backend)


@pytest.mark.parametrize("version", [V12, V13], ids=lambda v: v.name)
@pytest.mark.parametrize("tickets", [True, False], ids=["ticket", "id"])
@pytest.mark.parametrize("proxy_ssl", [ProxySsl.ON, ProxySsl.STARTTLS])
async def test_next_login_resumes_the_session_of_the_one_before(
    proxy_ssl: ProxySsl,
    tickets: bool,
    version: ssl.TLSVersion,
    autojump_clock: MockClock,
) -> None:
    backend = Pop3Backend(server_side(version, tickets=tickets), proxy_ssl)
    async with house(backend) as ours:
        for _ in range(3):
            assert isinstance(await ours.log_in(), LoggedIn)
    assert backend.resumed == [False, True, True]


@pytest.mark.parametrize("version", [V12, V13], ids=lambda v: v.name)
async def test_session_reuse_off_resumes_nothing(
    version: ssl.TLSVersion, autojump_clock: MockClock
) -> None:
    backend = Pop3Backend(server_side(version))
    async with house(backend) as ours:
        ours.session_reuse = False
        for _ in range(3):
            await ours.log_in()
    assert backend.resumed == [False, False, False]


async def test_login_that_the_backend_refuses_leaves_a_session_too(
    autojump_clock: MockClock,
) -> None:
    backend = Pop3Backend(server_side(V13), answer=b"-ERR [AUTH] no\r\n")
    async with house(backend) as ours:
        for _ in range(2):
            assert isinstance(await ours.log_in(), Refused)
    assert backend.resumed == [False, True]


async def test_each_name_has_its_own_session(autojump_clock: MockClock) -> None:
    """A certificate was verified by one name only."""
    backend = Pop3Backend(server_side(V13))
    async with house(backend) as ours:
        for name in (NAME, "other.example.org", NAME, "other.example.org"):
            await ours.log_in(name)
    assert backend.resumed == [False, False, True, True]


async def test_session_is_not_resumed_under_another_policy(
    autojump_clock: MockClock,
) -> None:
    backend = Pop3Backend(server_side(V13))
    async with house(backend, client_side()) as ours:
        await ours.log_in()
    async with house(backend, client_side()) as others:
        await others.log_in()
    assert backend.resumed == [False, False]


@pytest.mark.parametrize("version", [V12, V13], ids=lambda v: v.name)
async def test_connection_that_breaks_does_not_spoil_the_session(
    version: ssl.TLSVersion, autojump_clock: MockClock
) -> None:
    backend = Pop3Backend(server_side(version))
    async with house(backend) as ours:
        _, broken = await ours.begin()
        await broken.stream.cut()
        del broken
        await ours.log_in()
        await ours.log_in()
    assert backend.resumed == [False, True, True]


async def test_session_that_the_backend_has_forgotten_is_replaced(
    autojump_clock: MockClock,
) -> None:
    backend = Pop3Backend(server_side(V13))
    async with house(backend) as ours:
        await ours.log_in()
        backend.context = server_side(V13)  # it was started anew
        for _ in range(2):
            assert isinstance(await ours.log_in(), LoggedIn)
    assert backend.resumed == [False, False, True]


async def test_backend_that_sends_no_session_is_offered_none(
    autojump_clock: MockClock,
) -> None:
    context = server_side(V13)
    context.num_tickets = 0
    backend = Pop3Backend(context)
    async with house(backend) as ours:
        await ours.log_in()
        _, connection = await ours.begin()
        await connection.close()
    assert connection.tls is not None
    assert connection.tls.offer is None
    assert backend.resumed == [False, False]


async def test_certificate_must_be_shown_again_after_a_while(
    autojump_clock: MockClock,
) -> None:
    """Each resumption brings a new ticket, but nobody sees a certificate by it."""
    backend = Pop3Backend(server_side(V13))
    async with house(backend) as ours:
        for _ in range(4):
            await ours.log_in()
            await trio.sleep(LIFETIME / 3)
        await ours.log_in()
    assert backend.resumed == [False, True, True, False, True]


async def test_session_that_ended_during_the_login_is_not_prolonged_by_it(
    autojump_clock: MockClock,
) -> None:
    sessions, backend = BackendSessions(), Backend(EmbeddedAddress(), NAME)
    async with house(Pop3Backend(server_side(V13))) as ours:
        _, first = await ours.begin()
        sessions.keep(backend, first.stream)
        _, second = await ours.begin()
        await trio.sleep(LIFETIME)
        sessions.keep(backend, second.stream)
        await first.close()
        await second.close()
    assert ours.backend.resumed == [False, True]
    assert sessions.offer(backend) is None


async def test_backend_that_fails_when_it_should_resume_is_left_alone(
    autojump_clock: MockClock,
) -> None:
    """Else every other login would fail there."""
    backend = Pop3Backend(server_side(V13))
    async with house(backend) as ours:
        await ours.log_in()
        backend.fails = True
        assert isinstance(await ours.log_in(), Closed)
        backend.fails = False
        for _ in range(2):
            assert isinstance(await ours.log_in(), LoggedIn)
        await trio.sleep(LIFETIME)
        for _ in range(2):
            await ours.log_in()
    assert backend.resumed == [False, False, False, False, True]


async def test_backend_that_was_not_dialled_for_longest_is_forgotten_first(
    autojump_clock: MockClock,
) -> None:
    sessions = BackendSessions(capacity=2)
    context = server_side(V12)
    one, two, three = (Backend(EmbeddedAddress(), name) for name in "123")
    async with house(Pop3Backend(context)) as ours:
        _, connection = await ours.begin()
        sessions.keep(one, connection.stream)
        sessions.keep(two, connection.stream)
        assert sessions.offer(one)
        sessions.keep(three, connection.stream)
        await connection.close()
    kept = [sessions.offer(backend) is not None for backend in (one, two, three)]
    assert kept == [True, False, True]
