"""Where configuration becomes objects, and nowhere else."""

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from ssl import SSLContext

import trio
from attrs import field, frozen

from mailssl_trio.auth.backend import BackendAuthenticator
from mailssl_trio.auth.http_authenticator import HttpAuthenticator
from mailssl_trio.auth.http_client import HttpClient
from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.auth.route import Authenticator
from mailssl_trio.auth.users_authenticator import UsersAuthenticator
from mailssl_trio.auth.users_file import read_users
from mailssl_trio.config.model import Config, VirtualServer
from mailssl_trio.files import Files
from mailssl_trio.gateway import Gateway
from mailssl_trio.limits.counts import Counts
from mailssl_trio.limits.crowd import Crowd
from mailssl_trio.limits.house import House
from mailssl_trio.limits.seats import Seats
from mailssl_trio.limits.tags import Tags
from mailssl_trio.logs.opening import Logs, open_logs
from mailssl_trio.mailbox.service import Mailbox
from mailssl_trio.messages import Door, Limiting
from mailssl_trio.observer import Observer
from mailssl_trio.resuming import Resuming
from mailssl_trio.server import Server
from mailssl_trio.tls.certificates.development import (
    DevelopmentCertificate,
    development_certificate,
)
from mailssl_trio.tls.context import client_context
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.transport.dial import Dialer, Embedded
from mailssl_trio.transport.drain import Drain
from mailssl_trio.transport.upstream import ProxySsl
from mailssl_trio.visits import Visits

with suppress(ImportError):  # of the extra [dns], as `resolver` is refused then
    from mailssl_trio.transport.client_names import ClientNames

HASHERS = 2
"""Passwords that are verified at once; each keeps a processor busy."""


class StartError(Exception):
    """It cannot be served; ``denied`` says that the system does not let us."""

    def __init__(self, text: str, *, denied: bool = False) -> None:
        super().__init__(text)
        self.denied = denied


def issue_development_certificate(config: Config) -> DevelopmentCertificate | None:
    """Make, or find, the certificate that no file of the operator's provides."""
    if not config.development_certificate:
        return None
    try:
        return development_certificate(config.state_directory / "tls")
    except TlsSettingsError as error:
        raise StartError(str(error), denied=True) from None


@contextmanager
def opened_logs(config: Config) -> Iterator[Logs]:
    """Open all logs, those of the servers too; StartError if one may not be."""
    others = [
        chain
        for server in config.servers
        for chain in (server.error_log, server.access_log or ())
    ]
    with ExitStack() as closing:
        opening = open_logs(config.error_log, config.access_log, others)
        try:
            logs = closing.enter_context(opening)
        except OSError as error:
            raise StartError(f"log: {error}", denied=True) from None
        yield logs


def build_mailbox(config: Config, files: Files) -> Mailbox:
    """Make the embedded mailbox, for everybody whom one of the users files names."""
    lists = {server.users for server in config.servers if server.users is not None}
    names = frozenset[str]().union(*(read_users(file, files).names for file in lists))
    addresses = frozenset(name.lower().encode() for name in names)

    async def local_users() -> frozenset[bytes]:
        return addresses

    server_name = config.servers[0].policy.server_name
    return Mailbox(config.state_directory / "mail", local_users, server_name)


def build_house(
    config: Config, limiting: Limiting | None, complain: Callable[[str], object]
) -> House:
    """Make what the limits of a worker are kept with."""
    seats = Seats(config.worker_connections, complain)
    house = House(seats, Crowd(config.worker_login_connections))
    if limiting is not None:
        house.tags = Tags(limiting.hash_key)
        house.standing.apply(limiting.standing)
        if limiting.place is not None:
            house.counts = Counts(limiting.place, limiting.hash_key)
    return house


@frozen
class Shared:
    """What all servers of a process have in common."""

    files: Files
    resuming: Resuming
    log: Logs
    embedded: Embedded
    drain: Drain
    visits: Visits = field(factory=Visits)
    house: House = field(factory=House)


