"""The directives ``error_log`` and ``access_log``."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

from attrs import evolve

from mailssl_trio.config.values import WrongValueError, file_name, shown, text
from mailssl_trio.config.words import choice
from mailssl_trio.logs.access_log import USUAL_SYSLOG, AccessChain, AccessLog, Format
from mailssl_trio.logs.lines import LEVELS, SEVERITIES
from mailssl_trio.logs.syslog import FACILITIES, PORT, Syslog
from mailssl_trio.logs.writer import Chain, ErrorLog, Target
from mailssl_trio.transport.address import TcpAddress, UnixAddress, parse_address

TAG = re.compile(r"[A-Za-z0-9_]{1,32}")  # RFC 3164 section 4.1.3

SYSLOG = "syslog:"


USUAL_ERROR_SYSLOG = Syslog("", "", 0)

FORMATS = {format_.value: format_ for format_ in Format}

One = TypeVar("One")


def error_log(value: object) -> Chain:
    """Read a target, or an array of them."""
    return _several(value, _error_log, "stderr info")


def access_log(value: object) -> AccessChain:
    """Read a target, or an array of them; ``off`` is none."""
    return () if value == "off" else _several(value, _access_log, "stderr dovecot")


def _several(
    value: object, read: Callable[[object], One], example: str
) -> tuple[One, ...]:
    if not isinstance(value, list):
        return (read(value),)
    if not value:
        word = example.partition(" ")[2]
        raise WrongValueError("no target", f'write "{example}" or "FILE {word}"')
    return tuple(_element(index, one, read) for index, one in enumerate(value))


def _element(index: int, value: object, read: Callable[[object], One]) -> One:
    try:
        return read(value)
    except WrongValueError as wrong:
        raise WrongValueError(wrong.text, wrong.remedy, index) from None


def _error_log(value: object) -> ErrorLog:
    """Read a file, ``stderr`` or ``syslog:``, and perhaps a level.

    A file name with spaces needs a level behind it.
    """
    target, *level = text(value).strip().rsplit(maxsplit=1) or [""]
    return ErrorLog(
        _target(target, USUAL_ERROR_SYSLOG),
        choice(level[0], tuple(LEVELS), "log level") if level else ErrorLog().level,
    )


def _access_log(value: object) -> AccessLog:
    """Read a file, ``stderr`` or ``syslog:``, and perhaps a format.

    A file name with spaces needs a format behind it.
    """
    target, *format_ = text(value).strip().rsplit(maxsplit=1) or [""]
    if target == "off":
        raise WrongValueError("`off` stands alone, or not at all")
    known = tuple(FORMATS)
    word = choice(format_[0], known, "log format") if format_ else known[0]
    return AccessLog(_target(target, USUAL_SYSLOG), FORMATS[word])


def _target(word: str, usual: Syslog) -> Target:
    if word.startswith("memory:"):
        raise WrongValueError(
            f"{shown(word)} is a log of nginx's that is not available here",
            'write "stderr info" or "FILE info"',
        )
    if word.startswith(SYSLOG):
        return _syslog(word, usual)
    return None if word == "stderr" else Path(file_name(word))


def _syslog(word: str, usual: Syslog) -> Syslog:
    server, *parameters = word.removeprefix(SYSLOG).split(",")
    if not server.startswith("server="):
        raise WrongValueError(
            f"{shown(word)} names no server", 'write "syslog:server=HOST[:PORT],…"'
        )
    syslog = _server(server.removeprefix("server="), usual)
    for parameter in parameters:
        syslog = _with(syslog, parameter)
    return syslog


def _server(word: str, usual: Syslog) -> Syslog:
    try:
        match parse_address(word, PORT):
            case UnixAddress(path):
                return evolve(usual, server=word, host=str(path), port=0)
            case TcpAddress(host, port):
                return evolve(usual, server=word, host=host, port=port)
    except ValueError:
        pass
    raise WrongValueError(
        f"{shown(word)} is no server for syslog", "write HOST[:PORT] or unix:/PATH"
    )


def _with(syslog: Syslog, parameter: str) -> Syslog:
    name, _, value = parameter.partition("=")
    match name:
        case "facility":
            return evolve(syslog, facility=choice(value, FACILITIES, "facility"))
        case "severity":
            known = tuple(SEVERITIES)
            return evolve(syslog, severity=choice(value, known, "severity"))
        case "tag" if TAG.fullmatch(value):
            return evolve(syslog, tag=value)
        case "tag":
            raise WrongValueError(
                f"{shown(value)} is no tag",
                "write at most 32 letters, digits and underscores",
            )
        case "nohostname" if parameter == name:
            return evolve(syslog, nohostname=True)
    raise WrongValueError(
        f"unknown parameter {shown(parameter)} of syslog"
        " (known: facility=, severity=, tag=, nohostname)"
    )


Log: TypeAlias = Annotated[Chain, error_log]
Access: TypeAlias = Annotated[AccessChain, access_log]
