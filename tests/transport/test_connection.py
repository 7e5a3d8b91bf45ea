"""The driver: silence, trickle, clog, cancellation and drain, over real TLS."""

import ssl
from contextlib import suppress
from socket import socketpair

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.protocol.credentials import Accepted, Reason, Rejected
from mailssl_trio.protocol.events import Authenticate, Closed, Goodbye, LoggedIn
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.transport.connection import READ_SIZE, Connection
from mailssl_trio.transport.drain import Drain, Pace
from mailssl_trio.transport.secure import HandshakeError, TlsLayer
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.wire import Wire
from tests.tls_pair import NAME, client_side, server_side
from tests.wire_pair import clog, wire_pair

TIMEOUTS = Timeouts(session=60, linger=5, close=2)


def connection(
    stream: Wire,
    starttls: StartTlsMode = StartTlsMode.ON,
    *,
    implicit_tls: bool = False,
    drain: Drain | None = None,
) -> Connection:
    session = Pop3Server(Policy(starttls=starttls), implicit_tls=implicit_tls)
    layer = TlsLayer(server_side())
    return Connection(session, stream, layer, TIMEOUTS, drain or Drain())


async def line(stream: trio.abc.Stream) -> bytes:
    received = b""
    while not received.endswith(b"\n"):
        received += bytes(await stream.receive_some(1))
    return received


async def rest(stream: trio.abc.Stream) -> bytes:
    received = b""
    while data := bytes(await stream.receive_some()):
        received += data
    return received


async def secure(stream: Wire) -> trio.abc.Stream:
    layer = TlsLayer(client_side(), server_side=False, server_hostname=NAME)
    return (await layer.upgrade(stream)).stream


async def drive(driver: Connection, ending: Goodbye) -> None:
    assert await driver.next_event() == Closed(ending)
    await driver.close()


async def test_stls_upgrades_the_stream_in_line(autojump_clock: MockClock) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drive, driver, Goodbye.QUIT)
        assert await line(theirs) == b"+OK POP3 ready\r\n"
        await theirs.send_all(b"STLS\r\n")
        assert await line(theirs) == b"+OK begin TLS negotiation\r\n"
        secured = await secure(theirs)
        await secured.send_all(b"NOOP\r\nQUIT\r\n")
        assert await line(secured) == b"+OK\r\n"
        assert await rest(secured) == b"+OK bye\r\n"
    assert driver.session.tls is not None
    assert driver.session.tls.version == "TLSv1.3"


async def test_command_in_the_flight_of_the_handshake_is_answered_at_once(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drive, connection(ours, implicit_tls=True), Goodbye.QUIT)
        secured = await secure(theirs)
        await secured.send_all(b"QUIT\r\n")
        assert await rest(secured) == b"+OK POP3 ready\r\n+OK bye\r\n"
    assert trio.current_time() < 1


@pytest.mark.parametrize("injected", [b"CAPA\r\n", b"\x16\x03\x01\x02\x00", b"\n"])
@pytest.mark.parametrize("cut", range(6))
async def test_plaintext_behind_stls_is_never_executed(
    injected: bytes, cut: int, autojump_clock: MockClock
) -> None:
    """In the same segment there is no go-ahead; later there is a broken handshake."""
    ours, theirs = wire_pair()
    driver = connection(ours)
    attack = b"STLS\r\n" + injected
    async with trio.open_nursery() as nursery:
        assert await _begin(driver, theirs, nursery) == b"+OK POP3 ready\r\n"
        await theirs.send_all(attack[:cut])
        await trio.sleep(1)
        await theirs.send_all(attack[cut:])
        assert await rest(theirs) == b"-ERR nothing may follow STLS in the clear\r\n"


async def test_plaintext_in_a_later_segment_meets_openssl(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drive, driver, Goodbye.HANDSHAKE_FAILED)
        await line(theirs)
        await theirs.send_all(b"STLS\r\n")
        await line(theirs)
        await theirs.send_all(b"CAPA\r\nUSER alice\r\n")
        answer = await rest(theirs)
    assert b"OK" not in answer
    assert driver.tls_failure == "wrong version number"


async def _begin(
    driver: Connection, theirs: trio.abc.Stream, nursery: trio.Nursery
) -> bytes:
    nursery.start_soon(drive, driver, Goodbye.PIPELINED_STARTTLS)
    return await line(theirs)


async def test_silent_client_is_closed_when_its_budget_is_spent(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drive, connection(ours), Goodbye.TIMED_OUT)
        assert await rest(theirs) == b"+OK POP3 ready\r\n"
    assert 60 <= trio.current_time() < 61


async def test_trickling_client_has_no_more_time_than_a_silent_one(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()

    async def trickle() -> None:
        with suppress(trio.BrokenResourceError):
            while True:
                await theirs.send_all(b"N")
                await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trickle)
        await drive(connection(ours), Goodbye.TIMED_OUT)
    assert 60 <= trio.current_time() < 63


