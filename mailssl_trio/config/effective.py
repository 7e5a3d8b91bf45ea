"""The effective configuration as TOML: what the program will do, in its own words.

It is written from what the program uses, not from what was read, so it cannot differ
from it. Inheritance is applied, and every directive that has an effect is there, with
file names in full. Read again, it means the same.
"""

from collections.abc import Mapping

import tomli_w

from mailssl_trio.config.control_words import OFF
from mailssl_trio.config.effective_auth_http import auth_server
from mailssl_trio.config.effective_limits import limits
from mailssl_trio.config.effective_proxy import towards_backends
from mailssl_trio.config.effective_tls import Table, Value, backend, front, words
from mailssl_trio.config.listen_parameters import socket_words
from mailssl_trio.config.mechanisms import as_chosen
from mailssl_trio.config.model import Config, Listen, VirtualServer
from mailssl_trio.config.resolver_words import resolver_words
from mailssl_trio.config.units import format_size, format_time
from mailssl_trio.logs.access_log import AccessChain
from mailssl_trio.logs.writer import Chain
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.transport.resolver import Resolver
from mailssl_trio.transport.timeouts import Timeouts
from mailssl_trio.transport.upstream import ProxySsl, Upstream


def as_toml(config: Config, *, secrets: bool = False) -> str:
    """Write the whole configuration; keys that stand in it only if asked for."""
    top: dict[str, object] = {
        "error_log": _log(config.error_log),
        "access_log": _log(config.access_log),
        "state_directory": str(config.state_directory),
        "worker_processes": config.worker_processes,
        "worker_login_connections": config.worker_login_connections,
    }
    if config.worker_connections is not None:
        top["worker_connections"] = config.worker_connections
    if config.worker_shutdown_timeout is not None:
        top["worker_shutdown_timeout"] = format_time(config.worker_shutdown_timeout)
    if config.worker_rlimit_nofile is not None:
        top["worker_rlimit_nofile"] = config.worker_rlimit_nofile
    if config.user is not None:
        top["user"] = str(config.user.names)
    if config.pid is not None:
        top["pid"] = str(config.pid)
    if not config.control_is_default:  # else it follows from what is above
        top["control"] = str(config.control or OFF)
    servers = [_server(server, config, secrets) for server in config.servers]
    return tomli_w.dumps({**top, "mail": {"server": servers}})


def _server(server: VirtualServer, config: Config, secrets: bool) -> Table:
    table: Table = {
        "listen": _listens(server.listens),
        "protocol": server.protocol,
        **_policy(server.policy, server.protocol),
        **_timeouts(server.timeouts),
    }
    if any(not listen.ssl for listen in server.listens):
        table["starttls"] = server.policy.starttls.value
    table |= _resolver(server.resolver)
    table |= _logs(server)
    if server.tls is not None:
        table |= front(server.tls, config, secrets=secrets)
    table |= towards_backends(server)
    if server.real_ip_from.is_set:
        table["set_real_ip_from"] = list(server.real_ip_from.words)
    table |= limits(server.limits)
    if server.users is not None:
        table["users"] = str(server.users)
    if server.upstream is not None:
        table |= _upstream(server.upstream, secrets)
    if server.auth_http is not None:
        table |= auth_server(server.auth_http, server.tls, secrets=secrets)
    return table


def _resolver(resolver: Resolver | None) -> Table:
    if resolver is None:
        return {}
    return {
        "resolver": " ".join(resolver_words(resolver)),
        "resolver_timeout": format_time(resolver.timeout),
    }


def _logs(server: VirtualServer) -> Table:
    table: Table = {}
    if server.error_log:
        table["error_log"] = _log(server.error_log)
    if server.access_log is not None:
        table["access_log"] = _log(server.access_log)
    return table


def _log(chain: Chain | AccessChain) -> Value:
    words = [str(one) for one in chain] or ["off"]
    return words if len(words) > 1 else words[0]


def _listens(listens: tuple[Listen, ...]) -> Value:
    words = [_listen(listen) for listen in listens]
    return words if len(words) > 1 else words[0]


def _listen(listen: Listen) -> str:
    said = {"ssl": listen.ssl, "proxy_protocol": listen.proxy_protocol}
    flags = [name for name, is_said in said.items() if is_said]
    return " ".join((str(listen), *flags, *socket_words(listen.options)))


def _policy(policy: Policy, protocol: str) -> Table:
    table: Table = {
        "server_name": policy.server_name,
        "max_errors": policy.max_errors,
        f"{protocol}_capabilities": words(policy.capabilities),
        f"{protocol}_auth": words(as_chosen(policy, protocol)),
    }
    if policy.client_buffer:
        table[f"{protocol}_client_buffer"] = format_size(policy.client_buffer)
    if policy.greeting_delay:
        table["smtp_greeting_delay"] = format_time(policy.greeting_delay)
    return table


def _timeouts(timeouts: Timeouts) -> Mapping[str, Value]:
    return {
        "timeout": format_time(timeouts.session),
        "proxy_timeout": format_time(timeouts.relay),
        "proxy_connect_timeout": format_time(timeouts.connect),
    }


def _upstream(upstream: Upstream, secrets: bool) -> Table:
    table: Table = {
        "proxy_pass": str(upstream.address),
        "proxy_ssl": upstream.proxy_ssl.value,
    }
    if upstream.proxy_ssl is not ProxySsl.OFF:
        table |= backend(upstream.tls, secrets=secrets)
    return table
