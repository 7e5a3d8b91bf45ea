"""How long a session lives: OpenSSL keeps its own clock, so these tests wait.

``ssl_session_timeout``: "the time during which the client can repeatedly use the
parameters of the session". It counts from the first handshake.
"""

import time
from ssl import SSLContext, SSLSession

import pytest
from attrs import evolve, frozen
from trustme import CA

from mailssl_trio.files import Files
from mailssl_trio.tls.policy import SessionCache, TlsPolicy
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.resumption import Sessions
from mailssl_trio.tls.sessions.session_cache import BuiltinCache
from mailssl_trio.tls.sessions.ticket_keys import TicketKey, TicketKeys
from tests.tls.clients import client
from tests.tls.handshake import Secured, shake_hands

pytestmark = pytest.mark.process

TIMEOUT = 3


def key(letter: bytes, size: int = 80) -> TicketKey:
    return TicketKey.parse(letter * size)


@frozen
class Way:
    """One way of resuming, as far as it matters to a session's life."""

    version: str
    tickets: bool

    def __str__(self) -> str:
        return f"{self.version} by {'ticket' if self.tickets else 'cache'}"


WAYS = [Way(version, by) for version in ("TLSv1.2", "TLSv1.3") for by in (False, True)]


def server(policy: TlsPolicy, way: Way, sessions: Sessions) -> ServerTls:
    policy = evolve(
        policy,
        protocols=(way.version,),
        session_timeout=TIMEOUT,
        session_tickets=way.tickets,
        session_cache=SessionCache(builtin=10),
    )
    return ServerTls(policy, "imap", Files(), sessions)


def sessions(way: Way) -> Sessions:
    keys = TicketKeys((key(b"a"),)) if way.tickets else None
    return Sessions(BuiltinCache(10), keys)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_session_cannot_prolong_itself_by_being_resumed(
    way: Way, policy: TlsPolicy, ca: CA
) -> None:
    ours, visitor = server(policy, way, sessions(way)), client(ca, way.version)
    began = time.time()
    session = connect(ours, visitor).client.session
    resumed: list[float] = []
    while time.time() - began < 2 * TIMEOUT + 1:
        time.sleep(0.5)
        outcome = connect(ours, visitor, session)
        if not outcome.server.session_reused:
            break
        session = outcome.client.session or session
        resumed.append(time.time() - began)
    assert len(resumed) >= 2 * (TIMEOUT - 1)
    assert max(resumed) <= TIMEOUT + 1  # OpenSSL counts in whole seconds


def connect(
    ours: ServerTls, visitor: SSLContext, session: SSLSession | None = None
) -> Secured:
    outcome = shake_hands(ours.context, visitor, session=session)
    assert isinstance(outcome, Secured)
    return outcome


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_a_client_is_told_is_what_is_left(
    way: Way, policy: TlsPolicy, ca: CA
) -> None:
    ours, visitor = server(policy, way, sessions(way)), client(ca, way.version)
    time.sleep(1.1 - time.time() % 1)  # OpenSSL counts whole seconds, a bit late
    first = connect(ours, visitor).client.session
    assert first is not None
    hints = [first.ticket_lifetime_hint]
    time.sleep(1.1)
    again = connect(ours, visitor, first).client.session
    assert again is not None
    hints.append(again.ticket_lifetime_hint)
    if way.version == "TLSv1.3":
        assert hints == [TIMEOUT, TIMEOUT - 1]
    else:  # RFC 5077 section 5.6: 0 is "unspecified", and there is one ticket only
        assert hints == ([TIMEOUT, TIMEOUT] if way.tickets else [0, 0])
