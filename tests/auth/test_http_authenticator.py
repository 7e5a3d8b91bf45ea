"""What becomes of a login that an auth server judges."""

from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.auth.http_authenticator import HttpAuthenticator
from mailssl_trio.auth.http_client import HttpClient
from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.auth.route import Judgement, Route, Undecided
from mailssl_trio.protocol.credentials import (
    Apop,
    Bearer,
    Credentials,
    Digest,
    Envelope,
    External,
    Password,
    Reason,
    Rejected,
)
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import TcpAddress, UnixAddress
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.auth.attempts import JOE, attempt
from tests.auth.played_server import OK, Play, Visit, answering, played

THERE = TcpAddress("192.0.2.9", 143)
BY_TLS = BackendTlsPolicy(trusted_certificate=Path("/ca.pem"), name="given")
SALT, HEXADECIMAL = b"<1.2@mx>", b"0123456789abcdef" * 2


async def judged(
    play: Play | bytes,
    credentials: Credentials = JOE,
    *,
    protocol: str = "imap",
    proxy_ssl: ProxySsl = ProxySsl.OFF,
    backend_tls: BackendTlsPolicy | None = BY_TLS,
    smtp_auth: bool = False,
) -> Judgement:
    """Have a login judged by a server that plays, or that answers with headers."""
    if isinstance(play, bytes):
        play = answering(play)
    async with played(play) as told, trio.open_nursery() as nursery:
        settings = AuthHttp(told.server, proxy_ssl=proxy_ssl, backend_tls=backend_tls)
        client = HttpClient(told.server, settings.timeout)
        nursery.start_soon(client.tend)
        authenticator = HttpAuthenticator(settings, client, smtp_auth)
        asked = attempt(credentials, protocol=protocol)
        judgement = await authenticator.judge(asked)
        nursery.cancel_scope.cancel()
        return judgement


def details(judgement: Judgement) -> str:
    """Return what the log is told; the client is told nothing."""
    assert isinstance(judgement, Undecided)
    return judgement.detail


async def test_user_goes_where_the_auth_server_says(autojump_clock: MockClock) -> None:
    assert await judged(OK) == Route(Upstream(THERE), JOE, judged=True)


async def test_user_has_another_name_and_password_there(
    autojump_clock: MockClock,
) -> None:
    route = await judged(OK + b"Auth-User: jane%20\r\nAuth-Pass: sec ret\r\n")
    expected = Password(b"jane%20", b"sec ret")
    assert route == Route(Upstream(THERE), expected, judged=True)


async def test_nobody_acts_for_somebody_else_at_the_backend(
    autojump_clock: MockClock,
) -> None:
    route = await judged(OK, evolve(JOE, authzid=b"admin"))
    assert route == Route(Upstream(THERE), JOE, judged=True)


@pytest.mark.parametrize(
    "presented",
    [
        Apop(b"joe", SALT, HEXADECIMAL),
        Digest(b"joe", SALT, HEXADECIMAL),
        External(b"joe"),
    ],
)
async def test_where_no_password_is_known_the_auth_server_must_send_one(
    presented: Credentials, autojump_clock: MockClock
) -> None:
    assert details(await judged(OK, presented)).endswith(" did not send password")
    with_one = OK + b"Auth-Pass: secret\r\n"
    route = await judged(with_one, presented)
    assert route == Route(Upstream(THERE), Password(b"joe", b"secret"), judged=True)


async def test_smtp_backend_needs_no_password_unless_we_authenticate_there(
    autojump_clock: MockClock,
) -> None:
    presented = External(b"joe")
    route = await judged(OK, presented, protocol="smtp")
    assert route == Route(Upstream(THERE), Password(b"joe", b""), judged=True)
    for by_header, by_directive in ((b"Auth-SMTP-Auth: on\r\n", False), (b"", True)):
        refused = await judged(
            OK + by_header, presented, protocol="smtp", smtp_auth=by_directive
        )
        assert details(refused).endswith(" no password available")
    off = OK + b"Auth-SMTP-Auth: off\r\n"
    route = await judged(off, presented, protocol="smtp", smtp_auth=True)
    assert isinstance(route, Route)
    assert route.smtp_auth is False


async def test_token_is_passed_on_unless_there_is_a_password(
    autojump_clock: MockClock,
) -> None:
    token = Bearer(b"joe", b"token", "XOAUTH2")
    assert await judged(OK, token) == Route(Upstream(THERE), token, judged=True)
    route = await judged(OK + b"Auth-Pass: secret\r\n", token)
    assert route == Route(Upstream(THERE), Password(b"joe", b"secret"), judged=True)


async def test_mail_without_a_login_stays_what_it_is(autojump_clock: MockClock) -> None:
    mail = Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>")
    route = await judged(OK + b"Auth-User: x\r\n", mail, protocol="smtp")
    assert route == Route(Upstream(THERE), mail, judged=True)


