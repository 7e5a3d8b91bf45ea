"""The values of ``auth_http`` and ``auth_http_header``."""

from typing import Annotated, TypeAlias

from mailssl_trio.auth.http_server import (
    AuthServer,
    parse_auth_server,
    parse_header,
)
from mailssl_trio.config.pem_sources import HIDDEN
from mailssl_trio.config.values import WrongValueError, shown, text


def auth_server(value: object) -> AuthServer:
    """Read where the auth server is."""
    try:
        return parse_auth_server(text(value))
    except WrongValueError:
        raise
    except ValueError as wrong:
        raise WrongValueError(
            f"{shown(value)} is no auth server: {wrong}",
            'for example "http://auth.example.org:8080/mail", or "unix:PATH:/URI"',
        ) from None


def headers(value: object) -> tuple[tuple[str, str], ...]:
    """Read a header, or an array of them; no message quotes one."""
    if not isinstance(value, list):
        value = [value]
    return tuple(_header(index, element) for index, element in enumerate(value))


def _header(index: int, value: object) -> tuple[str, str]:
    if not isinstance(value, str):
        raise WrongValueError("not a string", 'write "NAME VALUE"', index)
    try:
        name, content = parse_header(value)
    except ValueError as wrong:
        raise WrongValueError(str(wrong), "", index) from None
    if content == HIDDEN:
        raise WrongValueError(
            "`show` has hidden what was here", "`show --secrets` writes it out", index
        )
    return name, content


AuthServerText: TypeAlias = Annotated[AuthServer, auth_server]
HttpHeaders: TypeAlias = Annotated[tuple[tuple[str, str], ...], headers]
"""Names and values."""