@pytest.mark.parametrize("hello", [b"", b"\x16\x03\x01\x02\x00\x01"])
async def test_handshake_shares_the_budget(
    hello: bytes, autojump_clock: MockClock
) -> None:
    ours, theirs = wire_pair()
    async with trio.open_nursery() as nursery:
        driver = connection(ours, implicit_tls=True)
        nursery.start_soon(drive, driver, Goodbye.TIMED_OUT)
        await theirs.send_all(hello)
        assert await rest(theirs) == b""
    assert 60 <= trio.current_time() < 61


async def test_client_that_never_reads_is_cut_off(autojump_clock: MockClock) -> None:
    ours, theirs = wire_pair()
    clog(ours)
    driver = connection(ours)
    await drive(driver, Goodbye.TIMED_OUT)
    assert 60 <= trio.current_time() < 64
    with pytest.raises(trio.BrokenResourceError):
        await theirs.send_all(b"x")


async def test_client_that_leaves_cancels_its_login(autojump_clock: MockClock) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    await theirs.send_all(b"USER joe\r\nPASS x\r\n")
    assert isinstance(await driver.next_event(), Authenticate)
    await theirs.aclose()

    async def judge() -> Accepted:
        await trio.sleep(1000)
        return Accepted()

    assert await driver.while_busy(judge) is None
    assert trio.current_time() < 1
    assert await driver.next_event() == Closed(Goodbye.PEER_GONE)


