"""An SMTP client is greeted when DNS has been asked for its name, not before."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import socket

import pytest
import trio
from attrs import Factory, define

from mailssl_trio import visits
from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.client_life import ClientLife
from mailssl_trio.gateway import Gateway
from mailssl_trio.observer import Subject
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.client_names import ClientNames
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.resolver import Resolver
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.test_gateway import Told
from tests.transport.dns_server import SILENCE, DnsServer, dns_server
from tests.transport.test_client_names import CLIENT, PTR, a, ptr
from tests.wire_pair import wire_pair

UPSTREAM = Upstream(EmbeddedAddress(), ProxySsl.OFF, BackendTlsPolicy())


async def nobody(protocol: str) -> socket:
    raise OSError("nobody logs in here")


@define
class Visit:
    """A client that hears what comes, and what is known of it."""

    stream: trio.abc.Stream
    subject: Subject
    drain: Drain = Factory(Drain)
    told: Told = Factory(Told)

    async def heard(self) -> bytes:
        with trio.fail_after(5):
            return bytes(await self.stream.receive_some())


@asynccontextmanager
async def visit(
    server: DnsServer, session: float, lookup: float
) -> AsyncIterator[Visit]:
    """Come to an SMTP server that asks this DNS server."""
    ours, theirs = wire_pair()
    it = Visit(ours, Subject(1, "smtp", CLIENT, 50_000, "198.51.100.1:25"))
    timeouts = Timeouts(session=session, connect=5, relay=5, linger=1, close=1)
    gateway = Gateway(
        "smtp",
        Policy(server_name="mx.here"),
        None,
        BackendAuthenticator(UPSTREAM),
        Dialer("smtp", "mx.here", timeouts, None, nobody),
        timeouts,
        it.told,
        names=ClientNames(Resolver((("127.0.0.1", server.port),), timeout=lookup)),
    )
    async with trio.open_nursery() as nursery:
        life = ClientLife(
            gateway,
            theirs,
            it.drain,
            visits.Visit(it.subject),
            nursery.start_soon,
            implicit_tls=False,
        )
        nursery.start_soon(_live, life.live, life.close)
        yield it
        await ours.aclose()


async def _live(
    live: Callable[[], Awaitable[object]], close: Callable[[], Awaitable[None]]
) -> None:
    try:
        await live()
    finally:
        await close()


async def test_name_is_known_when_the_greeting_comes() -> None:
    records = {PTR: ptr("mx.example."), "mx.example. A": a(CLIENT)}
    async with dns_server(records) as server, visit(server, 5, 5) as it:
        assert (await it.heard()).startswith(b"220 mx.here")
        assert it.subject.client_host == "mx.example"
        assert it.told.details == []


async def test_client_without_a_name_is_greeted_and_the_log_says_why() -> None:
    async with dns_server({}) as server, visit(server, 5, 5) as it:
        assert (await it.heard()).startswith(b"220 mx.here")
        assert it.subject.client_host == "[UNAVAILABLE]"
        assert it.subject.action == "in resolving client address"
    assert it.told.details == [f"{CLIENT} could not be resolved (3: Host not found)"]


async def test_silent_resolver_costs_no_more_than_its_timeout() -> None:
    async with dns_server({PTR: SILENCE}) as server, visit(server, 5, 0.2) as it:
        assert (await it.heard()).startswith(b"220 mx.here")
        assert it.subject.client_host == "[TEMPUNAVAIL]"


@pytest.mark.parametrize(
    ("ends_by", "code"), [("its time", b"421"), ("a stop", b"421")]
)
async def test_nobody_waits_for_dns_beyond_its_time_or_a_stop(
    ends_by: str, code: bytes
) -> None:
    session = 0.2 if ends_by == "its time" else 60.0
    async with dns_server({PTR: SILENCE}) as server, visit(server, session, 30) as it:
        with trio.fail_after(5):
            await server.was_asked.wait()
        if ends_by == "a stop":
            it.drain.begin()
        heard = await it.heard()
        while (more := await it.heard()) != b"":
            heard += more
    assert code in heard
    assert it.subject.client_host == "[TEMPUNAVAIL]"
