"""What clients do, such that together they come by every await there is."""

from contextlib import suppress

import trio
from attrs import frozen

from mailssl_trio.auth.route import Judgement, LoginAttempt, Route
from mailssl_trio.limits.policy import ConnectionRule, Counted, LimitPolicy
from mailssl_trio.protocol.credentials import BackendCredentials, Reason, Rejected
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.faults.peers import Client, GoneError
from tests.faults.stage import Scene, Stage, log_in

STARTTLS = {
    "imap": (b"s STARTTLS\r\n", b"s OK"),
    "pop3": (b"STLS\r\n", b"+OK begin"),
    "smtp": (b"EHLO x\r\nSTARTTLS\r\n", b"220 2.0.0"),
}
NOOP = {"imap": b"n NOOP\r\n", "pop3": b"NOOP\r\n", "smtp": b"NOOP\r\n"}
QUIT = {"imap": b"q LOGOUT\r\n", "pop3": b"QUIT\r\n", "smtp": b"QUIT\r\n"}


async def in_line(stage: Stage, client: Client) -> None:
    """Be greeted, and begin TLS."""
    await client.hear(b"\n")
    question, answer = STARTTLS[client.protocol]
    await client.ask(question, answer)
    await client.start_tls()


async def converse(client: Client) -> None:
    """Say something, be silent for long, say something again, and end."""
    await client.ask(NOOP[client.protocol], b"\n")
    await trio.sleep(10)
    await client.ask(NOOP[client.protocol], b"\n")
    await client.ask(QUIT[client.protocol], b"\n")


async def logs_in_by_starttls(stage: Stage, client: Client) -> None:
    await in_line(stage, client)
    await log_in(client)
    await converse(client)


async def logs_in_by_tls(stage: Stage, client: Client) -> None:
    await client.start_tls(trickling=True)
    await client.hear(b"\n")
    await log_in(client)
    await converse(client)


async def speaks_through_a_proxy(stage: Stage, client: Client) -> None:
    await client.say(b"PROXY TCP4 127.0.0.1 192.0.2.1 999 143\r\n")
    await client.hear(b"\n")
    await log_in(client)
    await converse(client)


async def forgets_and_leaves_first(stage: Stage, client: Client) -> None:
    """Have a wrong password refused, log in, and end before the backend does."""
    await client.hear(b"\n")
    await client.ask(b"USER joe\r\nPASS wrong\r\n", b"-ERR")
    await log_in(client)
    await client.ask(NOOP["pop3"], b"\n")
    await client.wire.send_eof()


async def is_one_too_many(stage: Stage, client: Client) -> None:
    """Be the second of a user who may only come once."""
    await client.hear(b"\n")
    await client.ask(b"USER wrong\r\nPASS secret\r\n", b"-ERR")
    await client.ask(b"USER neighbour\r\nPASS secret\r\n", b"-ERR")
    await client.ask(QUIT["pop3"], b"+OK")


