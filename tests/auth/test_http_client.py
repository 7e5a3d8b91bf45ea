"""Asking the auth server: over which connection, how often, and for how long."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.auth.http_client import KEPT, HttpClient
from mailssl_trio.auth.http_reply import AuthHttpError, NoConnectionError
from mailssl_trio.auth.http_server import AuthServer
from mailssl_trio.transport.address import TcpAddress, UnixAddress
from tests.auth.played_server import OK, Play, Visit, answering, played, saying
from tests.tls_pair import authority, client_side, server_side

ASKED = ((b"Host", b"auth"), (b"Auth-User", b"joe"), (b"Auth-Pass", b"wonderland"))
REQUEST = b"GET /auth HTTP/1.1\r\nHost: auth\r\nAuth-User: joe\r\nAuth-Pass: wonderland"
ANSWER = b"HTTP/1.1 200 OK\r\n%s\r\n" % OK
TIMEOUT = 60.0


@asynccontextmanager
async def closing(client: HttpClient) -> AsyncIterator[HttpClient]:
    """Have kept connections looked after, and none left behind."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.tend)
        yield client
        nursery.cancel_scope.cancel()


async def status(client: HttpClient) -> bytes:
    """Ask, and return what became of the user."""
    return dict(await client.ask(ASKED))[b"auth-status"]