async def test_client_that_half_closes_behind_whole_commands_stays(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    await theirs.send_all(b"USER joe\r\nPASS x\r\nSTAT\r\nQUIT\r\n")
    await theirs.send_eof()
    question = await driver.next_event()
    assert isinstance(question, Authenticate)

    async def judge() -> Accepted:
        await trio.sleep(3)
        return Accepted(b"+OK in\r\n")

    verdict = await driver.while_busy(judge)
    assert verdict is not None
    driver.answer(question, verdict)
    assert isinstance(await driver.next_event(), LoggedIn)
    assert driver.session.trailing_data == b"STAT\r\nQUIT\r\n"


async def test_time_that_we_take_is_not_taken_out_of_the_clients_budget(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    await theirs.send_all(b"USER joe\r\nPASS x\r\n")
    question = await driver.next_event()
    assert isinstance(question, Authenticate)

    async def refuse() -> Rejected:
        await trio.sleep(50)
        return Rejected(Reason.AUTHENTICATIONFAILED)

    verdict = await driver.while_busy(refuse)
    assert verdict is not None
    driver.answer(question, verdict)
    await drive(driver, Goodbye.TIMED_OUT)
    assert 110 <= trio.current_time() < 113


async def test_reading_ahead_has_a_bound(autojump_clock: MockClock) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    await theirs.send_all(b"USER joe\r\nPASS x\r\n" + b"x" * 100_000)
    assert isinstance(await driver.next_event(), Authenticate)

    async def judge() -> Accepted:
        await trio.sleep(1)
        return Accepted()

    await driver.while_busy(judge)
    assert len(driver.session.trailing_data) == READ_SIZE


@pytest.mark.parametrize("began", [True, False])
async def test_drain_ends_silent_clients_at_once(
    began: bool, autojump_clock: MockClock
) -> None:
    ours, theirs = wire_pair()
    drain = Drain()
    async with trio.open_nursery() as nursery:
        if began:
            drain.begin()
        driver = connection(ours, drain=drain)
        nursery.start_soon(drive, driver, Goodbye.SHUTTING_DOWN)
        await trio.sleep(1)
        drain.begin()
        assert await rest(theirs) == b"+OK POP3 ready\r\n"
    assert trio.current_time() < 4


async def test_drain_ends_a_login_that_is_being_judged(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    drain = Drain()
    driver = connection(ours, drain=drain)
    await theirs.send_all(b"USER joe\r\nPASS x\r\n")
    assert isinstance(await driver.next_event(), Authenticate)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.while_busy, trio.sleep_forever)
        await trio.sleep(1)
        drain.begin()
    assert await driver.next_event() == Closed(Goodbye.SHUTTING_DOWN)


RETIREMENT = Pace(unfinished=5, silence=1)


async def test_retirement_lets_a_login_finish_that_has_begun(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    drain = Drain()
    driver = connection(ours, drain=drain)

    async def log_in() -> None:
        await theirs.send_all(b"USER joe\r\n")
        await trio.sleep(10)
        drain.begin(RETIREMENT)
        await trio.sleep(4)
        await theirs.send_all(b"PASS x\r\n")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(log_in)
        question = await driver.next_event()
        assert isinstance(question, Authenticate)

    async def judge() -> Accepted:
        await trio.sleep(0.5)
        return Accepted(b"+OK in\r\n")

    verdict = await driver.while_busy(judge)
    assert verdict is not None
    driver.answer(question, verdict)
    assert isinstance(await driver.next_event(), LoggedIn)


@pytest.mark.parametrize(
    ("said", "ends"),
    [(b"", 10), (b"CAPA\r\n", 10), (b"CA", 15), (b"USER joe\r\n", 15)],
)
async def test_retirement_ends_silence_at_once_and_dawdling_in_time(
    said: bytes, ends: float, autojump_clock: MockClock
) -> None:
    ours, theirs = wire_pair()
    drain = Drain()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(drive, connection(ours, drain=drain), Goodbye.SHUTTING_DOWN)
        await theirs.send_all(said)
        await trio.sleep(10)
        drain.begin(RETIREMENT)
        await rest(theirs)
        assert trio.current_time() == ends


async def test_retirement_leaves_a_client_the_moment_to_answer_its_greeting(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    drain = Drain()
    async with trio.open_nursery() as nursery:
        driver = connection(ours, drain=drain)
        nursery.start_soon(drive, driver, Goodbye.SHUTTING_DOWN)
        assert await line(theirs) == b"+OK POP3 ready\r\n"
        drain.begin(RETIREMENT)
        await trio.sleep(0.9)
        await theirs.send_all(b"NOOP\r\n")
        assert await line(theirs) == b"+OK\r\n"
        await rest(theirs)
        assert trio.current_time() == pytest.approx(1.9)


async def wires() -> tuple[Wire, Wire]:
    """Return both ends of a connection, ours as it is in a server."""
    ours, theirs = socketpair()
    return Wire(ours, 0.1), Wire(theirs, 2)


async def test_handshake_that_has_begun_may_finish_and_one_that_has_not_may_not() -> (
    None
):
    drain = Drain()
    async with trio.open_nursery() as nursery:
        (silent, its_end), (begun, client) = await wires(), await wires()
        drivers = [
            connection(stream, implicit_tls=True, drain=drain)
            for stream in (silent, begun)
        ]
        for driver in drivers:
            nursery.start_soon(drive, driver, Goodbye.SHUTTING_DOWN)
        hello, there = wire_pair()
        nursery.start_soon(_shake_hands, there)
        flight = bytes(await hello.receive_some())
        await client.send_all(flight[:7])
        await trio.testing.wait_all_tasks_blocked(0.05)
        drain.begin(Pace(unfinished=0.5))
        began = trio.current_time()
        with trio.fail_after(5):
            assert await rest(its_end) == b""
            assert trio.current_time() < began + 0.4
            await client.send_all(flight[7:])
            assert (await rest(client))[:1] == b"\x16"  # a ServerHello
            assert trio.current_time() >= began + 0.4
        nursery.cancel_scope.cancel()
    for stream in (its_end, client):
        await stream.aclose()


async def _shake_hands(stream: Wire) -> None:
    with suppress(HandshakeError):
        await secure(stream)


async def test_cancellation_at_any_moment_of_the_handshake_ends_the_connection(
    autojump_clock: MockClock,
) -> None:
    """A handshake that is cut short leaves nothing that could be spoken over."""
    for moment in range(8):
        ours, theirs = wire_pair()
        driver = connection(ours, implicit_tls=True)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:

                async def count_down(wait: int, scope: trio.CancelScope) -> None:
                    for _ in range(wait):
                        await trio.lowlevel.checkpoint()
                    scope.cancel()

                async def shake(stream: Wire) -> None:
                    try:
                        await secure(stream)
                    except HandshakeError:
                        return

                nursery.start_soon(count_down, moment, scope)
                nursery.start_soon(shake, theirs)
                await driver.next_event()
        with trio.CancelScope() as ended:
            ended.cancel()
            await driver.close()
        assert driver.session.data_to_send() in {b"", b"+OK POP3 ready\r\n"}


async def test_client_whose_hello_is_refused_is_told_by_an_alert(
    autojump_clock: MockClock,
) -> None:
    """What OpenSSL wants to say last reaches the peer: here, no common cipher."""
    ours, theirs = wire_pair()
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    layer = TlsLayer(context, server_side=False, server_hostname=NAME)
    async with trio.open_nursery() as nursery:
        driver = connection(ours, implicit_tls=True)
        nursery.start_soon(drive, driver, Goodbye.HANDSHAKE_FAILED)
        with pytest.raises(HandshakeError, match="alert handshake failure"):
            await layer.upgrade(theirs)
        await theirs.aclose()
    assert driver.tls_failure == "no shared cipher"


async def test_farewell_reaches_a_client_in_the_middle_of_anything(
    autojump_clock: MockClock,
) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours)
    await theirs.send_all(b"USER joe\r\nPASS x\r\n")
    await driver.next_event()
    await driver.farewell(Goodbye.INTERNAL_ERROR)
    await driver.close()
    assert (await rest(theirs)).endswith(b"-ERR [SYS/TEMP] internal server error\r\n")


async def test_cut_leaves_no_close_notify(autojump_clock: MockClock) -> None:
    ours, theirs = wire_pair()
    driver = connection(ours, implicit_tls=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(driver.next_event)
        secured = await secure(theirs)
        assert await line(secured) == b"+OK POP3 ready\r\n"
        nursery.cancel_scope.cancel()
    await driver.stream.cut()
    with pytest.raises(trio.BrokenResourceError):
        await rest(secured)
