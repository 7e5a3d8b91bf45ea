"""``ssl_verify_client``, as a POP3 client and the operator see it."""

import ssl
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.files import Files
from mailssl_trio.tls.policy import VerifyClient
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.tls.sessions.resumption import Sessions
from mailssl_trio.tls.sessions.ticket_keys import RotatingKeys, TicketKeys
from tests.test_gateway import GOOD, House, rest
from tests.tls_pair import NAME, authority, policy
from tests.wire_pair import wire_pair

GOODBYE = b"+OK POP3 ready\r\n+OK bye\r\n"
BAD = b"-ERR SSL certificate error\r\n"
NONE = b"-ERR No required SSL certificate\r\n"

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
both_versions = pytest.mark.parametrize("version", [V12, V13], ids=lambda v: v.name)


def friend() -> trustme.LeafCert:
    return authority().issue_cert("joe@example.org")


def stranger() -> trustme.LeafCert:
    return trustme.CA().issue_cert("joe@example.org")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A gateway that knows its clients by certificates, and resumes sessions."""
    ca = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(ca))
    strict = evolve(
        policy(),
        verify_client=VerifyClient.ON,
        client_certificate=ca,
        session_tickets=True,
    )
    sessions = Sessions(ticket_keys=TicketKeys(RotatingKeys(300).keys))
    return House(GOOD, tls=ServerTls(strict, "pop3", Files(), sessions))


class Client:
    """Comes with a certificate or without, and with its session of last time."""

    def __init__(self, version: ssl.TLSVersion, shown: trustme.LeafCert | None) -> None:
        self.context = ssl.create_default_context()
        self.context.minimum_version = self.context.maximum_version = version
        authority().configure_trust(self.context)
        if shown is not None:
            shown.configure_cert(self.context)
        self.session: ssl.SSLSession | None = None
        self.resumed = False

    async def visit(self, house: House) -> bytes:
        """Say QUIT without waiting; return all that is said."""
        theirs, ours = wire_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(house.serve, ours, implicit_tls=True))
            secured = trio.SSLStream(theirs, self.context, server_hostname=NAME)
            if self.session is not None:
                secured.session = self.session
            await secured.send_all(b"QUIT\r\n")
            heard = await rest(secured)
        self.session, self.resumed = secured.session, secured.session_reused
        return heard


@both_versions
async def test_client_with_a_good_certificate_is_greeted(
    version: ssl.TLSVersion, house: House, autojump_clock: MockClock
) -> None:
    assert await Client(version, friend()).visit(house) == GOODBYE
    assert house.told.events == ["connected", "closed QUIT"]


@both_versions
async def test_client_without_a_certificate_is_told_so(
    version: ssl.TLSVersion, house: House, autojump_clock: MockClock
) -> None:
    assert await Client(version, None).visit(house) == NONE
    assert house.told.events == ["connected", "closed CERTIFICATE_REQUIRED"]
    assert house.told.details == []


@both_versions
async def test_client_with_a_strangers_certificate_is_told_so_and_the_log_says_why(
    version: ssl.TLSVersion, house: House, autojump_clock: MockClock
) -> None:
    assert await Client(version, stranger()).visit(house) == BAD
    assert house.told.events == ["connected", "closed BAD_CERTIFICATE"]
    assert house.told.details == ["21:unable to verify the first certificate"]


@both_versions
@pytest.mark.parametrize(
    ("shown", "words"),
    [(friend(), GOODBYE), (stranger(), BAD), (None, NONE)],
    ids=["a friend's", "a stranger's", "none"],
)
async def test_verdict_is_the_same_when_the_session_is_resumed(
    shown: trustme.LeafCert | None,
    words: bytes,
    version: ssl.TLSVersion,
    house: House,
    autojump_clock: MockClock,
) -> None:
    """No certificate is shown then; the session remembers who it was, and how good."""
    client = Client(version, shown)
    assert await client.visit(house) == words
    assert await client.visit(house) == words
    assert client.resumed
