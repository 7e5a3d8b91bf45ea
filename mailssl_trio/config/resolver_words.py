"""The directive ``resolver``."""

from typing import Annotated, TypeAlias

from attrs import evolve

from mailssl_trio.config.units import format_time
from mailssl_trio.config.values import WrongValueError, flag, seconds, shown
from mailssl_trio.config.words import words
from mailssl_trio.transport.address import TcpAddress, parse_address
from mailssl_trio.transport.resolver import HAS_DNS, PORT, Resolver

OFF = "off"
EXAMPLE = 'write "192.0.2.1", "[2001:db8::1]:53 valid=30s", or "off"'


def resolver(value: object) -> Resolver | None:
    """Read whom to ask and what is to be done with the answers; None is ``off``."""
    named = words(value)
    if named == (OFF,):
        return None
    read = Resolver(())
    for word in named:
        name, is_parameter, said = word.partition("=")
        if is_parameter:
            read = _with(read, name, said)
        else:
            read = evolve(read, servers=(*read.servers, _server(word)))
    if not read.servers:
        raise WrongValueError("nobody to ask", EXAMPLE)
    if not HAS_DNS:
        raise WrongValueError(
            "asking needs what is not installed here",
            'pip install "mailssl-trio[dns]"',
        )
    return read


def resolver_words(read: Resolver) -> list[str]:
    """Write it as it is read."""
    found = [str(TcpAddress(address, port)) for address, port in read.servers]
    if read.valid is not None:
        found.append(f"valid={format_time(read.valid)}")
    for family, may in (("ipv4", read.ipv4), ("ipv6", read.ipv6)):
        if not may:
            found.append(f"{family}=off")
    return found


def _server(word: str) -> tuple[str, int]:
    if word == OFF:
        raise WrongValueError('"off" stands alone', EXAMPLE)
    try:
        match parse_address(word, PORT):
            case TcpAddress(host, port):
                return host, port
    except ValueError:
        pass
    raise WrongValueError(f"{shown(word)} is no resolver", EXAMPLE)


def _with(read: Resolver, name: str, said: str) -> Resolver:
    match name:
        case "valid":
            return evolve(read, valid=seconds(said))
        case "ipv4":
            read = evolve(read, ipv4=flag(said))
        case "ipv6":
            read = evolve(read, ipv6=flag(said))
        case _:
            raise WrongValueError(
                f"unknown parameter {shown(f'{name}={said}')}"
                " (known: valid=, ipv4=, ipv6=)"
            )
    if not (read.ipv4 or read.ipv6):
        raise WrongValueError("neither ipv4 nor ipv6 is left", "leave one of them on")
    return read


ResolverWords: TypeAlias = Annotated[Resolver | None, resolver]
