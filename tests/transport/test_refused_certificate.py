"""A client whose certificate is refused is told so in its protocol, and nothing else.

The handshake accepts what it is shown; the judge looks at it afterwards. The client
here is one that does not wait: it logs in right behind its side of the handshake.
"""

import ssl
from functools import cache

import pytest
import trio
from attrs import frozen
from trio.testing import MockClock

from mailssl_trio.client_life import SERVERS
from mailssl_trio.protocol.events import Authenticate, Closed, Event, Goodbye
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.tls.certificates.refusal import CertificateRefusal
from mailssl_trio.transport.connection import Connection
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.secure import TlsLayer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import NAME, authority
from tests.wire_pair import wire_pair

TIMEOUTS = Timeouts(session=60, linger=5, close=2)
REVOKED = "23:certificate revoked"


@cache
def server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(NAME).configure_cert(context)
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


@cache
def client_side(*, with_certificate: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    if with_certificate:
        authority().issue_cert("joe@example.org").configure_cert(context)
    return context


def judge(shown: ssl.SSLSocket) -> CertificateRefusal:
    """Refuse everybody, for what is the matter with them."""
    if shown.getpeercert(binary_form=True) is None:
        return CertificateRefusal(Goodbye.CERTIFICATE_REQUIRED)
    return CertificateRefusal(Goodbye.BAD_CERTIFICATE, REVOKED)


def welcome(shown: ssl.SSLSocket) -> None:
    """Refuse nobody."""


@frozen
class Tongue:
    """What a protocol says here."""

    name: str
    starttls: bytes
    log_in: bytes
    refusal: bytes
    """What stands before nginx's words."""


TONGUES = [
    Tongue("pop3", b"STLS\r\n", b"USER joe\r\nPASS x\r\n", b"-ERR "),
    Tongue("imap", b"a STARTTLS\r\n", b"b LOGIN joe x\r\n", b"* BYE "),
    Tongue("smtp", b"STARTTLS\r\n", b"AUTH PLAIN AGpvZQB4\r\n", b"421 4.7.1 "),
]

every_protocol = pytest.mark.parametrize("tongue", TONGUES, ids=lambda t: t.name)
both_ways = pytest.mark.parametrize(
    "implicit_tls", [True, False], ids=["implicit", "starttls"]
)


class Client:
    """Speaks TLS at once or by STARTTLS, and logs in without waiting."""

    def __init__(self, stream: Wire, tongue: Tongue) -> None:
        self.stream = stream
        self.tongue = tongue

    async def ask_for_tls(self) -> None:
        """Read the greeting, ask, and read the go-ahead."""
        await self._line()
        await self.stream.send_all(self.tongue.starttls)
        await self._line()

    async def log_in(self, *, with_certificate: bool) -> bytes:
        """Shake hands, log in, and return all that is said to it up to a clean end."""
        layer = TlsLayer(
            client_side(with_certificate=with_certificate),
            server_side=False,
            server_hostname=NAME,
        )
        secured = (await layer.upgrade(self.stream)).stream
        await secured.send_all(self.tongue.log_in)
        heard = b""
        while data := bytes(await secured.receive_some()):
            heard += data
        return heard

    async def _line(self) -> None:
        while bytes(await self.stream.receive_some(1)) != b"\n":
            pass


def connection(
    stream: Wire, tongue: Tongue, layer: TlsLayer, *, implicit_tls: bool
) -> Connection:
    policy = Policy(starttls=StartTlsMode.ONLY)
    session = SERVERS[tongue.name](policy, implicit_tls=implicit_tls)
    return Connection(session, stream, layer, TIMEOUTS, Drain())


@every_protocol
@both_ways
@pytest.mark.parametrize(
    ("with_certificate", "reason", "words", "detail"),
    [
        (True, Goodbye.BAD_CERTIFICATE, b"SSL certificate error\r\n", REVOKED),
        (False, Goodbye.CERTIFICATE_REQUIRED, b"No required SSL certificate\r\n", ""),
    ],
    ids=["bad", "none"],
)
async def test_refused_client_hears_why_and_can_not_log_in(
    tongue: Tongue,
    implicit_tls: bool,
    with_certificate: bool,
    reason: Goodbye,
    words: bytes,
    detail: str,
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    layer = TlsLayer(server_side(), judge=judge)
    driver = connection(ours, tongue, layer, implicit_tls=implicit_tls)
    client = Client(theirs, tongue)

    async def refuse() -> None:
        assert await driver.next_event() == Closed(reason)
        await driver.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refuse)
        if not implicit_tls:
            await client.ask_for_tls()
        heard = await client.log_in(with_certificate=with_certificate)
    assert heard == tongue.refusal + words
    assert driver.session.trailing_data == b""
    assert driver.tls_failure == detail
    assert trio.current_time() < 1


@every_protocol
@both_ways
async def test_client_whom_the_judge_lets_pass_logs_in(
    tongue: Tongue, implicit_tls: bool, autojump_clock: MockClock
) -> None:
    ours, theirs = wire_pair()
    layer = TlsLayer(server_side(), judge=welcome)
    driver = connection(ours, tongue, layer, implicit_tls=implicit_tls)
    client = Client(theirs, tongue)
    events: list[Event] = []

    async def admit() -> None:
        events.append(await driver.next_event())
        await driver.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(admit)
        if not implicit_tls:
            await client.ask_for_tls()
        await client.log_in(with_certificate=False)
    assert isinstance(events[0], Authenticate)


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_refused_client_sees_a_clean_end_whatever_it_sent_ahead(
    version: str, autojump_clock: MockClock
) -> None:
    """Its Finished and its first command come in one piece."""
    ours, theirs = wire_pair()
    layer = TlsLayer(server_side(), judge=judge)
    driver = connection(ours, TONGUES[1], layer, implicit_tls=True)
    context = ssl.create_default_context()
    authority().configure_trust(context)
    context.maximum_version = ssl.TLSVersion[version]
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=NAME)

    async def refuse() -> None:
        await driver.next_event()
        await driver.close()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refuse)
        while True:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                await theirs.send_all(to_server.read())
                to_client.write(bytes(await theirs.receive_some()))
            else:
                break
        client.write(b"a NOOP\r\n")
        await theirs.send_all(to_server.read())
        while data := bytes(await theirs.receive_some()):
            to_client.write(data)
    to_client.write_eof()
    assert client.read(100) == b"* BYE No required SSL certificate\r\n"
    assert client.read(100) == b""  # close_notify, or it would raise
