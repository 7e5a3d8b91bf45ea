"""A backend that asks who we are is shown ``proxy_ssl_certificate``."""

import ssl
from pathlib import Path
from socket import socket, socketpair

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import Closed, Event, LoggedIn
from mailssl_trio.tls.context import client_context
from mailssl_trio.tls.policy import BackendTlsPolicy, Inline, Pair
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import NAME, authority

JOE = Password(b"joe", b"x")
TIMEOUTS = Timeouts(session=60, connect=10, linger=5, close=2)
US = "gw@example.org"


class Backend:
    """Lets in nobody who has no certificate, and remembers who came."""

    def __init__(self, version: ssl.TLSVersion) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert(NAME).configure_cert(self.context)
        authority().configure_trust(self.context)
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.minimum_version = self.context.maximum_version = version
        self.met: list[tuple[str, bool]] = []

    async def serve(self, stream: Wire) -> None:
        secured = trio.SSLStream(stream, self.context, server_side=True)
        try:
            await secured.do_handshake()
            shown = secured.getpeercert()["subjectAltName"]
            self.met.append((shown[0][1], secured.session_reused))
            for answer in (b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"+OK in\r\n"):
                await secured.send_all(answer)
                await secured.receive_some()
            await secured.aclose()
        except trio.BrokenResourceError:
            await trio.aclose_forcefully(stream)


async def log_in(backend: Backend, policy: BackendTlsPolicy, times: int) -> list[Event]:
    events = []
    async with trio.open_nursery() as nursery:

        async def dial(protocol: str) -> socket:
            ours, theirs = socketpair()
            nursery.start_soon(backend.serve, Wire(theirs, 2))
            return ours

        dialer = Dialer("pop3", "gw", TIMEOUTS, client_context(policy), dial)
        upstream = Upstream(EmbeddedAddress(), ProxySsl.ON, policy)
        for _ in range(times):
            connection = await dialer.open(upstream, JOE)
            events.append(await connection.next_event())
            dialer.keep_session(upstream, connection)
            await connection.close()
    return events


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return tmp_path / "ca.pem"


both_versions = pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name
)


@both_versions
async def test_backend_sees_who_we_are_and_resumes_us_as_the_same(
    version: ssl.TLSVersion, ca: Path, autojump_clock: MockClock
) -> None:
    ours = authority().issue_cert(US)
    pair = Pair(
        Inline(ours.cert_chain_pems[0].bytes().decode()),
        Inline(ours.private_key_pem.bytes().decode()),
    )
    policy = BackendTlsPolicy(trusted_certificate=ca, name=NAME, pair=pair)
    backend = Backend(version)
    events = await log_in(backend, policy, times=2)
    assert all(isinstance(event, LoggedIn) for event in events)
    assert backend.met == [(US, False), (US, True)]


@both_versions
async def test_backend_that_insists_is_not_logged_in_to_without(
    version: ssl.TLSVersion, ca: Path, autojump_clock: MockClock
) -> None:
    policy = BackendTlsPolicy(trusted_certificate=ca, name=NAME)
    backend = Backend(version)
    (event,) = await log_in(backend, policy, times=1)
    assert isinstance(event, Closed)
    assert backend.met == []
