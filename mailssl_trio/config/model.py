"""The configuration as the program uses it: whole, checked, defaults filled in."""

from ipaddress import ip_address
from pathlib import Path

from attrs import field, frozen

from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.config.problem import Problem
from mailssl_trio.protocol.introduction import ProxyPolicy
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.tls.policy import TlsPolicy
from mailssl_trio.transport.announcing import ProxyProtocol
from mailssl_trio.transport.proxied import RealIpFrom
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import Upstream


@frozen
class Listen:
    """An address to listen on. Names are looked up when the socket is opened."""

    host: str
    port: int
    ssl: bool = False
    """TLS from the first octet; STARTTLS is neither offered nor accepted here."""
    proxy_protocol: bool = False
    """A PROXY header comes before everything else, TLS included."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def overlaps(self, other: "Listen") -> bool:
        """Whether the system would refuse to open both."""
        wildcards = {"0.0.0.0", "::"} & {self.host, other.host}
        same_family = (":" in self.host) == (":" in other.host)
        same_host = self.host == other.host or (bool(wildcards) and same_family)
        return same_host and self.port == other.port


@frozen
class ErrorLog:
    """The directive ``error_log``."""

    target: Path | None = None
    """None means standard error."""
    level: str = "error"
    """The least of nginx's levels that is written."""

    def __str__(self) -> str:
        return f"{self.target or 'stderr'} {self.level}"


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
    auth_http: AuthHttp | None = None
    """The auth server, where there is one: then it alone decides."""
    real_ip_from: RealIpFrom = field(factory=RealIpFrom)
    """Whose PROXY headers say who the client is."""
    proxy: ProxyPolicy = field(factory=ProxyPolicy)
    """How backends are dealt with before the login is over."""
    proxy_protocol: ProxyProtocol = ProxyProtocol.OFF
    pass_error_message: bool = False
    """Whether clients hear the refusals of backends in their own words."""


def development_pair(state_directory: Path) -> tuple[Path, Path]:
    """Return where the certificate that we issue ourselves lies, and its key."""
    issued = state_directory / "tls"
    return issued / "cert.pem", issued / "key.pem"


@frozen
class Config:
    """Everything that a configuration file says."""

    file: Path
    state_directory: Path
    error_log: ErrorLog
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
