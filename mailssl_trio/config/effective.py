"""The effective configuration as TOML: what the program will do, in its own words.

It is written from what the program uses, not from what was read, so it cannot differ
from it. Inheritance is applied, and every directive that has an effect is there, with
file names in full. Read again, it means the same.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import tomli_w

from mailssl_trio.config.model import Config, Listen, VirtualServer, development_pair
from mailssl_trio.config.server_tls import DEVELOPMENT
from mailssl_trio.config.units import format_time
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.tls.policy import Pair, TlsPolicy
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream

Value: TypeAlias = str | bool | int | list[str]
Table: TypeAlias = dict[str, Value]


def as_toml(config: Config) -> str:
    """Write the whole configuration."""
    top: dict[str, object] = {
        "error_log": str(config.error_log),
        "state_directory": str(config.state_directory),
        "worker_processes": config.worker_processes,
    }
    if config.worker_shutdown_timeout is not None:
        top["worker_shutdown_timeout"] = format_time(config.worker_shutdown_timeout)
    if config.pid is not None:
        top["pid"] = str(config.pid)
    servers = [_server(server, config) for server in config.servers]
    return tomli_w.dumps({**top, "mail": {"server": servers}})


def _server(server: VirtualServer, config: Config) -> Table:
    table: Table = {
        "listen": _listens(server.listens),
        "protocol": server.protocol,
        **_policy(server.policy, server.protocol),
        **_timeouts(server.timeouts),
    }
    if any(not listen.ssl for listen in server.listens):
        table["starttls"] = server.policy.starttls.value
    if server.tls is not None:
        table |= _tls(server.tls, config)
    if server.users is not None:
        table["users"] = str(server.users)
    if server.upstream is not None:
        table |= _upstream(server.upstream)
    return table


def _listens(listens: tuple[Listen, ...]) -> Value:
    words = [f"{listen} ssl" if listen.ssl else str(listen) for listen in listens]
    return words if len(words) > 1 else words[0]


def _words(words: Iterable[str]) -> Value:
    """Write a list as nginx would, unless a word has a space in it."""
    listed = [*words]
    return listed if any(" " in word for word in listed) else " ".join(listed)


def _policy(policy: Policy, protocol: str) -> Table:
    mechanisms = [mechanism.lower() for mechanism in policy.mechanisms]
    return {
        "server_name": policy.server_name,
        "max_errors": policy.max_errors,
        f"{protocol}_capabilities": _words(policy.capabilities),
        f"{protocol}_auth": "plain" if protocol == "pop3" else _words(mechanisms),
    }


def _timeouts(timeouts: Timeouts) -> Mapping[str, Value]:
    return {
        "timeout": format_time(timeouts.session),
        "proxy_timeout": format_time(timeouts.relay),
        "proxy_connect_timeout": format_time(timeouts.connect),
    }


def _tls(policy: TlsPolicy, config: Config) -> Table:
    issued = development_pair(config.state_directory)
    [pair] = policy.pairs
    if config.development_certificate and pair == Pair(*issued):
        certificate: Table = {"ssl_certificate": DEVELOPMENT}
    else:
        certificate = {
            "ssl_certificate": str(pair.certificate),
            "ssl_certificate_key": str(pair.key),
        }
    return {
        **certificate,
        "ssl_protocols": _words(policy.protocols),
        "ssl_ciphers": policy.ciphers,
        "ssl_prefer_server_ciphers": policy.prefer_server_ciphers,
    }


def _upstream(upstream: Upstream) -> Table:
    table: Table = {
        "proxy_pass": str(upstream.address),
        "proxy_ssl": upstream.proxy_ssl.value,
    }
    if upstream.proxy_ssl is ProxySsl.OFF:
        return table
    table["proxy_ssl_verify"] = upstream.tls.verify
    if upstream.tls.verify and upstream.tls.trusted_certificate is not None:
        trusted = str(upstream.tls.trusted_certificate)
        table["proxy_ssl_trusted_certificate"] = trusted
    if upstream.tls.name is not None:
        table["proxy_ssl_name"] = upstream.tls.name
    return table
