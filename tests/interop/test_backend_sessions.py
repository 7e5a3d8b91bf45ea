"""Dovecot and Postfix resume the TLS session of our last login."""

import ssl

import pytest

from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.events import LoggedIn
from mailssl_trio.tls.context import client_context
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import parse_address
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.interop.backends import Backends
from tests.interop.people import ALICE

pytestmark = pytest.mark.interop

LOGIN = Password(*ALICE.octets)
PORTS = {"imap": 143, "pop3": 110, "smtp": 587}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("proxy_ssl", [ProxySsl.ON, ProxySsl.STARTTLS])
@pytest.mark.parametrize("protocol", PORTS)
async def test_real_backend_resumes_what_our_last_login_left(
    protocol: str, proxy_ssl: ProxySsl, version: ssl.TLSVersion, backends: Backends
) -> None:
    policy = BackendTlsPolicy(trusted_certificate=backends.pair.ca)
    context = client_context(policy)
    context.minimum_version = context.maximum_version = version
    host = backends.proxy_pass(protocol, proxy_ssl.value)
    upstream = Upstream(parse_address(host, PORTS[protocol]), proxy_ssl, policy)
    dialer = Dialer(protocol, "gw.example.org", Timeouts(close=0.5), context)
    resumed = []
    for _ in range(3):
        connection = await dialer.open(upstream, LOGIN)
        assert isinstance(await connection.next_event(), LoggedIn)
        dialer.keep_session(upstream, connection)
        assert connection.session.tls is not None
        resumed.append(connection.session.tls.resumed)
        await connection.close()
    assert resumed == [False, True, True]
