"""One process: the only place where configuration becomes objects."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from math import inf

import trio
from attrs import frozen

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.route import Authenticator
from mailssl_trio.auth.users_authenticator import UsersAuthenticator
from mailssl_trio.auth.users_file import read_users
from mailssl_trio.config.model import Config, VirtualServer
from mailssl_trio.embedded import Mailboxes
from mailssl_trio.error_log import ErrorLogger, open_error_log
from mailssl_trio.files import Files
from mailssl_trio.gateway import Gateway
from mailssl_trio.mailbox.service import Mailbox
from mailssl_trio.server import Server
from mailssl_trio.tls.context import client_context, missing_features
from mailssl_trio.tls.development import (
    DevelopmentCertificate,
    development_certificate,
)
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.transport.dial import Dialer, Embedded
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.listening import ListenError, open_listeners
from mailssl_trio.transport.upstream import ProxySsl

HASHERS = 2
"""Passwords that are verified at once; each keeps a processor busy."""

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

DEFAULT_SHUTDOWN_TIMEOUT = 30.0
"""Seconds that logged-in sessions get where ``worker_shutdown_timeout`` is unset."""


class StartError(Exception):
    """The worker cannot start; ``denied`` says that the system does not let it."""

    def __init__(self, text: str, *, denied: bool = False) -> None:
        super().__init__(text)
        self.denied = denied


@frozen
class Started:
    """What there is to say once every address is open."""

    config: Config
    development: DevelopmentCertificate | None


class Stop:
    """A drain, and how long logged-in sessions get once it has begun."""

    def __init__(self, configured: float | None) -> None:
        self.drain = Drain()
        self._timeout = DEFAULT_SHUTDOWN_TIMEOUT if configured is None else configured
        self._patient = inf if configured is None else configured

    def timeout(self) -> float:
        """Return the seconds from the beginning of the drain to the end of all."""
        return self._timeout

    async def obey_signals(
        self,
        everything: trio.CancelScope,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Drain at the first signal, end at the second.

        SIGQUIT drains without limit where ``worker_shutdown_timeout`` is unset.
        """
        with trio.open_signal_receiver(*STOP_SIGNALS) as signals:
            task_status.started()
            async for number in signals:
                if self.drain.begun:
                    everything.cancel()
                    return
                if number == signal.SIGQUIT:
                    self._timeout = self._patient
                self.drain.begin()


async def run(config: Config, announce: Callable[[Started], None]) -> None:
    """Serve until a signal ends it; raise StartError before anything is served."""
    development = issue_development_certificate(config)
    with opened_error_log(config) as log:
        for missing in missing_features():
            log.write("warn", missing)
        stop = Stop(config.worker_shutdown_timeout)
        mailboxes = Mailboxes(build_mailbox(config), log)
        servers = await build_servers(config, log, mailboxes.open, stop)
        async with trio.open_nursery() as nursery:
            await nursery.start(stop.obey_signals, nursery.cancel_scope)
            nursery.start_soon(mailboxes.run)
            announce(Started(config, development))
            async with trio.open_nursery() as serving:
                for server in servers:
                    serving.start_soon(server.run)
            nursery.cancel_scope.cancel()
        log.write("notice", "exit")


def issue_development_certificate(config: Config) -> DevelopmentCertificate | None:
    """Make, or find, the certificate that no file of the operator's provides."""
    if not config.development_certificate:
        return None
    try:
        return development_certificate(config.state_directory / "tls")
    except TlsSettingsError as error:
        raise StartError(str(error), denied=True) from None


@contextmanager
def opened_error_log(config: Config) -> Iterator[ErrorLogger]:
    """Open ``error_log``; StartError if that may not be."""
    with ExitStack() as closing:
        target, level = config.error_log.target, config.error_log.level
        try:
            log = closing.enter_context(open_error_log(target, level))
        except OSError as error:
            raise StartError(f"error_log: {error}", denied=True) from None
        yield log


def build_mailbox(config: Config) -> Mailbox:
    """Make the embedded mailbox, for everybody whom one of the users files names."""
    files = {server.users for server in config.servers if server.users is not None}
    names = frozenset[str]().union(*(read_users(file).names for file in files))
    addresses = frozenset(name.lower().encode() for name in names)

    async def local_users() -> frozenset[bytes]:
        return addresses

    server_name = config.servers[0].policy.server_name
    return Mailbox(config.state_directory / "mail", local_users, server_name)


async def build_servers(
    config: Config, log: ErrorLogger, embedded: Embedded, stop: Stop
) -> list[Server]:
    """Open every address, or none; StartError names the server whose it is."""
    hashers = trio.CapacityLimiter(HASHERS)
    async with AsyncExitStack() as undo:
        servers: list[Server] = []
        for settings in config.servers:
            authenticator = build_authenticator(settings, hashers)
            gateway = build_gateway(settings, authenticator, log, embedded)
            plain, secured = [
                await _open(settings, ssl=ssl, undo=undo) for ssl in (False, True)
            ]
            servers.append(Server(gateway, plain, secured, stop.drain, stop.timeout))
        undo.pop_all()
        return servers


async def _open(
    settings: VirtualServer, *, ssl: bool, undo: AsyncExitStack
) -> list[trio.SocketListener]:
    opened: list[trio.SocketListener] = []
    for listen in settings.listens:
        if listen.ssl is ssl:
            try:
                listeners = await open_listeners(listen.host, listen.port)
            except ListenError as error:
                text = f"{settings.name}: {error}"
                raise StartError(text, denied=error.denied) from None
            for listener in listeners:
                undo.push_async_callback(listener.aclose)
            opened += listeners
    return opened


def build_gateway(
    settings: VirtualServer,
    authenticator: Authenticator,
    log: ErrorLogger,
    embedded: Embedded,
) -> Gateway:
    """Make one virtual server's objects of its settings."""
    server_tls = backend_tls = None
    if settings.tls is not None:
        server_tls = ServerTls(settings.tls, settings.protocol, Files())
    if (
        settings.upstream is not None
        and settings.upstream.proxy_ssl is not ProxySsl.OFF
    ):
        backend_tls = client_context(settings.upstream.tls)
    dialer = Dialer(
        settings.protocol,
        settings.policy.server_name,
        settings.timeouts,
        backend_tls,
        embedded,
    )
    return Gateway(
        settings.protocol,
        settings.policy,
        server_tls,
        authenticator,
        dialer,
        settings.timeouts,
        log,
    )


def build_authenticator(
    settings: VirtualServer, hashers: trio.CapacityLimiter
) -> Authenticator:
    """Decide who judges: the users file where there is one, else the backend."""
    if settings.users is not None:
        users = read_users(settings.users)
        return UsersAuthenticator(users, settings.upstream, hashers)
    if settings.upstream is None:
        raise StartError(f"{settings.name}: nobody judges logins")
    return BackendAuthenticator(settings.upstream)
