"""Find the directives that are set and decide nothing.

What an operator writes, he relies on. A directive that is right in itself and idle
in every server that it holds for is therefore named, with the reason: an error where
it promises TLS towards a backend, a warning otherwise, since nginx takes it silently.
"""

from collections.abc import Iterable, Iterator, Sequence

from mailssl_trio.config.auth_http import CA, idle_auth_http
from mailssl_trio.config.directives import MAIL, SERVER
from mailssl_trio.config.idle_tls import idle_beside_others, idle_towards_backends
from mailssl_trio.config.model import VirtualServer
from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.server_table import ServerTable
from mailssl_trio.config.server_tls import tls_reason
from mailssl_trio.config.words import MAIL_PROTOCOLS
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.transport.upstream import ProxySsl, Upstream

TLS = sorted(name for name in SERVER if name.startswith("ssl_"))
ONLY_SMTP = (
    "resolver",
    "resolver_timeout",
    "smtp_greeting_delay",
    "proxy_smtp_auth",
)
BACKEND_TLS = sorted(name for name in SERVER if name.startswith("proxy_ssl_"))


def report_idle(
    servers: Sequence[tuple[ServerTable, VirtualServer]], report: Report
) -> None:
    """Name every directive that is idle wherever it holds."""
    found = [(table, dict(_idle(table, server))) for table, server in servers]
    for table, reasons in found:
        for name in sorted(reasons.keys() & table.own):
            _report(table.origin(name), name, reasons[name], report)
    for name in sorted(MAIL):
        _report_inherited(name, found, report)


def _report_inherited(
    name: str, found: Iterable[tuple[ServerTable, dict[str, str]]], report: Report
) -> None:
    holding = [
        reasons for table, reasons in found if name in table.inherited - table.own
    ]
    if holding and all(name in reasons for reasons in holding):
        _report(("mail", name), name, f"in no server: {holding[0][name]}", report)


def _report(path: KeyPath, name: str, reason: str, report: Report) -> None:
    note = report.error if name in {CA, *BACKEND_TLS} else report.warning
    note(path, f"has no effect here: {reason}", "leave it out")


def _idle(table: ServerTable, server: VirtualServer) -> Iterator[tuple[str, str]]:
    """Yield each directive that decides nothing in a server, and why."""
    for protocol in MAIL_PROTOCOLS:
        if protocol != server.protocol:
            yield f"{protocol}_auth", f"the protocol is {server.protocol}"
            yield f"{protocol}_capabilities", f"the protocol is {server.protocol}"
            yield f"{protocol}_client_buffer", f"the protocol is {server.protocol}"
    if server.protocol != "smtp":
        for name in ONLY_SMTP:
            yield name, f"the protocol is {server.protocol}"
    elif server.resolver is None:
        yield "resolver_timeout", "there is no `resolver`"
    if not any(listen.proxy_protocol for listen in server.listens):
        yield "set_real_ip_from", "no `listen` says `proxy_protocol`"
    yield from _idle_tls(table, server)
    yield from idle_auth_http(table)
    if server.auth_http is not None:  # it may ask for TLS at any time
        yield from idle_towards_backends(table.directives)
    else:
        yield from _idle_backend_tls(table, server.upstream)


def _idle_tls(table: ServerTable, server: VirtualServer) -> Iterator[tuple[str, str]]:
    if tls_reason(table, server.listens) is None:
        for name in TLS:
            yield name, "neither `ssl`, `starttls` nor a `listen` asks for TLS"
    else:
        yield from idle_beside_others(table.directives)
    always_tls = all(listen.ssl for listen in server.listens)
    if always_tls and server.policy.starttls is not StartTlsMode.OFF:
        yield "starttls", "every address speaks TLS from the start"


def _idle_backend_tls(
    table: ServerTable, upstream: Upstream | None
) -> Iterator[tuple[str, str]]:
    if upstream is None or upstream.proxy_ssl is ProxySsl.OFF:
        for name in BACKEND_TLS:
            yield name, "there is no TLS towards the backend, since `proxy_ssl` is off"
    else:
        yield from idle_towards_backends(table.directives)
