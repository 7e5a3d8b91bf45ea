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
    port = int(match["port"] or default_port)
    if not 1 <= port <= 65535:
        raise ValueError("port out of range")
    return TcpAddress(match["v6"] or match["host"], port)
