"""Where a backend is: host and port, a Unix socket, or the embedded mailbox."""

import re
from pathlib import Path
from typing import TypeAlias

from attrs import frozen


@frozen
class TcpAddress:
    """An IP address or a host name, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@frozen
class UnixAddress:
    """A stream socket in the file system."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@frozen
class EmbeddedAddress:
    """The mailbox inside this very process."""

    def __str__(self) -> str:
        return "embedded"


Address: TypeAlias = TcpAddress | UnixAddress | EmbeddedAddress

WITH_PORT = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\[\]/\s]+))(?::(?P<port>\d{1,5}))?"
)

HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?"
)
"""Labels of at most 63 octets, 253 in all (RFC 1035 section 2.3.4)."""


def parse_address(text: str, default_port: int) -> Address:
    """Read ``HOST[:PORT]``, ``[IPv6][:PORT]``, ``unix:PATH`` or ``embedded``.

    Raises ValueError, whose text says what is wrong with it.
    """
    if text == "embedded":
        return EmbeddedAddress()
    if text.startswith("unix:"):
        if not text.removeprefix("unix:"):
            raise ValueError("no path behind unix:")
        return UnixAddress(Path(text.removeprefix("unix:")))
    if (match := WITH_PORT.fullmatch(text)) is None:
        raise ValueError("neither HOST:PORT, [IPv6]:PORT, unix:PATH nor embedded")
    if match["host"] and HOST_NAME.fullmatch(match["host"]) is None:
        raise ValueError("no host name (write an international one as xn--…)")
    port = int(match["port"] or default_port)
    if not 1 <= port <= 65535:
        raise ValueError("port out of range")
    return TcpAddress(match["v6"] or match["host"], port)
