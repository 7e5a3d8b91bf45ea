"""What the auth server answers: its headers, each of them checked.

Whatever is wrong with one is the auth server's fault, and ends in AuthHttpError: no
value from it reaches a client, a backend or the resolver unseen.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address
from os import fsdecode
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen

from mailssl_trio.transport.address import HOST_NAME, TcpAddress, UnixAddress
from mailssl_trio.transport.upstream import ProxySsl

ERROR_CODE = re.compile(r"[45][0-9]{2}(?: [245]\.[0-9]{1,3}\.[0-9]{1,3})?")
"""RFC 5321 section 4.2.1 and RFC 3463 section 2; a refusal, whatever it says."""

REMEMBERED = 1024
"""Backends whose addresses need not be read again."""

A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""What looks like a host name, and what the system would take for an address."""

LONGEST_TEXT = 400
"""Characters of a text for the client, which stands in one line with a code."""

FLAGS = {"on": True, "off": False}


class AuthHttpError(Exception):
    """The auth server could not be asked, or did not answer as it must.

    The text is for the log, in nginx's words where it has some; no secret is in it.
    """

    def about(self, server: object) -> str:
        """Say who it is that did it."""
        return f"auth http server {server} {self}"


class NoConnectionError(AuthHttpError):
    """It could not even be connected to; the text is the system's reason."""

    def about(self, server: object) -> str:
        """Say who it is that was not there."""
        return f"connect() to {server} failed ({self})"


@frozen
class Refusal:
    """``Auth-Status`` is neither OK nor WAIT."""

    text: str
    wait: int | None = None
    """``Auth-Wait`` in seconds, None without it."""
    code: str = ""
    """``Auth-Error-Code``."""
    challenge: bytes = b""
    """``Auth-Error-SASL``."""


@frozen
class Wait:
    """``Auth-Status: WAIT``: ask the same again in some seconds."""

    seconds: int


@frozen
class Backend:
    """``Auth-Status: OK``: where the user goes, and what is different there."""

    address: TcpAddress | UnixAddress
    user: bytes | None = None
    password: bytes | None = field(default=None, repr=False)
    ssl: ProxySsl | None = None
    """``Auth-Backend-SSL``; None leaves it to ``proxy_ssl``."""
    name: str | None = None
    """``Auth-Backend-Name``: whose certificate it must show."""
    smtp_auth: bool | None = None
    """``Auth-SMTP-Auth``; None leaves it to ``proxy_smtp_auth``."""


Reply: TypeAlias = Refusal | Wait | Backend


def read_reply(headers: Iterable[tuple[bytes, bytes]], protocol: str) -> Reply:
    """Read an answer's headers, whose names are in lower case; AuthHttpError."""
    headers = tuple(headers)
    statuses = [value for name, value in headers if name == b"auth-status"]
    if not statuses:
        raise AuthHttpError("did not send status")
    said = {name.decode(): value for name, value in headers}  # as in nginx, the last
    if failures := [value for value in statuses if value not in {b"OK", b"WAIT"}]:
        return _refusal(failures[-1], said, protocol)
    if b"WAIT" in statuses:
        if not (seconds := _seconds(said)):
            raise AuthHttpError("sent WAIT and no time to wait")
        return Wait(seconds)
    return _backend(said)


def _refusal(status: bytes, said: dict[str, bytes], protocol: str) -> Refusal:
    code = _text(said, "auth-error-code") if protocol == "smtp" else ""
    if code and ERROR_CODE.fullmatch(code) is None:
        raise AuthHttpError(f'sent invalid error code:"{code}"')
    challenge = said.get("auth-error-sasl", b"")
    try:
        challenge = b64decode(challenge, validate=True)
    except Base64Error:
        raise AuthHttpError("sent invalid SASL error") from None
    return Refusal(_line(status), _seconds(said) or None, code, challenge)


def _line(status: bytes) -> str:
    """Return a text for the client: no control characters, and no endless line."""
    text = status.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in text)[:LONGEST_TEXT]


def _seconds(said: dict[str, bytes]) -> int:
    """Return ``Auth-Wait``; what is no number is none, as in nginx."""
    value = said.get("auth-wait", b"")
    return int(value) if re.fullmatch(rb"[0-9]{1,9}", value) else 0


def _backend(said: dict[str, bytes]) -> Backend:
    flag = _text(said, "auth-smtp-auth")
    if flag and flag not in FLAGS:
        raise AuthHttpError(f'sent invalid Auth-SMTP-Auth:"{flag}"')
    return Backend(
        address=_address(said),
        user=said.get("auth-user"),
        password=said.get("auth-pass"),
        ssl=_ssl(_text(said, "auth-backend-ssl")),
        name=_name(_text(said, "auth-backend-name")),
        smtp_auth=FLAGS.get(flag),
    )


def _address(said: dict[str, bytes]) -> TcpAddress | UnixAddress:
    octets = said.get("auth-server", b"")
    if octets.startswith(b"unix:/"):
        return UnixAddress(Path(fsdecode(octets.removeprefix(b"unix:"))))
    host, port = _text(said, "auth-server"), _text(said, "auth-port")
    if not host or not port:
        raise AuthHttpError("did not send server or port")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not _is_address(bare) and not (host == bare and _is_host_name(host)):
        raise AuthHttpError(f'sent invalid server address:"{host}"')
    if re.fullmatch(r"[0-9]{1,5}", port) is None or not 1 <= int(port) <= 65535:
        raise AuthHttpError(f'sent invalid server port:"{port}"')
    return TcpAddress(bare, int(port))


def _ssl(word: str) -> ProxySsl | None:
    try:
        return ProxySsl(word) if word else None
    except ValueError:
        raise AuthHttpError(f'sent invalid Auth-Backend-SSL:"{word}"') from None


def _name(name: str) -> str | None:
    if name and not _is_address(name) and not _is_host_name(name):
        raise AuthHttpError(f'sent invalid Auth-Backend-Name:"{name}"')
    return name or None


@lru_cache(REMEMBERED)
def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_host_name(text: str) -> bool:
    return HOST_NAME.fullmatch(text) is not None and A_NUMBER.fullmatch(text) is None


def _text(said: dict[str, bytes], name: str) -> str:
    """Return a value as text; what is not ASCII is nowhere right."""
    return said.get(name, b"").decode("ascii", "backslashreplace")
