"""The words behind the address of a ``listen``."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve

from mailssl_trio.config.units import format_size, parse_size, parse_time
from mailssl_trio.config.values import GREATEST, WrongValueError, shown, suggestion
from mailssl_trio.transport.socket_options import (
    OWN_KEEPALIVE,
    Keepalive,
    SocketOptions,
)

FLAGS = ("ssl", "proxy_protocol")
"""Words that say how clients speak; the others are about the socket."""

LONGEST_WAIT, MOST_PROBES = 32767, 127  # the kernel's MAX_TCP_KEEPIDLE, …KEEPCNT


def socket_options(words: Sequence[str]) -> SocketOptions:
    """Read the words that are about the socket, each at most once."""
    options = SocketOptions()
    seen: set[str] = set()
    for word in words:
        name, has_value, value = word.partition("=")
        if name in seen:
            raise WrongValueError(f"parameter {shown(name)} is there twice")
        seen.add(name)
        if word in FLAGS or word == "bind":  # every address has a socket of its own
            continue
        if word == "multipath":
            options = evolve(options, multipath=True)
        elif has_value and name in READERS:
            options = READERS[name](options, value)
        else:
            raise _unknown(word)
    return options


def socket_words(options: SocketOptions) -> Iterator[str]:
    """Write what differs from the defaults."""
    if options.backlog != SocketOptions().backlog:
        yield f"backlog={options.backlog}"
    for name, octets in (("rcvbuf", options.rcvbuf), ("sndbuf", options.sndbuf)):
        if octets is not None:
            yield f"{name}={format_size(octets)}"
    if not options.ipv6only:
        yield "ipv6only=off"
    if options.keepalive != OWN_KEEPALIVE:
        yield f"so_keepalive={_keepalive_word(options.keepalive)}"
    if options.multipath:
        yield "multipath"


def _backlog(options: SocketOptions, value: str) -> SocketOptions:
    if not re.fullmatch("[0-9]{1,10}", value) or not 0 < int(value) <= GREATEST:
        raise WrongValueError(
            f"{shown(f'backlog={value}')} is no backlog", "write 1, 2, 3, …"
        )
    return evolve(options, backlog=int(value))


def _rcvbuf(options: SocketOptions, value: str) -> SocketOptions:
    return evolve(options, rcvbuf=_size("rcvbuf", value))


def _sndbuf(options: SocketOptions, value: str) -> SocketOptions:
    return evolve(options, sndbuf=_size("sndbuf", value))


def _size(name: str, value: str) -> int:
    try:
        octets = parse_size(value)
    except ValueError:
        octets = 0
    if not 0 < octets <= GREATEST:
        raise WrongValueError(
            f"{shown(f'{name}={value}')} is no size of a buffer",
            'write octets, or "64k", "1m"',
        )
    return octets


def _ipv6only(options: SocketOptions, value: str) -> SocketOptions:
    if value not in {"on", "off"}:
        raise WrongValueError(
            f"{shown(f'ipv6only={value}')} is neither on nor off",
            "write ipv6only=on or ipv6only=off",
        )
    return evolve(options, ipv6only=value == "on")


def _so_keepalive(options: SocketOptions, value: str) -> SocketOptions:
    return evolve(options, keepalive=_keepalive(value))


def _keepalive(value: str) -> Keepalive:
    if value in {"on", "off"}:
        return Keepalive(value == "on")
    parts = value.split(":")
    try:
        idle, interval = (_seconds(part) for part in [*parts, ""][:2])
        probes = int(parts[2] or 0) if len(parts) > 2 else 0
    except ValueError:
        parts, idle, interval, probes = [], 0, 0, 0
    longest = max(idle, interval)
    fits = longest <= LONGEST_WAIT and 0 <= probes <= MOST_PROBES
    if len(parts) > 3 or not fits or not (idle or interval or probes):
        raise WrongValueError(
            f"{shown(f'so_keepalive={value}')} says nothing about keepalive",
            'write on, off, or IDLE:INTERVAL:COUNT, for example "30m::10"; times are'
            f" at most {LONGEST_WAIT} s, and {MOST_PROBES} probes",
        )
    return Keepalive(idle=idle, interval=interval, probes=probes)


def _seconds(part: str) -> int:
    if not part:
        return 0
    if (length := parse_time(part)) != int(length):
        raise ValueError(f"not whole seconds: {part!r}")
    return int(length)


def _keepalive_word(keepalive: Keepalive) -> str:
    numbers = (keepalive.idle, keepalive.interval, keepalive.probes)
    if not any(numbers):
        return "on" if keepalive.is_on else "off"
    return ":".join(str(number or "") for number in numbers)


READERS: Mapping[str, Callable[[SocketOptions, str], SocketOptions]] = {
    "backlog": _backlog,
    "rcvbuf": _rcvbuf,
    "sndbuf": _sndbuf,
    "ipv6only": _ipv6only,
    "so_keepalive": _so_keepalive,
}


def _unknown(word: str) -> WrongValueError:
    known = (*FLAGS, "bind", "multipath", *(f"{name}=" for name in READERS))
    return WrongValueError(
        f"unknown parameter {shown(word)} (known: {', '.join(known)})",
        suggestion(word, known),
    )
