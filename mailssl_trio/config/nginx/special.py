"""Directives of nginx's with a little grammar of their own."""

import re

from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.nginx.statements import Statement
from mailssl_trio.config.nginx.urls import UrlError, parse_auth_http, parse_listen
from mailssl_trio.config.nginx.values import Value, normal_time
from mailssl_trio.config.units import parse_size

SMALLEST_ZONE = 8 * 4096
LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")
MASKS = frozenset(
    f"debug_{what}"
    for what in ("core", "alloc", "mutex", "event", "http", "mail", "stream")
)
PROTOCOLS = ("pop3", "imap", "smtp")

NUMBER = re.compile(r"[0-9]{1,18}")
BUILTIN = re.compile(r"builtin(?::([0-9]{1,18}))?")
SHARED = re.compile(r"shared:([^:]+):(.+)")

PLAIN_PARAMETERS = ("ssl", "proxy_protocol", "bind", "multipath")


def listen(statement: Statement, unknown: str = 'invalid parameter "{}"') -> Value:
    """Read an address, and what is said about its socket."""
    where, *parameters = statement.arguments
    try:
        parse_listen(where)
    except UrlError as wrong:
        text = f'{wrong} in "{where}" of the "listen" directive'
        raise RefusedError.at(text, statement.place) from None
    for parameter in parameters:
        if (wrong_with := _wrong_parameter(parameter)) is not None:
            text = wrong_with or unknown.format(parameter)
            raise RefusedError.at(text, statement.place)
    return [" ".join(statement.arguments)]


def old_listen(statement: Statement) -> Value:
    """Read the same in the words of older versions."""
    return listen(statement, 'the invalid "{}" parameter')


def _wrong_parameter(parameter: str) -> str | None:
    """Return what nginx says against a parameter; "" if it does not know it."""
    name, equals, value = parameter.partition("=")
    match name:
        case _ if not equals:
            right = parameter in PLAIN_PARAMETERS
        case "backlog":
            if NUMBER.fullmatch(value) and int(value):
                return None
            return f'invalid backlog "{parameter}"'
        case "rcvbuf" | "sndbuf":
            return None if _is_size(value) else f'invalid {name} "{parameter}"'
        case "ipv6only" if value.startswith("o"):
            right = value in {"on", "off"}
            return None if right else f'invalid ipv6only flags "{value}"'
        case "so_keepalive":
            right = value in {"on", "off"} or _is_keepalive(value)
            return None if right else f'invalid so_keepalive value: "{value}"'
        case _:
            right = False
    return None if right else ""


def _is_keepalive(value: str) -> bool:
    """Whether it is ``[idle]:[interval]:[count]``, with one of them at least."""
    idle, interval, count = [*value.split(":", 2), "", ""][:3]
    times = [normal_time(word) for word in (idle, interval) if word]
    is_count = NUMBER.fullmatch(count) is not None
    return None not in times and (is_count or (not count and bool(times)))


def _is_size(word: str) -> bool:
    try:
        return parse_size(word) >= 0
    except ValueError:
        return False


def protocol(statement: Statement) -> Value:
    """Read the name of a protocol, in lower case only."""
    (word,) = statement.arguments
    if word not in PROTOCOLS:
        raise RefusedError.at(f'unknown protocol "{word}"', statement.place)
    return word


def auth_http(statement: Statement) -> Value:
    """Read the address of an auth server, and write it with its scheme."""
    (word,) = statement.arguments
    address = word.removeprefix("http://")
    try:
        url = parse_auth_http(address)
    except UrlError as wrong:
        text = f'{wrong} in auth_http "{address}"'
        raise RefusedError.at(text, statement.place) from None
    return address if url.is_unix else f"http://{address}"


def session_cache(statement: Statement) -> Value:
    """Read ``off``, ``none``, ``builtin`` and ``shared``."""
    for word in statement.arguments:
        shared = SHARED.fullmatch(word)
        is_known = word in {"off", "none"} or BUILTIN.fullmatch(word) is not None
        if not is_known and (shared is None or not _is_size(shared[2])):
            raise RefusedError.at(f'invalid session cache "{word}"', statement.place)
        if shared is not None and parse_size(shared[2]) < SMALLEST_ZONE:
            text = f'session cache "{word}" is too small'
            raise RefusedError.at(text, statement.place)
    return list(statement.arguments)


def error_log(statement: Statement) -> Value:
    """Read a file and the least level; nginx's masks for debugging are a level here."""
    target, *words = statement.arguments
    levels: list[str] = []
    for word in words:
        has_level = not MASKS.issuperset(levels)
        if word not in LEVELS and (word not in MASKS or has_level):
            raise RefusedError.at(f'invalid log level "{word}"', statement.place)
        if word in LEVELS and levels:
            raise RefusedError.at(f'duplicate log level "{word}"', statement.place)
        levels.append(word)
    level = levels[0].partition("_")[0] if levels else "error"
    return [f"{target} {level}"]


def resolver(statement: Statement) -> Value:
    """Read addresses of name servers, and how long their answers are good for."""
    for word in statement.arguments:
        name, equals, value = word.partition("=")
        match name if equals else "":
            case "valid":
                right = normal_time(value) is not None
            case "ipv4" | "ipv6":
                right = value in {"on", "off"}
            case _:
                right = True
        if not right:
            raise RefusedError.at(f"invalid parameter: {word}", statement.place)
    return list(statement.arguments)
