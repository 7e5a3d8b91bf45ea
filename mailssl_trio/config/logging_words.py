"""The directive ``error_log``."""

import re
from pathlib import Path
from typing import Annotated, TypeAlias

from attrs import evolve

from mailssl_trio.config.values import WrongValueError, file_name, shown, text
from mailssl_trio.config.words import choice
from mailssl_trio.log_writer import LEVELS, Chain, ErrorLog, Target
from mailssl_trio.syslog import FACILITIES, PORT, SEVERITIES, Syslog
from mailssl_trio.transport.address import TcpAddress, UnixAddress, parse_address

TAG = re.compile(r"[A-Za-z0-9_]{1,32}")  # RFC 3164 section 4.1.3

SYSLOG = "syslog:"


def error_log(value: object) -> Chain:
    """Read a target, or an array of them."""
    if not isinstance(value, list):
        return (_error_log(value),)
    if not value:
        raise WrongValueError("no target", 'write "stderr info" or "FILE info"')
    return tuple(_element(index, element) for index, element in enumerate(value))


def _element(index: int, value: object) -> ErrorLog:
    try:
        return _error_log(value)
    except WrongValueError as wrong:
        raise WrongValueError(wrong.text, wrong.remedy, index) from None


def _error_log(value: object) -> ErrorLog:
    """Read a file, ``stderr`` or ``syslog:``, and perhaps a level.

    A file name with spaces needs a level behind it.
    """
    target, *level = text(value).strip().rsplit(maxsplit=1) or [""]
    return ErrorLog(
        _target(target),
        choice(level[0], tuple(LEVELS), "log level") if level else ErrorLog().level,
    )


def _target(word: str) -> Target:
    if word.startswith("memory:"):
        raise WrongValueError(
            f"{shown(word)} is a log of nginx's that is not available here",
            'write "stderr info" or "FILE info"',
        )
    if word.startswith(SYSLOG):
        return _syslog(word)
    return None if word == "stderr" else Path(file_name(word))


def _syslog(word: str) -> Syslog:
    server, *parameters = word.removeprefix(SYSLOG).split(",")
    if not server.startswith("server="):
        raise WrongValueError(
            f"{shown(word)} names no server", 'write "syslog:server=HOST[:PORT],…"'
        )
    syslog = _server(server.removeprefix("server="))
    for parameter in parameters:
        syslog = _with(syslog, parameter)
    return syslog


def _server(word: str) -> Syslog:
    try:
        match parse_address(word, PORT):
            case UnixAddress(path):
                return Syslog(word, str(path), 0)
            case TcpAddress(host, port):
                return Syslog(word, host, port)
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
