"""Where to listen, and where the auth server is, as nginx reads it."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from attrs import frozen

ANY_PORT = 0
WHOLE_NUMBER = re.compile(r"[0-9]{1,18}")


class UrlError(ValueError):
    """nginx's words for what is wrong with it."""


@frozen
class Url:
    """An address, as far as it can be read without asking anybody."""

    host: str
    """A literal, a name, or the path of a Unix socket; IPv6 has its brackets."""
    port: int = ANY_PORT
    last_port: int = ANY_PORT
    """Behind the port, where a range was given."""
    uri: str = ""
    is_unix: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What nginx calls the sockets, one for each port."""
        if self.is_unix:
            return (f"unix:{self.host}",)
        last = self.last_port or self.port
        return tuple(f"{self.host}:{port}" for port in range(self.port, last + 1))


def parse_listen(text: str) -> Url:
    """Read the first argument of ``listen``. Raises UrlError."""
    if text[:5].lower() == "unix:":
        return _unix(text[5:], "")
    if text.startswith("["):
        return _ipv6(text, listens=True)
    if "/" in text or "?" in text:
        raise UrlError("invalid host")
    host, colon, port = text.partition(":")
    if colon:
        first, last = _ports(port)
    elif _is_port(text):
        host, (first, last) = "*", _ports(text)
    else:
        first = last = ANY_PORT
    if not host:
        raise UrlError("no host")
    return Url(_ipv4(host), first, last)


def parse_auth_http(text: str) -> Url:
    """Read the address of an auth server, without ``http://``. Raises UrlError."""
    if text[:5].lower() == "unix:":
        path, _, uri = text[5:].partition(":")
        return _unix(path, uri)
    if text.startswith("["):
        return _ipv6(text, listens=False)
    start = re.search(r"[/?]|$", text)
    uri = text[start.start() :] if start else ""
    host, colon, port = text[: len(text) - len(uri)].partition(":")
    number = _port(port) if colon else 80
    if not host:
        raise UrlError("no host")
    return Url(host, number, uri=uri)


def _unix(path: str, uri: str) -> Url:
    if not path:
        raise UrlError("no path in the unix domain socket")
    return Url(path, uri=uri, is_unix=True)


def _ipv6(text: str, *, listens: bool) -> Url:
    inner, bracket, behind = text[1:].partition("]")
    if not bracket:
        raise UrlError("invalid host")
    start = re.search(r"[/?]|$", behind)
    uri = behind[start.start() :] if start else ""
    port = behind[: len(behind) - len(uri)]
    if (uri and listens) or port[:1] not in {"", ":"}:
        raise UrlError("invalid host")
    first, last = (ANY_PORT if listens else 80), ANY_PORT
    if port:
        first, last = _ports(port[1:]) if listens else (_port(port[1:]), ANY_PORT)
    if not inner:
        raise UrlError("no host")
    try:
        return Url(f"[{IPv6Address(inner)}]", first, last, uri)
    except AddressValueError:
        raise UrlError("invalid IPv6 address") from None


def _ipv4(host: str) -> str:
    """Return a literal as nginx prints it; names are looked up when we start."""
    if host == "*":
        return "0.0.0.0"
    try:
        return str(IPv4Address(host))
    except AddressValueError:
        return host


def _is_port(text: str) -> bool:
    first, dash, last = text.partition("-")
    return WHOLE_NUMBER.fullmatch(first) is not None and (
        not dash or WHOLE_NUMBER.fullmatch(last) is not None
    )


def _ports(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    upto = _port(last) if dash else ANY_PORT
    number = _port(first)
    if upto and number > upto:
        raise UrlError("invalid port range")
    return number, upto


def _port(text: str) -> int:
    if WHOLE_NUMBER.fullmatch(text) is None or not 1 <= int(text) <= 65535:
        raise UrlError("invalid port")
    return int(text)
