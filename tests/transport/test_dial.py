"""Dialling: every address of a name, within its time; a socket; the mailbox."""

from pathlib import Path
from socket import socket, socketpair

import pytest
import trio
from trio.testing import MockClock

from mailssl_trio.protocol.credentials import Password
from mailssl_trio.transport.address import (
    Address,
    EmbeddedAddress,
    TcpAddress,
    UnixAddress,
)
from mailssl_trio.transport.dial import Dialer, DialError
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream
from tests.tls_pair import client_side

JOE = Password(b"joe", b"x")
TIMEOUTS = Timeouts(connect=0.2, close=0.2)


async def reach(address: Address, timeouts: Timeouts = TIMEOUTS) -> None:
    dialer = Dialer("pop3", "gw", timeouts)
    connection = await dialer.open(Upstream(address), JOE)
    await connection.close()


async def test_every_address_of_a_name_is_tried() -> None:
    """localhost has two addresses here; only one of them is listened on."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        await reach(TcpAddress("localhost", port))


async def test_unix_socket_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "pop3"
    with trio.socket.socket(trio.socket.AF_UNIX) as listening:
        await listening.bind(str(path))
        listening.listen(1)
        await reach(UnixAddress(path))


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (
            TcpAddress("127.0.0.1", 1),
            r"connect\(\) to 127.0.0.1:1 failed \(111: Connection refused\)",
        ),
        (UnixAddress(Path("/nowhere")), r"unix:/nowhere failed \(2: No such file"),
        (EmbeddedAddress(), "no embedded mailbox"),
    ],
)
async def test_backend_that_cannot_be_reached(address: Address, why: str) -> None:
    with pytest.raises(DialError, match=why):
        await reach(address)


@pytest.mark.parametrize(
    "timeouts", [TIMEOUTS, Timeouts(session=0.2, connect=60, close=0.2)]
)
async def test_backend_that_does_not_answer_is_given_up(timeouts: Timeouts) -> None:
    """A full backlog leaves the next client without an answer."""
    with trio.socket.socket() as deaf:
        await deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        first = await trio.open_tcp_stream("127.0.0.1", port)
        with pytest.raises(DialError, match="timed out"):
            await reach(TcpAddress("127.0.0.1", port), timeouts)
        await first.aclose()


async def test_time_to_connect_is_taken_out_of_that_to_log_in(
    autojump_clock: MockClock,
) -> None:
    async def slow(protocol: str) -> socket:
        await trio.sleep(4)
        ours, theirs = socketpair()
        theirs.close()
        return ours

    dialer = Dialer("pop3", "gw", Timeouts(session=5), embedded=slow)
    connection = await dialer.open(Upstream(EmbeddedAddress()), JOE)
    assert connection.deadline - trio.current_time() == pytest.approx(1)
    await connection.close()


@pytest.mark.parametrize(
    ("upstream", "name"),
    [
        (Upstream(TcpAddress("127.0.0.1", 0), ProxySsl.ON), "127.0.0.1"),
        (Upstream(UnixAddress(Path("x")), ProxySsl.STARTTLS), "gw"),
    ],
)
def test_name_to_verify_is_the_backends_host(upstream: Upstream, name: str) -> None:
    layer = Dialer("pop3", "gw", TIMEOUTS, client_side())._layer(upstream)
    assert layer is not None
    assert layer.server_hostname == name
    assert not layer.server_side