def build_servers(
    config: Config, doors: Sequence[Door], shared: Shared
) -> list[Server]:
    """Make the virtual servers, each with the sockets that are its own."""
    hashers = trio.CapacityLimiter(HASHERS)
    files = shared.files
    backend_tls = cache(partial(client_context, files=files))
    servers: list[Server] = []
    for number, settings in enumerate(config.servers):
        authenticator = build_authenticator(settings, files, hashers)
        server_tls = build_tls(settings, files, shared.resuming)
        gateway = build_gateway(
            settings,
            backend_tls,
            server_tls,
            authenticator,
            shared.log.of(settings.error_log, settings.access_log),
            shared.embedded,
            shared.house,
        )
        opened = [
            (door, _listener(door.descriptor))
            for door in doors
            if door.server == number
        ]
        plain, secured = (
            [listener for door, listener in opened if door.ssl is ssl]
            for ssl in (False, True)
        )
        proxied = [listener for door, listener in opened if door.proxy_protocol]
        upkeep = (
            authenticator.client.tend
            if isinstance(authenticator, HttpAuthenticator)
            else None
        )
        servers.append(
            Server(
                gateway,
                plain,
                secured,
                shared.drain,
                proxied,
                shared.visits,
                upkeep,
            )
        )
    return servers


def _listener(descriptor: int) -> socket.socket:
    with ExitStack() as undo:
        try:
            inherited = undo.enter_context(socket.socket(fileno=descriptor))
            inherited.set_inheritable(False)
            inherited.setblocking(False)
            listens = inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError as wrong:  # a stop has closed it meanwhile
            raise StartError(f"no listening socket was handed down: {wrong}") from None
        if not listens:
            raise StartError("no listening socket was handed down: it does not listen")
        undo.pop_all()
        return inherited


def build_tls(
    settings: VirtualServer, files: Files, resuming: Resuming
) -> ServerTls | None:
    """Make what a virtual server speaks TLS with, if it does."""
    if (policy := settings.tls) is None:
        return None
    sessions = resuming.sessions(policy, files)
    return ServerTls(policy, settings.protocol, files, sessions)


def build_gateway(
    settings: VirtualServer,
    backend_tls: Callable[[BackendTlsPolicy], SSLContext],
    server_tls: ServerTls | None,
    authenticator: Authenticator,
    log: Observer,
    embedded: Embedded,
    house: House,
) -> Gateway:
    """Make one virtual server's objects of its settings.

    Servers whose backends are spoken to alike may have one context for them.
    """
    policy = _backend_policy(settings)
    dialer = Dialer(
        settings.protocol,
        settings.policy.server_name,
        settings.timeouts,
        None if policy is None else backend_tls(policy),
        embedded,
        settings.proxy,
        settings.proxy_protocol,
    )
    return Gateway(
        settings.protocol,
        settings.policy,
        server_tls,
        authenticator,
        dialer,
        settings.timeouts,
        log,
        settings.real_ip_from,
        settings.pass_error_message,
        names=None if settings.resolver is None else ClientNames(settings.resolver),
        limits=settings.limits,
        house=house,
    )


def _backend_policy(settings: VirtualServer) -> BackendTlsPolicy | None:
    """Return how TLS is spoken with backends; None where it never is."""
    if settings.auth_http is not None:
        return settings.auth_http.backend_tls
    if settings.upstream is None or settings.upstream.proxy_ssl is ProxySsl.OFF:
        return None
    return settings.upstream.tls


def build_authenticator(
    settings: VirtualServer, files: Files, hashers: trio.CapacityLimiter
) -> Authenticator:
    """Decide who judges: an auth server or a users file, else the backend."""
    if settings.auth_http is not None:
        return build_http_authenticator(
            settings.auth_http, files, smtp_auth=settings.proxy.smtp_auth
        )
    if settings.users is not None:
        users = read_users(settings.users, files)
        return UsersAuthenticator(users, settings.upstream, hashers)
    if settings.upstream is None:
        raise StartError(f"{settings.name}: nobody judges logins")
    return BackendAuthenticator(settings.upstream)


def build_http_authenticator(
    settings: AuthHttp, files: Files, *, smtp_auth: bool
) -> HttpAuthenticator:
    """Make what asks an auth server."""
    tls = None if settings.tls is None else client_context(settings.tls, files)
    client = HttpClient(settings.server, settings.timeout, tls)
    return HttpAuthenticator(settings, client, smtp_auth)