async def test_request_is_nginxs_but_for_its_version(autojump_clock: MockClock) -> None:
    async with (
        played(answering()) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        assert await status(client) == b"OK"
    assert told.requests == [REQUEST]


@pytest.mark.parametrize("body", [b"", b"some words"])
async def test_one_connection_is_enough_for_logins_one_after_the_other(
    body: bytes, autojump_clock: MockClock
) -> None:
    async with (
        played(answering(body=body)) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        for _ in range(3):
            assert await status(client) == b"OK"
    assert (told.visits, told.requests) == (1, [REQUEST] * 3)


@pytest.mark.parametrize(
    "play",
    [
        answering(version=b"1.0"),
        answering(OK + b"Connection: close\r\n"),
        saying(ANSWER + b"a body that ends with the connection"),
    ],
    ids=["HTTP/1.0", "close", "no length"],
)
async def test_server_that_does_not_keep_connections_is_asked_over_new_ones(
    play: Play, autojump_clock: MockClock
) -> None:
    async with (
        played(play) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        for _ in range(3):
            assert await status(client) == b"OK"
    assert (told.visits, told.requests) == (3, [REQUEST] * 3)


async def test_body_is_not_waited_for_and_read_when_there_is_another_login(
    autojump_clock: MockClock,
) -> None:
    head = b"HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n" % OK

    async def play(visit: Visit) -> None:
        while await visit.request():
            await visit.say(head)
            await trio.sleep(5)
            await visit.say(b"5\r\nwords\r\n0\r\n\r\n")

    async with (
        played(play) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        began = trio.current_time()
        assert await status(client) == b"OK"
        assert trio.current_time() - began < 1
        await trio.sleep(6)
        assert await status(client) == b"OK"
        assert told.visits == 1
        assert await status(client) == b"OK"  # the body is still under way
        assert told.visits == 2


async def test_kept_connection_is_not_used_when_something_unasked_has_come(
    autojump_clock: MockClock,
) -> None:
    """An answer that came before its question would be somebody else's."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK

    async def play(visit: Visit) -> None:
        while await visit.request():
            await visit.say(head * 2)

    async with (
        played(play) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        for _ in range(2):
            assert await status(client) == b"OK"
            await trio.sleep(1)
    assert told.visits == 2


async def test_kept_connection_that_was_closed_meanwhile_is_replaced(
    autojump_clock: MockClock,
) -> None:
    async def once(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK)

    async with (
        played(once) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        for _ in range(3):
            assert await status(client) == b"OK"
            await trio.sleep(1)
    assert (told.visits, told.requests) == (3, [REQUEST] * 3)


async def test_kept_connection_that_has_grown_old_is_not_asked(
    autojump_clock: MockClock,
) -> None:
    async with played(answering()) as told:
        client = HttpClient(told.server, TIMEOUT)
        assert await status(client) == b"OK"
        await trio.sleep(16)
        assert await status(client) == b"OK"
        async with closing(client):
            pass
    assert told.visits == 2


async def test_connections_that_nobody_wants_are_closed(
    autojump_clock: MockClock,
) -> None:
    async with (
        played(answering()) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        assert await status(client) == b"OK"
        await trio.sleep(31)
        assert (told.visits, told.left) == (1, 1)


async def test_nothing_is_kept_when_no_more_logins_will_come(
    autojump_clock: MockClock,
) -> None:
    async with played(answering()) as told:
        client = HttpClient(told.server, TIMEOUT)
        async with closing(client), trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client.ask, ASKED)
        assert await status(client) == b"OK"
        await trio.sleep(1)
        assert (told.visits, told.left) == (4, 4)


async def test_password_that_was_read_is_not_sent_again(
    autojump_clock: MockClock,
) -> None:
    """The second request is read over a kept connection, and answered by its end."""

    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK)
        await visit.request()

    async with (
        played(play) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        assert await status(client) == b"OK"
        with pytest.raises(AuthHttpError, match="prematurely closed connection"):
            await client.ask(ASKED)
    assert (told.visits, told.requests) == (1, [REQUEST] * 2)


async def test_password_that_lies_unread_in_the_servers_kernel_is_not_sent_again(
    autojump_clock: MockClock,
) -> None:
    async def play(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK)
        await trio.lowlevel.wait_readable(visit.wire.socket)
        await visit.reset()

    async with (
        played(play) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        assert await status(client) == b"OK"
        with pytest.raises(AuthHttpError, match="reset the connection"):
            await client.ask(ASKED)
    assert told.visits == 1


async def test_request_that_cannot_have_been_read_is_sent_over_another_connection(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """The server has said that it reads no more; nobody else may know that."""
    requests: list[bytes] = []

    async def serve(stream: trio.SocketStream) -> None:
        visit = Visit(stream, stream, requests)
        async with stream:
            await visit.request()
            await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK)
            stream.socket.shutdown(trio.socket.SHUT_RD)
            await trio.sleep(5)

    listening = trio.socket.socket(trio.socket.AF_UNIX)
    await listening.bind(str(tmp_path / "auth"))
    listening.listen()
    server = AuthServer(UnixAddress(tmp_path / "auth"), "localhost", "/auth")
    async with (
        trio.open_nursery() as nursery,
        closing(HttpClient(server, 60)) as client,
    ):
        nursery.start_soon(
            trio.serve_listeners, serve, [trio.SocketListener(listening)]
        )
        for _ in range(2):
            assert await status(client) == b"OK"
            await trio.sleep(1)
        nursery.cancel_scope.cancel()
    assert requests == [REQUEST] * 2


async def hang(visit: Visit) -> None:
    await visit.request()
    await visit.gone()


async def trickle(visit: Visit) -> None:
    await visit.request()
    await visit.say(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await visit.say(b"x")
        await trio.sleep(1)


async def go_on_and_on(visit: Visit) -> None:
    await visit.request()
    while True:
        await visit.say(b"HTTP/1.1 100 Continue\r\n\r\n" * 10)
        await trio.sleep(0.001)


async def break_off(visit: Visit) -> None:
    await visit.request()
    await visit.reset()


async def break_off_in_the_middle(visit: Visit) -> None:
    await visit.request()
    await visit.say(b"HTTP/1.1 200 OK\r\nAuth-Status: OK\r\n")
    await visit.reset()


async def leave_unasked(visit: Visit) -> None:
    pass


async def say_much(visit: Visit) -> None:
    await visit.request()
    await visit.say(b"HTTP/1.1 200 OK\r\n")
    for _ in range(10 * 1024):
        await visit.say(b"X: %s\r\n" % (b"x" * 1019))


async def say_much_in_one_line(visit: Visit) -> None:
    await visit.request()
    await visit.say(b"HTTP/1.1 200 OK\r\nAuth-Status: ")
    for _ in range(10 * 1024):
        await visit.say(b"x" * 1024)


INVALID_HEADER = "sent invalid header in response"
ENDED = "prematurely closed connection"


@pytest.mark.parametrize(
    ("play", "wrong"),
    [
        (hang, r"timed out \(110: Connection timed out\)"),
        (trickle, "timed out|sent too long response"),
        (go_on_and_on, "sent too long response"),
        (break_off, "reset the connection"),
        (break_off_in_the_middle, "reset the connection"),
        (leave_unasked, f"{ENDED}|reset the connection"),  # as the octets cross
        (say_much, "sent too long response"),
        (say_much_in_one_line, "sent too long response"),
        (saying(), ENDED),
        (saying(b"HTTP/1.1 200 OK\r\n", OK), ENDED),
        (saying(b"HTTP/1.1 500 Oops\r\n%s\r\n" % OK), "answered with status 500"),
        (saying(b"HTTP/1.1 301 Moved\r\n%s\r\n" % OK), "answered with status 301"),
        (saying(b"HTTP/1.1 404 No\r\n\r\n"), "answered with status 404"),
        (saying(b"GARBAGE\r\n%s\r\n" % OK), "sent invalid response"),
        (saying(b"* OK IMAP4 ready\r\n\r\n"), "sent invalid response"),
        (saying(b"\x16\x03\x01\x00\x05hello\r\n\r\n"), "sent invalid response"),
        (saying(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\nAuth-Pass : x\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\nAuth-Pass: x\0y\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\nAuth-Pass: x\ry\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\nAuth-Pass: x\r\n y\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\n\tAuth-Pass: x\r\n\r\n"), INVALID_HEADER),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), INVALID_HEADER),
    ],
)
async def test_server_that_lies_is_found_out_in_time_and_quoted_nowhere(
    play: Play, wrong: str, autojump_clock: MockClock
) -> None:
    async with (
        played(play) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        with pytest.raises(AuthHttpError, match=wrong):
            await client.ask(ASKED)
        assert trio.current_time() < TIMEOUT + 1
        await trio.sleep(10)
        assert told.left == told.visits == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nAuth-Status:OK \r\n\r\n",
        b"HTTP/1.1 200 OK\nauth-status: OK\n\n",
        b"HTTP/1.0 200\r\nAUTH-STATUS:    OK\r\n\r\nbody",
        b"HTTP/1.1 204 No Content\r\nAuth-Status: OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nAuth-Status: OK\r\n\r\n",
    ],
)
async def test_answers_as_old_servers_write_them_are_understood(
    answer: bytes, autojump_clock: MockClock
) -> None:
    for pieces in ((answer,), [answer[at : at + 1] for at in range(len(answer))]):
        async with (
            played(saying(*pieces)) as told,
            closing(HttpClient(told.server, TIMEOUT)) as client,
        ):
            assert await status(client) == b"OK"


async def test_server_that_nobody_runs_is_named(autojump_clock: MockClock) -> None:
    client = HttpClient(AuthServer(TcpAddress("127.0.0.1", 1), "x"), TIMEOUT)
    with pytest.raises(AuthHttpError, match="111: Connection refused") as failure:
        await client.ask(ASKED)
    line = "connect() to 127.0.0.1:1 failed (111: Connection refused)"
    assert failure.value.about(client.server.address) == line


async def test_socket_that_is_not_there_is_named(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    client = HttpClient(AuthServer(UnixAddress(tmp_path / "no"), "x"), TIMEOUT)
    with pytest.raises(AuthHttpError, match="2: No such file"):
        await client.ask(ASKED)


async def test_name_that_has_no_address_is_named() -> None:
    client = HttpClient(AuthServer(TcpAddress("no.invalid", 80), "x"), TIMEOUT)
    with pytest.raises(NoConnectionError):
        await client.ask(ASKED)


async def test_all_addresses_of_a_name_are_tried() -> None:
    """This machine's name has two of them, and only one is listened on."""
    async with played(answering()) as told:
        assert isinstance(told.server.address, TcpAddress)
        address = evolve(told.server.address, host="localhost")
        server = evolve(told.server, address=address)
        async with closing(HttpClient(server, TIMEOUT)) as client:
            assert await status(client) == b"OK"


async def test_twenty_logins_at_once_take_as_long_as_one(
    autojump_clock: MockClock,
) -> None:
    async def slow(visit: Visit) -> None:
        while await visit.request():
            await trio.sleep(10)
            await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK)

    async with (
        played(slow) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(client.ask, ASKED)
        assert trio.current_time() < 11
        await trio.sleep(1)
        assert (told.visits, told.visits - told.left) == (20, KEPT)


async def test_whoever_leaves_takes_the_request_along(
    autojump_clock: MockClock,
) -> None:
    async with (
        played(hang) as told,
        closing(HttpClient(told.server, TIMEOUT)) as client,
    ):
        with trio.move_on_after(5):
            await client.ask(ASKED)
        await trio.sleep(1)
        assert (told.left, trio.current_time()) == (1, 6)


async def secure(visit: Visit) -> None:
    """Speak TLS, and answer what is asked."""
    stream = trio.SSLStream(visit.wire, server_side(), server_side=True)
    within = Visit(stream, visit.wire, visit.requests)
    while await within.request():
        await within.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % OK)


async def test_server_is_asked_by_tls_and_its_connection_kept(
    autojump_clock: MockClock,
) -> None:
    async with (
        played(secure) as told,
        closing(HttpClient(told.server, TIMEOUT, client_side())) as client,
    ):
        for _ in range(3):
            assert await status(client) == b"OK"
            await trio.sleep(1)
    assert (told.visits, told.requests) == (1, [REQUEST] * 3)


async def test_server_whose_certificate_does_not_hold_hears_no_password(
    autojump_clock: MockClock,
) -> None:
    strangers = ssl.create_default_context()
    async with played(secure) as told:
        client = HttpClient(told.server, TIMEOUT, strangers)
        with pytest.raises(
            AuthHttpError, match="SSL handshake failed: certificate verify failed"
        ):
            await client.ask(ASKED)
    assert told.requests == []


async def test_server_whose_certificate_is_somebody_elses_hears_no_password(
    autojump_clock: MockClock,
) -> None:
    elsewhere = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("elsewhere.example.org").configure_cert(elsewhere)

    async def play(visit: Visit) -> None:
        stream = trio.SSLStream(visit.wire, elsewhere, server_side=True)
        await Visit(stream, visit.wire, visit.requests).request()

    async with played(play) as told:
        client = HttpClient(told.server, TIMEOUT, client_side())
        with pytest.raises(AuthHttpError, match="IP address mismatch"):
            await client.ask(ASKED)
    assert told.requests == []


async def test_server_that_does_not_speak_tls_is_named(
    autojump_clock: MockClock,
) -> None:
    async def plain(visit: Visit) -> None:
        await visit.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with played(plain) as told:
        client = HttpClient(told.server, TIMEOUT, client_side())
        with pytest.raises(AuthHttpError, match="SSL handshake failed"):
            await client.ask(ASKED)


async def test_handshake_that_does_not_end_is_given_up_in_time(
    autojump_clock: MockClock,
) -> None:
    async with played(Visit.gone) as told:
        client = HttpClient(told.server, TIMEOUT, client_side())
        with pytest.raises(AuthHttpError, match="timed out"):
            await client.ask(ASKED)
        await trio.sleep(2)
        assert told.left == 1