async def reads_late(stage: Stage, client: Client) -> None:
    """Read nothing for a while, before and after login; so does the backend."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.say, b"c CAPABILITY\r\n" * 4_000 + b"d NOOP\r\n")
        await trio.sleep(20)
        with suppress(GoneError):
            await client.hear(b"d OK")
    await log_in(client)
    await client.say(b"b BIG\r\n")
    await trio.sleep(20)
    await client.ask(b"x LATER\r\n", b"x OK")
    await client.say(b"x" * 900_000 + b"\r\n")
    await client.ask(QUIT["imap"], b"q OK")


async def reads_late_in_the_clear(stage: Stage, client: Client) -> None:
    await client.hear(b"\n")
    await reads_late(stage, client)


async def reads_late_by_tls(stage: Stage, client: Client) -> None:
    await in_line(stage, client)
    await reads_late(stage, client)


async def is_not_let_in(stage: Stage, client: Client) -> None:
    """Be the second of an address that may only come once."""
    await client.hear(b"\n")


async def is_sent_away(stage: Stage, client: Client) -> None:
    """Be dismissed before login."""
    await client.hear(b"\n")
    _dismiss(stage)
    await client.hear_end()


async def is_cut_off(stage: Stage, client: Client) -> None:
    """Be dismissed after login."""
    await client.hear(b"\n")
    await log_in(client)
    await client.ask(NOOP[client.protocol], b"\n")
    _dismiss(stage)
    await client.hear_end()


async def is_cut_off_without_reading(stage: Stage, client: Client) -> None:
    """Be dismissed after login, with much on the way that is read late."""
    await client.hear(b"\n")
    await log_in(client)
    await client.say(b"b BIG\r\n")
    await trio.sleep(1)
    _dismiss(stage)
    await trio.sleep(0.1)
    await client.hear_end()


async def is_cut_off_by_tls(stage: Stage, client: Client) -> None:
    await client.start_tls()
    await is_cut_off(stage, client)


def _dismiss(stage: Stage) -> None:
    *_, visit = stage.visits
    visit.dismiss(Goodbye.KICKED)


async def meets_a_bug(stage: Stage, client: Client) -> None:
    await client.hear(b"\n")
    await client.ask(b"USER bug\r\nPASS x\r\n", b"internal")


@frozen
class Knows:
    """Knows everybody, but for one whom it stumbles over."""

    upstream: Upstream

    async def judge(self, attempt: LoginAttempt) -> Judgement:
        credentials = attempt.credentials
        if credentials.authcid == b"bug":
            raise ZeroDivisionError
        if credentials.authcid == b"wrong":
            return Rejected(Reason.AUTHENTICATIONFAILED, wait=3)
        assert isinstance(credentials, BackendCredentials)
        return Route(self.upstream, credentials, judged=True)


ONCE_AN_ADDRESS = LimitPolicy(connections=(ConnectionRule(Counted.ADDRESS, 1),))
ONCE = LimitPolicy(connections=(ConnectionRule(Counted.USER, 1),))
SLOWLY = Policy("mx", StartTlsMode.ON, greeting_delay=1)

SCENES = (
    Scene(
        "imap by STARTTLS, a backend in the clear that is told who comes",
        "imap",
        logs_in_by_starttls,
        proxy_protocol=ProxyProtocol.ON,
        is_whole=True,
    ),
    Scene(
        "imap by TLS, a backend by TLS",
        "imap",
        logs_in_by_tls,
        implicit=True,
        proxy_ssl=ProxySsl.ON,
        is_whole=True,
    ),
    Scene(
        "smtp by STARTTLS, a backend by STARTTLS",
        "smtp",
        logs_in_by_starttls,
        proxy_ssl=ProxySsl.STARTTLS,
    ),
    Scene(
        "pop3, a wrong password first, and the embedded mailbox",
        "pop3",
        forgets_and_leaves_first,
        behind=":embedded",
    ),
    Scene("pop3, one too many by the users", "pop3", is_one_too_many, limits=ONCE),
    Scene(
        "pop3, one too many by the judge",
        "pop3",
        is_one_too_many,
        limits=ONCE,
        judge=Knows,
    ),
    Scene("smtp, sent away", "smtp", is_sent_away),
    Scene("imap, cut off", "imap", is_cut_off),
    Scene(
        "imap, cut off by TLS",
        "imap",
        is_cut_off_by_tls,
        implicit=True,
        proxy_ssl=ProxySsl.ON,
    ),
    Scene("pop3, a bug already", "pop3", meets_a_bug, judge=Knows, bugs=1),
    # These come by what the others have come by, and more; they take their time.
    Scene("imap, read late", "imap", reads_late_in_the_clear, reads=False),
    Scene(
        "imap, read late by TLS",
        "imap",
        reads_late_by_tls,
        proxy_ssl=ProxySsl.ON,
        reads=False,
    ),
    Scene("imap, cut off, read late", "imap", is_cut_off_without_reading, reads=False),
    Scene(
        "imap, not let in",
        "imap",
        is_not_let_in,
        by_network=True,
        limits=ONCE_AN_ADDRESS,
    ),
    Scene("pop3, by number", "pop3", logs_in_by_starttls, behind="127.0.0.1"),
    Scene(
        "smtp by a proxy, and asked for by name",
        "smtp",
        speaks_through_a_proxy,
        policy=SLOWLY,
        by_network=True,
        proxied=True,
        behind="localhost",
        names=True,
    ),
)
