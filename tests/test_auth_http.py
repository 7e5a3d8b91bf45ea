"""What a POP3 client notices of an auth server, and the auth server of the client."""

import ssl
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.auth.http_authenticator import HttpAuthenticator
from mailssl_trio.auth.http_client import HttpClient
from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.files import Files
from mailssl_trio.tls.policy import VerifyClient
from mailssl_trio.tls.server import ServerTls
from tests.auth.played_server import Play, Visit, answering, played, saying
from tests.test_gateway import GOOD, House, rest, talk
from tests.tls_pair import NAME, authority, policy, server_side
from tests.wire_pair import wire_pair

LOGIN = (b"USER joe", b"PASS wonderland")
GREETED = b"+OK POP3 ready\r\n+OK send PASS\r\n"
NOT_NOW = b"-ERR [SYS/TEMP] temporary authentication failure\r\n"


def asking(settings: AuthHttp) -> House:
    """Return a gateway that has its logins judged, over a connection for each."""
    client = HttpClient(settings.server, settings.timeout)
    return House(GOOD, judge=HttpAuthenticator(settings, client))


def closing(headers: bytes) -> Play:
    """Answer, and let the connection end."""
    return answering(headers + b"Connection: close\r\n")


async def test_client_hears_why_it_may_not_log_in_and_stays(
    autojump_clock: MockClock,
) -> None:
    async with played(closing(b"Auth-Status: Who are you?\r\n")) as told:
        house = asking(AuthHttp(told.server))
        answer = await talk(house, *LOGIN, *LOGIN, b"QUIT")
    assert answer == (
        GREETED
        + b"-ERR Who are you?\r\n"
        + b"+OK send PASS\r\n-ERR Who are you?\r\n+OK bye\r\n"
    )
    attempts = [request.split(b"\r\n")[6] for request in told.requests]
    assert attempts == [b"Auth-Login-Attempt: 1", b"Auth-Login-Attempt: 2"]
    assert 0.75 <= trio.current_time() < 1


async def test_client_waits_as_long_as_the_auth_server_says(
    autojump_clock: MockClock,
) -> None:
    said = b"Auth-Status: Later\r\nAuth-Wait: 20\r\n"
    async with played(closing(said)) as told:
        answer = await talk(asking(AuthHttp(told.server)), *LOGIN, *LOGIN, b"QUIT")
    assert answer.count(b"-ERR Later\r\n") == 2
    assert 40 <= trio.current_time() < 41


async def test_login_that_nobody_decides_about_fails_for_now_and_is_logged(
    autojump_clock: MockClock,
) -> None:
    async with played(saying(b"HTTP/1.1 500 Oops\r\n\r\n")) as told:
        house = asking(AuthHttp(told.server))
        answer = await talk(house, *LOGIN, b"QUIT")
    assert answer == GREETED + NOT_NOW + b"+OK bye\r\n"
    server = told.server.address
    assert house.told.details == [f"auth http server {server} answered with status 500"]
    assert house.told.events[1:3] == ["judge failed", "rejected UNAVAILABLE"]


async def hang(visit: Visit) -> None:
    await visit.request()
    await visit.gone()


async def test_client_hears_of_an_auth_server_that_hangs_in_its_time(
    autojump_clock: MockClock,
) -> None:
    async with played(hang) as told:
        house = asking(AuthHttp(told.server, timeout=7))
        answer = await talk(house, *LOGIN, b"QUIT")
        assert 7 <= trio.current_time() < 8
    assert answer == GREETED + NOT_NOW + b"+OK bye\r\n"
    (line,) = house.told.details
    why = "timed out (110: Connection timed out)"
    assert line == f"auth http server {told.server.address} {why}"


