"""The directive ``listen``."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated, TypeAlias

from mailssl_trio.config.listen_parameters import socket_options
from mailssl_trio.config.model import SYSTEMD, Listen
from mailssl_trio.config.values import WrongValueError, is_number, shown, text
from mailssl_trio.transport.listening import UNIX
from mailssl_trio.transport.socket_options import OWN_KEEPALIVE, has_multipath

ADDRESS = re.compile(
    r"(?:(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^\[\]:]*)):)?"
    r"(?P<port>[0-9]{1,5})(?:-(?P<last>[0-9]{1,5}))?"
)
NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")

FD_NAME = re.compile(r"[!-9;-~]{1,255}")  # sd_listen_fds(3)

LONGEST_PATH = 107
"""Octets, behind which the system wants a NUL (unix(7))."""


def listens(value: object) -> tuple[Listen, ...]:
    """Read an address, or an array of them."""
    if not isinstance(value, list):
        return (listen(value),)
    if not value:
        raise WrongValueError("no address", 'write "127.0.0.1:143"')
    return tuple(_element(index, element) for index, element in enumerate(value))


def _element(index: int, value: object) -> Listen:
    try:
        return listen(value)
    except WrongValueError as wrong:
        raise WrongValueError(wrong.text, wrong.remedy, index) from None


def listen(value: object) -> Listen:
    """Read ``ADDRESS:PORT``, ``*:PORT`` or ``PORT``, and the words behind it."""
    where, *parameters = text(str(value) if is_number(value) else value).split() or [""]
    host, first, last = _where(where)
    return Listen(
        host,
        first,
        ssl="ssl" in parameters,
        proxy_protocol="proxy_protocol" in parameters,
        last_port=last,
        options=socket_options(parameters),
    )


def _where(where: str) -> tuple[str, int, int]:
    if where.startswith(UNIX):
        return _unix(where)
    return _systemds(where) if where.startswith(SYSTEMD) else _tcp(where)


def _systemds(where: str) -> tuple[str, int, int]:
    if not FD_NAME.fullmatch(where.removeprefix(SYSTEMD)):
        raise _no_address(where, "systemd:NAME, as FileDescriptorName= has it")
    return where, 0, 0


def _unix(where: str) -> tuple[str, int, int]:
    path = where.removeprefix(UNIX)
    if not path.startswith("/") or not len(path.encode()) <= LONGEST_PATH:
        raise _no_address(
            where, f"unix:/PATH, of at most {LONGEST_PATH} octets behind unix:"
        )
    return where, 0, 0


def _tcp(where: str) -> tuple[str, int, int]:
    """Return the host, the port, and the end of a range, if it is one."""
    if (found := ADDRESS.fullmatch(where)) is None:
        raise _no_address(where, "ADDRESS:PORT, [IPv6]:PORT, *:PORT or PORT")
    first, last = int(found["port"]), int(found["last"] or 0)
    if not 1 <= first <= 65535 or last > 65535:
        raise _no_address(where, "a port from 1 to 65535")
    if found["last"] and last < first:
        raise _no_address(where, "FIRST-LAST, where a range of ports is meant")
    return _host(found), first, last


def _host(found: re.Match[str]) -> str:
    if found["v6"] is None and found["host"] in {None, "*"}:
        return "0.0.0.0"
    host = found["v6"] if found["host"] is None else found["host"]
    try:
        literal = ip_address(host)
    except ValueError:
        looks_numeric = found["host"] is None or re.fullmatch(r"[0-9.]*", host)
        if looks_numeric or NAME.fullmatch(host) is None:
            raise _no_address(host, "an IP address or a host name") from None
        return host.lower()
    if (literal.version == 6) is (found["v6"] is None):
        raise _no_address(host, "brackets around IPv6, and only around IPv6")
    return str(literal)


def _no_address(word: str, wanted: str) -> WrongValueError:
    return WrongValueError(
        f"{shown(word)} is no address to listen on", f"it must be {wanted}"
    )


def idle_parameters(listen: Listen) -> Iterator[tuple[str, str]]:
    """Yield each parameter that decides nothing for this address, and why."""
    options = listen.options
    if listen.is_unix and options.keepalive != OWN_KEEPALIVE:
        yield "so_keepalive", "it is a socket in the file system"
    if listen.is_unix and options.multipath:
        yield "multipath", "it is a socket in the file system"
    elif options.multipath and not has_multipath():
        yield "multipath", "the system has no Multipath TCP"
    if not options.ipv6only and not _may_be_ipv6(listen.host):
        yield "ipv6only", "it is no address of IPv6"


def _may_be_ipv6(host: str) -> bool:
    try:
        return ip_address(host).version == 6
    except ValueError:
        return not host.startswith(UNIX)


Listens: TypeAlias = Annotated[tuple[Listen, ...], listens]
