"""Where nobody is judged but by the backend."""

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.route import LoginAttempt, Route
from mailssl_trio.protocol.credentials import Password
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.transport.address import TcpAddress
from mailssl_trio.transport.upstream import Upstream


async def test_everybody_is_sent_to_the_backend_unjudged() -> None:
    upstream = Upstream(TcpAddress("backend", 143))
    credentials = Password(b"anybody", b"anything", authzid=b"somebody")
    attempt = LoginAttempt(credentials, "imap", Introduction("192.0.2.7"), tls=None)
    judgement = await BackendAuthenticator(upstream).judge(attempt)
    assert judgement == Route(upstream, credentials, judged=False)
