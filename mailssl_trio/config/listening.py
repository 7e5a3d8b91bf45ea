"""The directive ``listen``."""

import re
from ipaddress import ip_address
from typing import Annotated, TypeAlias

from mailssl_trio.config.model import Listen
from mailssl_trio.config.values import WrongValueError, is_number, shown, text

ADDRESS = re.compile(
    r"(?:(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^\[\]:]*)):)?(?P<port>[0-9]{1,5})"
)
NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")

PARAMETERS = ("ssl", "proxy_protocol")
NGINX_PARAMETERS = re.compile(
    r"(?:backlog|rcvbuf|sndbuf|so_keepalive|ipv6only)=.*|bind|multipath"
)


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
    if (found := ADDRESS.fullmatch(where)) is None:
        raise _no_address(where, "ADDRESS:PORT, [IPv6]:PORT, *:PORT or PORT")
    if not 1 <= int(found["port"]) <= 65535:
        raise _no_address(where, "a port from 1 to 65535")
    for parameter in parameters:
        _check_parameter(parameter)
    return Listen(
        _host(found),
        int(found["port"]),
        ssl="ssl" in parameters,
        proxy_protocol="proxy_protocol" in parameters,
    )


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


def _check_parameter(word: str) -> None:
    if NGINX_PARAMETERS.fullmatch(word):
        raise WrongValueError(
            f"{shown(word)} is a parameter of nginx's that is not available here"
        )
    if word not in PARAMETERS:
        known = ", ".join(PARAMETERS)
        raise WrongValueError(f"unknown parameter {shown(word)} (known: {known})")


def _no_address(word: str, wanted: str) -> WrongValueError:
    return WrongValueError(
        f"{shown(word)} is no address to listen on", f"it must be {wanted}"
    )


Listens: TypeAlias = Annotated[tuple[Listen, ...], listens]
