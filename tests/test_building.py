"""A configuration becomes objects."""

from pathlib import Path
from socket import create_server, socket

import pytest
import trio
from attrs import evolve

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.http_authenticator import HttpAuthenticator
from mailssl_trio.auth.users_authenticator import UsersAuthenticator
from mailssl_trio.building import (
    Shared,
    StartError,
    build_authenticator,
    build_mailbox,
    build_servers,
    issue_development_certificate,
)
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.embedded import Mailboxes
from mailssl_trio.files import Files
from mailssl_trio.logs.opening import Logs, open_logs
from mailssl_trio.logs.writer import ErrorLog
from mailssl_trio.messages import Door
from mailssl_trio.protocol.introduction import ProxyPolicy, XClient
from mailssl_trio.resuming import Resuming
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.wire import Wire

SHIPPED = Path(__file__).parent.parent / "conf" / "mail.toml"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load(SHIPPED, state_directory=tmp_path)


def logger(tmp_path: Path) -> Logs:
    with open_logs((ErrorLog(tmp_path / "log", "info"),)) as logs:
        return logs


async def no_mailbox(protocol: str) -> socket:
    raise OSError


def shared(tmp_path: Path) -> Shared:
    resuming = Resuming(None, (), pytest.fail)
    return Shared(Files(), resuming, logger(tmp_path), no_mailbox, Drain())


async def test_each_server_of_the_shipped_configuration_has_its_door(
    config: Config, tmp_path: Path
) -> None:
    issue_development_certificate(config)
    doors = []
    for number in range(6):
        with create_server(("127.0.0.1", 0)) as listening:
            descriptor = listening.detach()
        doors.append(Door(number, bool(number % 2), descriptor))
    servers = build_servers(config, doors, shared(tmp_path))
    by_tls = [(len(server.listeners), len(server.tls_listeners)) for server in servers]
    assert by_tls == [(1, 0), (0, 1)] * 3
    for server in servers:
        for listener in (*server.listeners, *server.tls_listeners):
            listener.close()


async def test_door_that_was_closed_meanwhile_is_a_reason_not_to_start(
    config: Config, tmp_path: Path
) -> None:
    issue_development_certificate(config)
    with socket() as no_listener:
        descriptor = no_listener.detach()
    doors = [Door(0, ssl=False, descriptor=descriptor)]
    with pytest.raises(StartError, match="no listening socket was handed down"):
        build_servers(config, doors, shared(tmp_path))


async def test_who_judges(config: Config) -> None:
    hashers = trio.CapacityLimiter(1)
    server = config.servers[0]
    assert isinstance(build_authenticator(server, Files(), hashers), UsersAuthenticator)
    by_backend = evolve(server, users=None)
    assert isinstance(
        build_authenticator(by_backend, Files(), hashers), BackendAuthenticator
    )
    with pytest.raises(StartError, match="nobody judges"):
        build_authenticator(evolve(by_backend, upstream=None), Files(), hashers)


async def test_mailbox_is_reached_like_a_backend(
    config: Config, tmp_path: Path
) -> None:
    mailboxes = Mailboxes(build_mailbox(config, Files()), logger(tmp_path).error)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(mailboxes.run)
        async with Wire(await mailboxes.open("pop3"), 1) as stream:
            assert bytes(await stream.receive_some()).startswith(b"+OK")
        nursery.cancel_scope.cancel()


async def test_mailbox_that_is_not_running_leaves_no_socket_behind(
    config: Config, tmp_path: Path
) -> None:
    """An unclosed socket would warn, and warnings are errors here."""
    mailboxes = Mailboxes(build_mailbox(config, Files()), logger(tmp_path).error)
    with trio.move_on_after(0.01):
        await mailboxes.open("pop3")


async def test_auth_server_judges_alone_and_its_connections_are_looked_after(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mail.toml"
    file.write_text(
        '[mail]\n[[mail.server]]\nlisten = "127.0.0.1:143"\n'
        'auth_http = "127.0.0.1:1"\nauth_http_timeout = 7\n'
    )
    (server,) = build_servers(load(file), [], shared(tmp_path))
    authenticator = server.gateway.authenticator
    assert isinstance(authenticator, HttpAuthenticator)
    assert server.upkeep == authenticator.client.tend
    assert authenticator.settings.timeout == 7
    assert not authenticator.smtp_auth
    assert server.gateway.dialer.tls is not None  # for when it asks for TLS


async def test_what_backends_hear_is_what_the_configuration_says(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mail.toml"
    file.write_text(
        '[mail]\n[[mail.server]]\nlisten = "127.0.0.1:587 proxy_protocol"\n'
        'set_real_ip_from = "10.0.0.0/8"\nauth_http = "127.0.0.1:1"\n'
        'proxy_protocol = "v2"\nproxy_smtp_auth = true\nproxy_buffer = "8k"\n'
        "proxy_pass_error_message = true\n"
    )
    (server,) = build_servers(load(file), [], shared(tmp_path))
    gateway = server.gateway
    assert gateway.dialer.policy == ProxyPolicy(
        XClient.ON, smtp_auth=True, proxy_buffer=8192
    )
    assert gateway.dialer.proxy_protocol is ProxyProtocol.V2
    assert gateway.pass_error_message
    assert gateway.real_ip_from.trusts("10.1.2.3")
    assert isinstance(gateway.authenticator, HttpAuthenticator)
    assert gateway.authenticator.smtp_auth
