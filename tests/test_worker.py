"""One process made of a configuration: all of it, or nothing that stays open."""

import signal
from pathlib import Path

import pytest
import trio
from attrs import evolve

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.users_authenticator import UsersAuthenticator
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config, Listen
from mailssl_trio.embedded import Mailboxes
from mailssl_trio.error_log import ErrorLogger, open_error_log
from mailssl_trio.worker import (
    StartError,
    Stop,
    build_authenticator,
    build_mailbox,
    build_servers,
    issue_development_certificate,
)

SHIPPED = Path(__file__).parent.parent / "conf" / "mail.toml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The shipped configuration, on ports that the system chooses."""
    shipped = load(SHIPPED, state_directory=tmp_path)
    servers = tuple(
        evolve(server, listens=(evolve(server.listens[0], port=0),))
        for server in shipped.servers
    )
    return evolve(shipped, servers=servers)


def logger(tmp_path: Path) -> ErrorLogger:
    with open_error_log(tmp_path / "log", "info") as log:
        return log


async def no_mailbox(protocol: str) -> trio.SocketStream:
    raise OSError


async def test_shipped_configuration_becomes_six_servers(
    config: Config, tmp_path: Path
) -> None:
    issue_development_certificate(config)
    log = logger(tmp_path)
    servers = await build_servers(config, log, no_mailbox, Stop(None))
    by_tls = [(len(server.listeners), len(server.tls_listeners)) for server in servers]
    assert by_tls == [(1, 0), (0, 1)] * 3
    for server in servers:
        for listener in (*server.listeners, *server.tls_listeners):
            await listener.aclose()


async def test_port_that_is_taken_leaves_no_other_open(
    config: Config, tmp_path: Path
) -> None:
    issue_development_certificate(config)
    (taken,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with taken:
        port = taken.socket.getsockname()[1]
        free = await _free_port()
        first, *others = config.servers
        busy = evolve(others[0], listens=(Listen("127.0.0.1", port, ssl=True),))
        first = evolve(first, listens=(Listen("127.0.0.1", free),))
        clashing = evolve(config, servers=(first, busy))
        with pytest.raises(StartError, match="Address already in use") as failed:
            await build_servers(clashing, logger(tmp_path), no_mailbox, Stop(None))
    assert busy.name in str(failed.value)
    assert not failed.value.denied
    for listener in await trio.open_tcp_listeners(free, host="127.0.0.1"):
        await listener.aclose()


async def _free_port() -> int:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        return int(listener.socket.getsockname()[1])


async def test_who_judges(config: Config) -> None:
    hashers = trio.CapacityLimiter(1)
    server = config.servers[0]
    assert isinstance(build_authenticator(server, hashers), UsersAuthenticator)
    by_backend = evolve(server, users=None)
    assert isinstance(build_authenticator(by_backend, hashers), BackendAuthenticator)
    with pytest.raises(StartError, match="nobody judges"):
        build_authenticator(evolve(by_backend, upstream=None), hashers)


async def test_mailbox_is_reached_like_a_backend(
    config: Config, tmp_path: Path
) -> None:
    mailboxes = Mailboxes(build_mailbox(config), logger(tmp_path))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailboxes.run)
        async with await mailboxes.open("pop3") as stream:
            assert bytes(await stream.receive_some()).startswith(b"+OK")
        nursery.cancel_scope.cancel()


async def test_mailbox_that_is_not_running_leaves_no_socket_behind(
    config: Config, tmp_path: Path
) -> None:
    """An unclosed socket would warn, and warnings are errors here."""
    mailboxes = Mailboxes(build_mailbox(config), logger(tmp_path))
    with trio.move_on_after(0.01):
        await mailboxes.open("pop3")


@pytest.mark.parametrize(
    ("number", "configured", "allowed"),
    [
        (signal.SIGTERM, None, 30.0),
        (signal.SIGINT, 5.0, 5.0),
        (signal.SIGQUIT, None, float("inf")),
        (signal.SIGQUIT, 5.0, 5.0),
    ],
)
async def test_first_signal_drains_and_the_second_ends(
    number: signal.Signals, configured: float | None, allowed: float
) -> None:
    stop = Stop(configured)
    with trio.CancelScope() as everything:
        async with trio.open_nursery() as nursery:
            await nursery.start(stop.obey_signals, everything)
            signal.raise_signal(number)
            with trio.fail_after(1):
                while not stop.drain.begun:
                    await trio.lowlevel.checkpoint()
            assert stop.timeout() == allowed
            signal.raise_signal(signal.SIGTERM)
            await trio.sleep_forever()
    assert everything.cancelled_caught
