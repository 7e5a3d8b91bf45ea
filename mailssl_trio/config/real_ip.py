"""The directive ``set_real_ip_from``: proxies, and how they are named."""

from collections.abc import Callable
from ipaddress import ip_interface
from typing import Annotated, TypeAlias

from mailssl_trio.config.values import WrongValueError, shown
from mailssl_trio.config.words import words
from mailssl_trio.transport.address import HOST_NAME
from mailssl_trio.transport.proxied import UNIX


def proxies(value: object) -> tuple[str, ...]:
    """Read addresses, networks, hosts, ``unix:``: an array or one string of words."""
    return _named(value, is_network_or_host, "no address, network or host")


def networks(value: object) -> tuple[str, ...]:
    """Read the same without hosts, whose addresses may be anybody's by and by."""
    return _named(value, is_network, "neither an address nor a network")


def _named(value: object, fits: Callable[[str], bool], fault: str) -> tuple[str, ...]:
    listed = words(value)
    for index, word in enumerate(listed):
        if word != UNIX and not fits(word):
            raise WrongValueError(
                f"{shown(word)} is {fault}",
                'write "192.0.2.1", "192.0.2.0/24", "2001:db8::/32" or "unix:"',
                index,
            )
    return listed


def is_network(word: str) -> bool:
    """Whether a word is an address or a network."""
    try:
        ip_interface(word)
    except ValueError:
        return False
    return True


def is_network_or_host(word: str) -> bool:
    """Whether a word is an address or a network, or may be the name of a host."""
    return is_network(word) or HOST_NAME.fullmatch(word) is not None


RealIp: TypeAlias = Annotated[tuple[str, ...], proxies]
"""Whose PROXY headers a virtual server believes."""

Networks: TypeAlias = Annotated[tuple[str, ...], networks]
"""Who is meant by his address."""