@pytest.mark.parametrize(
    "play", [hang, closing(b"Auth-Status: WAIT\r\nAuth-Wait: 30\r\n")]
)
async def test_client_that_leaves_takes_the_request_along(
    play: Play, autojump_clock: MockClock
) -> None:
    client, ours = wire_pair()
    async with played(play) as told, trio.open_nursery() as nursery:
        nursery.start_soon(asking(AuthHttp(told.server)).serve, ours)
        await client.send_all(b"USER joe\r\nPASS wonderland\r\n")
        await trio.sleep(5)
        await client.aclose()
        await trio.sleep(1)
        assert (told.visits, told.left, len(told.requests)) == (1, 1, 1)
        await trio.sleep(60)
        assert told.visits == 1


async def serve_pop3(stream: trio.SocketStream) -> None:
    """Be a backend that speaks TLS from the first octet."""
    secured = trio.SSLStream(stream, server_side(), server_side=True)
    with suppress(trio.BrokenResourceError):
        for line in (b"+OK hi", b"-ERR no CAPA", b"+OK", b"+OK in", b"+OK bye"):
            await secured.send_all(line + b"\r\n")
            await secured.receive_some()
    await trio.aclose_forcefully(stream)


@pytest.mark.parametrize(
    ("name", "answer", "details"),
    [
        (NAME, b"+OK in\r\n+OK bye\r\n", ""),
        ("other.example.org", NOT_NOW + b"+OK bye\r\n", "certificate verify failed"),
    ],
)
async def test_backend_is_verified_by_the_name_that_the_auth_server_says(
    name: str, answer: bytes, details: str, autojump_clock: MockClock
) -> None:
    (backend,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = backend.socket.getsockname()[1]
    said = (
        b"Auth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: %d\r\n"
        b"Auth-Backend-SSL: on\r\nAuth-Backend-Name: %s\r\n"
    ) % (port, name.encode())
    async with played(closing(said)) as told, trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve_pop3, [backend])
        house = asking(AuthHttp(told.server))
        assert await talk(house, *LOGIN, b"QUIT") == GREETED + answer
        nursery.cancel_scope.cancel()
    assert details in "".join(house.told.details)


FRIEND = authority().issue_cert("joe@example.org")
STRANGER = trustme.CA().issue_cert("joe@example.org")


@pytest.mark.parametrize(
    ("shown", "verified"),
    [
        (FRIEND, b"SUCCESS"),
        (STRANGER, b"FAILED:unable to verify the first certificate"),
        (None, b"NONE"),
    ],
    ids=["friend", "stranger", "none"],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_auth_server_is_told_what_a_clients_certificate_is_worth(
    shown: trustme.LeafCert | None,
    verified: bytes,
    version: ssl.TLSVersion,
    tmp_path: Path,
    autojump_clock: MockClock,
) -> None:
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    lenient = evolve(
        policy(),
        verify_client=VerifyClient.OPTIONAL_NO_CA,
        client_certificate=tmp_path / "ca.pem",
    )
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    authority().configure_trust(context)
    if shown is not None:
        shown.configure_cert(context)
    client, ours = wire_pair()
    async with (
        played(closing(b"Auth-Status: no\r\n")) as told,
        trio.open_nursery() as nursery,
    ):
        settings = AuthHttp(told.server, pass_client_cert=True)
        house = evolve(
            asking(settings), tls=ServerTls(lenient, "pop3", Files()), backends=None
        )
        nursery.start_soon(partial(house.serve, ours, implicit_tls=True))
        secured = trio.SSLStream(client, context, server_hostname=NAME)
        await secured.send_all(b"USER joe\r\nPASS x\r\nQUIT\r\n")
        await rest(secured)
    (request,) = told.requests
    lines = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:])
    assert lines[b"Auth-SSL-Verify"] == verified
    assert lines[b"Auth-SSL-SNI"] == NAME.encode()
    assert (b"Auth-SSL-Subject" in lines) is (shown is not None)
    if shown is not None:
        pem = shown.cert_chain_pems[0].bytes().replace(b"\n", b"%0A")
        assert lines[b"Auth-SSL-Cert"] == pem.replace(b" ", b"%20")