@pytest.mark.parametrize(
    ("header", "proxy_ssl", "ssl"),
    [
        (b"", ProxySsl.STARTTLS, ProxySsl.STARTTLS),
        (b"Auth-Backend-SSL: on\r\n", ProxySsl.OFF, ProxySsl.ON),
        (b"Auth-Backend-SSL: starttls\r\n", ProxySsl.ON, ProxySsl.STARTTLS),
    ],
)
async def test_backend_is_secured_as_it_is_told_or_else_as_it_is_configured(
    header: bytes, proxy_ssl: ProxySsl, ssl: ProxySsl, autojump_clock: MockClock
) -> None:
    route = await judged(OK + header, proxy_ssl=proxy_ssl)
    assert route == Route(Upstream(THERE, ssl, BY_TLS), JOE, judged=True)


async def test_backend_may_do_without_tls_where_the_auth_server_says_so(
    autojump_clock: MockClock,
) -> None:
    off = OK + b"Auth-Backend-SSL: off\r\n"
    route = await judged(off, proxy_ssl=ProxySsl.ON)
    assert route == Route(Upstream(THERE), JOE, judged=True)


async def test_backend_shows_the_name_that_the_auth_server_says(
    autojump_clock: MockClock,
) -> None:
    named = OK + b"Auth-Backend-Name: imap.example.org\r\n"
    route = await judged(named, proxy_ssl=ProxySsl.ON)
    tls = evolve(BY_TLS, name="imap.example.org")
    assert route == Route(Upstream(THERE, ProxySsl.ON, tls), JOE, judged=True)


async def test_tls_without_anybody_to_believe_is_not_begun(
    autojump_clock: MockClock,
) -> None:
    on = OK + b"Auth-Backend-SSL: on\r\n"
    assert "no CAs are here" in details(await judged(on, backend_tls=None))


async def test_refusal_is_passed_on_with_its_time_and_code(
    autojump_clock: MockClock,
) -> None:
    said = b"Auth-Status: go away\r\nAuth-Wait: 3\r\nAuth-Error-Code: 454 4.7.1\r\n"
    assert await judged(said, protocol="smtp") == Rejected(
        Reason.AUTHENTICATIONFAILED, "go away", "454 4.7.1", 3.0
    )


async def test_refusal_without_a_time_leaves_that_to_us(
    autojump_clock: MockClock,
) -> None:
    refused = await judged(b"Auth-Status: go away\r\n")
    assert refused == Rejected(Reason.AUTHENTICATIONFAILED, "go away")


async def test_nobody_waits_for_ever(autojump_clock: MockClock) -> None:
    refused = await judged(b"Auth-Status: no\r\nAuth-Wait: 999999\r\n")
    assert refused == Rejected(Reason.AUTHENTICATIONFAILED, "no", wait=300.0)


def waiting(times: int, seconds: int, requests: list[bytes]) -> Play:
    """Ask so many times to be asked again, and then let the user in."""

    async def play(visit: Visit) -> None:
        while await visit.request():
            requests.append(visit.requests[-1])
            said = b"Auth-Status: WAIT\r\nAuth-Wait: %d\r\n" % seconds
            if len(requests) > times:
                said = OK
            await visit.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n" % said)

    return play


async def test_the_same_is_asked_again_whole_when_the_time_has_passed(
    autojump_clock: MockClock,
) -> None:
    requests: list[bytes] = []
    presented = Digest(b"joe", SALT, HEXADECIMAL)
    await judged(waiting(2, 7, requests), presented)
    assert b"Auth-Pass: " + HEXADECIMAL in requests[0]
    assert b"Auth-Login-Attempt: 1" in requests[0]
    assert requests == [requests[0]] * 3
    assert 14 <= trio.current_time() < 15


@pytest.mark.parametrize(
    ("times", "seconds", "asked"), [(11, 1, 11), (2, 200, 2), (1, 301, 1)]
)
async def test_neither_too_often_nor_for_too_long(
    times: int, seconds: int, asked: int, autojump_clock: MockClock
) -> None:
    requests: list[bytes] = []
    gave_up = await judged(waiting(times, seconds, requests))
    assert "sent WAIT too often, or for too long" in details(gave_up)
    assert len(requests) == asked
    assert trio.current_time() < 301


async def test_who_is_wrong_and_how_is_in_one_line_without_a_secret(
    autojump_clock: MockClock,
) -> None:
    said = b"Auth-Status: OK\r\nAuth-Server: x y\r\nAuth-Port: 1\r\nAuth-Pass: qqq\r\n"
    detail = details(await judged(said))
    server, _, wrong = detail.removeprefix("auth http server ").partition(" ")
    assert server.startswith("127.0.0.1:")
    assert wrong == 'sent invalid server address:"x y"'


async def test_unix_socket_may_be_a_backend(autojump_clock: MockClock) -> None:
    said = b"Auth-Status: OK\r\nAuth-Server: unix:/run/imap\r\n"
    route = await judged(said)
    there = Upstream(UnixAddress(Path("/run/imap")))
    assert route == Route(there, JOE, judged=True)
