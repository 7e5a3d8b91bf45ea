"""Tickets: by which key they are encrypted, and by which they are still read."""

from ssl import SSLContext, SSLSession

import pytest
from attrs import evolve
from trustme import CA

from mailssl_trio.files import Files
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.resumption import Sessions
from mailssl_trio.tls.sessions.ticket_keys import TicketKey, TicketKeys
from tests.tls.clients import client
from tests.tls.handshake import Secured, shake_hands


def key(letter: bytes, size: int = 80) -> TicketKey:
    return TicketKey.parse(letter * size)


def server(policy: TlsPolicy, version: str, keys: TicketKeys) -> ServerTls:
    policy = evolve(policy, protocols=(version,), session_tickets=True)
    return ServerTls(policy, "imap", Files(), Sessions(None, keys))


def connect(
    ours: ServerTls, visitor: SSLContext, session: SSLSession | None = None
) -> Secured:
    outcome = shake_hands(ours.context, visitor, session=session)
    assert isinstance(outcome, Secured)
    return outcome


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("size", [48, 80])
def test_tickets_of_an_older_key_resume_and_are_renewed(
    version: str, size: int, policy: TlsPolicy, ca: CA
) -> None:
    keys = TicketKeys((key(b"a", size),))
    ours = server(policy, version, keys)
    visitor = client(ca, version)
    session = connect(ours, visitor).client.session
    keys.replace((key(b"b", size), key(b"a", size)))
    renewed = connect(ours, visitor, session)
    assert renewed.server.session_reused
    keys.replace((key(b"b", size),))
    assert not connect(ours, visitor, session).server.session_reused
    newer = connect(ours, visitor, renewed.client.session)
    assert newer.server.session_reused


def test_nodes_with_the_same_key_files_resume_each_others_sessions(
    policy: TlsPolicy, ca: CA
) -> None:
    visitor = client(ca)
    one, other = (server(policy, "TLSv1.3", TicketKeys((key(b"a"),))) for _ in range(2))
    session = connect(one, visitor).client.session
    assert connect(other, visitor, session).server.session_reused


def test_a_ticket_that_was_tampered_with_costs_a_full_handshake(
    policy: TlsPolicy, ca: CA
) -> None:
    """Another secret behind the same name stands for octets that were changed."""
    visitor, keys = client(ca), TicketKeys((key(b"a"),))
    ours = server(policy, "TLSv1.3", keys)
    session = connect(ours, visitor).client.session
    keys.replace((evolve(key(b"a"), hmac=b"b" * 32),))
    assert not connect(ours, visitor, session).server.session_reused
