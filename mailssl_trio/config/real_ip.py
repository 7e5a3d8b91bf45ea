"""The directive ``set_real_ip_from``: proxies, and how they are named."""

from ipaddress import ip_interface
from typing import Annotated, TypeAlias

from mailssl_trio.config.values import WrongValueError, shown
from mailssl_trio.config.words import words
from mailssl_trio.transport.proxied import UNIX


def proxies(value: object) -> tuple[str, ...]:
    """Read addresses, networks and ``unix:``, an array or one string of words."""
    listed = words(value)
    for index, word in enumerate(listed):
        if word != UNIX and not is_network(word):
            raise WrongValueError(
                f"{shown(word)} is neither an address nor a network",
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


RealIp: TypeAlias = Annotated[tuple[str, ...], proxies]
