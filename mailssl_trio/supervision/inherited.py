"""Listening sockets that systemd has opened for us: sd_listen_fds(3).

They are opened by who may, before we are there, and stay open when we are not: no
privilege is needed for their ports, and a restart refuses nobody. So we use them, and
neither close nor remove them, but for those that no ``listen`` has use for.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress

from attrs import field, frozen

from mailssl_trio.transport.listening import SocketAddress

FIRST = 3
"""The descriptors are numbered from here on."""

FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6, socket.AF_UNIX})


@frozen(eq=False)
class Inherited:
    """A socket that listens already."""

    address: SocketAddress
    name: str
    """What the socket unit calls it: ``FileDescriptorName=``, else its own name."""
    socket: socket.socket

    @property
    def is_both_families(self) -> bool:
        """Whether clients of IPv4 come to an address of IPv6."""
        if self.address.family != socket.AF_INET6 or self.address.name[0] != "::":
            return False
        return not self.socket.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)

    def __str__(self) -> str:
        return f"{self.address}, named {self.name} by systemd"


@frozen
class Inheritance:
    """All that we have inherited."""

    sockets: list[Inherited] = field(factory=list)
    useless: list[str] = field(factory=list)
    """What is none, in words."""

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Inheritance":
        """Take what is meant for this process; its children will not have it."""
        sockets: list[Inherited] = []
        useless: list[str] = []
        for descriptor, name in _descriptors(environment):
            try:
                sockets.append(_taken(descriptor, name))
            except OSError as error:
                text = f"descriptor {descriptor}, named {name} by systemd, is closed"
                useless.append(f"{text}: {error.strerror or error}")
                with suppress(OSError):
                    os.close(descriptor)
        return cls(sockets, useless)

    def at(self, address: SocketAddress) -> Inherited | None:
        """Return the socket of an address."""
        return next((one for one in self.sockets if one.address == address), None)

    def named(self, name: str) -> list[SocketAddress]:
        """Return the addresses that have a name."""
        return [one.address for one in self.sockets if one.name == name]

    def drop(self, one: Inherited) -> None:
        """Close what nobody has use for."""
        self.sockets.remove(one)
        one.socket.close()


def _descriptors(environment: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield descriptors and their names, if they are meant for this very process."""
    count = environment.get("LISTEN_FDS", "")
    if environment.get("LISTEN_PID") == str(os.getpid()) and count.isdecimal():
        names = environment.get("LISTEN_FDNAMES", "").split(":")
        for number in range(int(count)):
            name = names[number] if number < len(names) else ""
            yield FIRST + number, name or "unknown"


def _taken(descriptor: int, name: str) -> Inherited:
    """Raises OSError for what is no socket that listens for streams."""
    os.set_inheritable(descriptor, False)
    found = socket.socket(fileno=descriptor)
    is_listening = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if found.family not in FAMILIES or not is_listening:
        found.detach()
        raise OSError("it is no socket that listens for connections")
    found.setblocking(False)
    where = found.getsockname()
    path = where if isinstance(where, tuple) else (where,)
    return Inherited(SocketAddress(found.family, path), name, found)
