"""What nginx has where nothing is said, by its version, where it differs from ours."""

import re

from attrs import fields_dict

from mailssl_trio.config.directives import ServerDirectives
from mailssl_trio.config.nginx.fitting import OF_SERVER
from mailssl_trio.config.nginx.merging import Merged, merged
from mailssl_trio.config.nginx.tree import Block
from mailssl_trio.config.nginx.values import Value
from mailssl_trio.config.nginx.vocabulary import Version

VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){1,2}")
LATEST: Version = (2**31,)

PROTOCOLS: dict[Version, Value] = {
    (1, 27, 3): ["TLSv1.2", "TLSv1.3"],
    (1, 23, 4): ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"],
    (1, 9, 1): ["TLSv1", "TLSv1.1", "TLSv1.2"],
    (1, 1, 13): ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"],
    (0, 8, 19): ["SSLv3", "TLSv1"],
    (): ["SSLv2", "SSLv3", "TLSv1"],
}
CIPHERS: dict[Version, Value] = {
    (1, 0, 5): "HIGH:!aNULL:!MD5",
    (0, 7, 65): "HIGH:!ADH:!MD5",
    (): "ALL:!ADH:RC4+RSA:+HIGH:+MEDIUM:+LOW:+SSLv2:+EXP",
}
SESSION_CACHES: dict[Version, Value] = {
    (0, 7, 1): "none",
    (0, 6, 23): "off",
    (): "builtin:20480",
}

A_PAGE: dict[str, Value] = {"smtp_client_buffer": "4k"}
"""Where nginx's default is larger than ours: a page of the machine's memory."""


def parse_version(text: str) -> Version:
    """Read ``1.22.1``. Raises ValueError."""
    if VERSION.fullmatch(text) is None:
        raise ValueError(f"not a version: {text!r}")
    return tuple(map(int, text.split(".")))


def defaults(mail: Block, version: Version | None) -> dict[str, Value]:
    """Return what some server has in nginx and would not have here, if not told."""
    found: dict[str, Value] = {}
    for server in merged(mail):
        found |= {
            name: value
            for name, value in _of(server, version).items()
            if not server.entries(name) and _differs(name, value)
        }
    return found


def _of(server: Merged, version: Version | None) -> dict[str, Value]:
    of_tls = {} if server.tls_reason is None else _of_tls(version)
    return of_tls | (A_PAGE if server.protocol == "smtp" else {})


def _of_tls(version: Version | None) -> dict[str, Value]:
    return {
        "ssl_protocols": _since(version, PROTOCOLS),
        "ssl_ciphers": _since(version, CIPHERS),
        "ssl_session_cache": _since(version, SESSION_CACHES),
        "ssl_session_tickets": True,
    }


def _since(version: Version | None, table: dict[Version, Value]) -> Value:
    return next(value for since, value in table.items() if (version or LATEST) >= since)


def _differs(name: str, value: Value) -> bool:
    """Whether this program would do something else if the directive were not set."""
    read = OF_SERVER.get(name)
    return (
        read is not None and read(value) != fields_dict(ServerDirectives)[name].default
    )
