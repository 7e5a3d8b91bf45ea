"""The directives ``auth_http`` and ``auth_http_*``: where the auth server is, and how.

``[http://]HOST[:PORT][/URI]`` and ``unix:PATH[:/URI]`` are nginx's; ``https://`` is
ours.
"""

import re
from pathlib import Path

from attrs import field, frozen

from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import (
    TcpAddress,
    UnixAddress,
    parse_address,
)
from mailssl_trio.transport.upstream import ProxySsl

HTTP_PORT, HTTPS_PORT = 80, 443

URI = re.compile(r"/[!-~]*")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2
HEADER_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?|")

FRAMING = frozenset({"connection", "content-length", "host", "transfer-encoding"})
"""Headers by which both sides know where a message ends; they are not an operator's."""


@frozen
class AuthServer:
    """Where the auth server is, and what it is asked for there."""

    address: TcpAddress | UnixAddress
    host: str
    """What ``Host`` says: without the port, as nginx has it."""
    uri: str = "/"
    secured: bool = False
    """Whether it is spoken to by TLS."""

    def __str__(self) -> str:
        if isinstance(self.address, UnixAddress):
            return f"{self.address}:{self.uri}"
        return f"{'https' if self.secured else 'http'}://{self.address}{self.uri}"


@frozen
class AuthHttp:
    """All that one virtual server has to know of its auth server."""

    server: AuthServer
    timeout: float = 60.0
    """From the connecting to the end of the answer's headers, in all."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Said last, as they stand; one of them may be a secret."""
    pass_client_cert: bool = False
    trusted_certificate: Path | None = None
    """PEM of the CAs that its certificate may come from; None means the system's."""
    proxy_ssl: ProxySsl = ProxySsl.OFF
    """How TLS begins with backends, unless the auth server says otherwise."""
    backend_tls: BackendTlsPolicy | None = field(factory=BackendTlsPolicy)
    """None where nothing is set and no CA is known that a backend could come from."""

    @property
    def tls(self) -> BackendTlsPolicy | None:
        """How TLS is spoken with the auth server itself; None if it is not."""
        if not self.server.secured:
            return None
        return BackendTlsPolicy(trusted_certificate=self.trusted_certificate)


def parse_auth_server(text: str) -> AuthServer:
    """Read the value of ``auth_http``; ValueError says what is wrong with it."""
    if text.startswith("unix:"):
        path, _, uri = text.removeprefix("unix:").partition(":")
        if not path:
            raise ValueError("no path behind unix:")
        return AuthServer(UnixAddress(Path(path)), "localhost", _uri(uri))
    secured = text.startswith("https://")
    place = text.removeprefix("https://").removeprefix("http://")
    authority, slash, rest = place.partition("/")
    address = parse_address(authority, HTTPS_PORT if secured else HTTP_PORT)
    if not isinstance(address, TcpAddress):
        raise ValueError("it is asked by HTTP, so it has a host, or a Unix socket")
    host = f"[{address.host}]" if ":" in address.host else address.host
    return AuthServer(address, host, _uri(slash + rest), secured)


def _uri(text: str) -> str:
    uri = text or "/"
    if URI.fullmatch(uri) is None:
        raise ValueError("its URI must begin with / and be ASCII, without spaces")
    return uri


def parse_header(text: str) -> tuple[str, str]:
    """Read ``NAME VALUE``; ValueError does not quote it, for it may be a secret."""
    name, _, value = text.partition(" ")
    value = value.strip(" ")
    if HEADER_NAME.fullmatch(name) is None:
        raise ValueError('no header: write "NAME VALUE"')
    if HEADER_VALUE.fullmatch(value) is None:
        raise ValueError("the value of a header is printable ASCII")
    if name.lower() in FRAMING:
        raise ValueError("this header is not yours to set")
    return name, value
