"""The configuration as the program uses it: whole, checked, defaults filled in."""

from ipaddress import ip_address
from pathlib import Path

from attrs import field, frozen

from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.config.problem import Problem
from mailssl_trio.config.worker_user import WorkerUser
from mailssl_trio.limits.house import MOST_BEFORE_LOGIN
from mailssl_trio.limits.policy import LimitPolicy
from mailssl_trio.logs.access_log import AccessChain
from mailssl_trio.logs.writer import Chain
from mailssl_trio.protocol.introduction import ProxyPolicy
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.listening import UNIX
from mailssl_trio.transport.proxied import RealIpFrom
from mailssl_trio.transport.resolver import Resolver
from mailssl_trio.transport.socket_options import SocketOptions
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import Upstream

SYSTEMD = "systemd:"
"""Before the name that a socket of systemd's has."""


@frozen
class Listen:
    """An address to listen on. Names are looked up when the socket is opened."""

    host: str
    """An address or a name; or ``unix:/path`` or ``systemd:NAME``, without a port."""
    port: int
    ssl: bool = False
    """TLS from the first octet; STARTTLS is neither offered nor accepted here."""
    proxy_protocol: bool = False
    """A PROXY header comes before everything else, TLS included."""
    last_port: int = field(default=0, kw_only=True)
    """The end of a range that begins at ``port``, if it is one."""
    options: SocketOptions = field(factory=SocketOptions, kw_only=True)

    def __str__(self) -> str:
        if self.is_unix or self.is_systemds:
            return self.host
        host = f"[{self.host}]" if ":" in self.host else self.host
        end = f"-{self.last_port}" if self.last_port > self.port else ""
        return f"{host}:{self.port}{end}"

    @property
    def is_unix(self) -> bool:
        """Whether it is a socket in the file system."""
        return self.host.startswith(UNIX)

    @property
    def is_systemds(self) -> bool:
        """Whether systemd has opened it, and given it a name."""
        return self.host.startswith(SYSTEMD)

    @property
    def ports(self) -> range:
        """Every port of it; 0 where there is none."""
        return range(self.port, max(self.port, self.last_port) + 1)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        if self.is_unix:
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def overlaps(self, other: "Listen") -> bool:
        """Whether both are one address, in part at least.

        A wildcard and an address of its family are two: see ``transport.listening``.
        """
        first = max(self.port, other.port)
        return (first in self.ports and first in other.ports) and (
            self.host == other.host or self._takes_in(other) or other._takes_in(self)
        )

    def _takes_in(self, other: "Listen") -> bool:
        """Whether IPv4 comes to a socket of IPv6, too."""
        is_both = self.host == "::" and not self.options.ipv6only
        return is_both and not other.is_unix and ":" not in other.host


@frozen
class VirtualServer:
    """One ``[[mail.server]]`` with all that it inherits."""

    name: str
    """For the log: ``mail.server[0] at conf/mail.toml:12``."""
    listens: tuple[Listen, ...]
    protocol: str
    """``imap``, ``pop3`` or ``smtp``."""
    policy: Policy
    tls: TlsPolicy | None
    """None where neither an address nor STARTTLS speaks TLS."""
    timeouts: Timeouts
    users: Path | None
    """Who may log in; None means that an auth server judges, or the backend."""
    upstream: Upstream | None
    """Where they go; None means that each user has a backend of his own, or that the
    auth server names it."""
    resolver: Resolver | None = None
    """Who knows the names of SMTP clients; None: nobody is asked."""
    error_log: Chain = ()
    """Where what is told of it is written; nothing here: where all else is."""
    access_log: AccessChain | None = None
    """Where its logins and ends are written; None: where those of others are."""
    auth_http: AuthHttp | None = None
    """The auth server, where there is one: then it alone decides."""
    real_ip_from: RealIpFrom = field(factory=RealIpFrom)
    """Whose PROXY headers say who the client is."""
    proxy: ProxyPolicy = field(factory=ProxyPolicy)
    """How backends are dealt with before the login is over."""
    proxy_protocol: ProxyProtocol = ProxyProtocol.OFF
    pass_error_message: bool = False
    """Whether clients hear the refusals of backends in their own words."""
    limits: LimitPolicy = field(factory=LimitPolicy)


def development_pair(state_directory: Path) -> tuple[Path, Path]:
    """Return where the certificate that we issue ourselves lies, and its key."""
    issued = state_directory / "tls"
    return issued / "cert.pem", issued / "key.pem"


@frozen
class Config:
    """Everything that a configuration file says."""

    file: Path
    state_directory: Path
    error_log: Chain
    worker_shutdown_timeout: float | None
    """Seconds that logged-in sessions get at a stop; None where it is not set."""
    worker_processes: int
    """How many there are; ``auto`` is a number here already."""
    pid: Path | None
    """Where the number of the first process lies while it serves."""
    servers: tuple[VirtualServer, ...]
    development_certificate: bool
    """Whether a server needs the certificate that we issue ourselves, at start."""
    warnings: tuple[Problem, ...] = ()
    user: WorkerUser | None = None
    """Who the workers are; None: who the supervisor is."""
    worker_connections: int | None = None
    """How many connections each may have; None: as many as it can."""
    worker_login_connections: int = MOST_BEFORE_LOGIN
    """How many of them may be there that have not logged in."""
    worker_rlimit_nofile: int | None = None
    """How many files each may have open; None: what the system allows."""
    control: Path | None = None
    """Where the control socket is; None: there is none."""
    control_is_default: bool = False
    """Nobody has asked for one there, and nobody has refused it."""
    access_log: AccessChain = ()
    """Where logins and ends are written; nothing here: nowhere."""

    @property
    def log_files(self) -> tuple[Path, ...]:
        """Every file that lines are written to, each once."""
        chains: list[Chain | AccessChain] = [self.error_log, self.access_log]
        for server in self.servers:
            chains += [server.error_log, server.access_log or ()]
        targets = dict.fromkeys(one.target for chain in chains for one in chain)
        return tuple(target for target in targets if isinstance(target, Path))
