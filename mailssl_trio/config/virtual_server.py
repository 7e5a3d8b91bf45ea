"""A virtual server out of its directives, with everything that does not fit."""

from attrs import evolve

from mailssl_trio.config.auth_http import auth_http
from mailssl_trio.config.error_logs import server_access_log, server_log
from mailssl_trio.config.judged_tls import judge_server
from mailssl_trio.config.limiting import limit_policy
from mailssl_trio.config.listening import idle_parameters
from mailssl_trio.config.mechanisms import announced, check_mechanisms, chosen_words
from mailssl_trio.config.model import Listen, VirtualServer
from mailssl_trio.config.problem import Report, dotted
from mailssl_trio.config.proxying import proxy_policy, proxy_protocol
from mailssl_trio.config.resolver import asked_resolver
from mailssl_trio.config.routing import upstream
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.config.server_tls import tls_policy
from mailssl_trio.config.trusted_proxies import real_ip_from
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from mailssl_trio.transport.timeouts import Timeouts

WELL_KNOWN = {
    143: "imap",
    993: "imap",
    110: "pop3",
    995: "pop3",
    25: "smtp",
    465: "smtp",
    587: "smtp",
}

SOME_PROTOCOL = "imap"
"""Stands in where the protocol is unknown, so that the rest can still be checked."""


def virtual_server(
    table: ServerTable, site: Site, report: Report
) -> VirtualServer | None:
    """Return the server; None if its protocol or its addresses are unknown."""
    listens = _listens(table, report)
    protocol = _protocol(table, report)
    _warn_of_plaintext(table, listens, report)
    tls = tls_policy(table, listens, site, report)
    if tls is not None:
        judge_server(table, tls, protocol or SOME_PROTOCOL, site, report)
    backend = upstream(table, protocol or SOME_PROTOCOL, site, report)
    if protocol is not None:
        check_mechanisms(table, protocol, report)
    judge = auth_http(table, site, report)
    if protocol is None or not listens:
        return None
    users = table.directives.users if judge is None else None
    return VirtualServer(
        name=f"{dotted(table.place)} at {site.file}:{report.line(table.place)}",
        listens=listens,
        protocol=protocol,
        policy=_policy(table, protocol),
        tls=tls,
        timeouts=_timeouts(table),
        users=None if users is None else site.path(users),
        upstream=backend,
        resolver=asked_resolver(table, protocol, site, report),
        error_log=server_log(table, site, report),
        access_log=server_access_log(table, site, report),
        auth_http=judge,
        real_ip_from=real_ip_from(table, listens, site, report),
        proxy=proxy_policy(table, protocol, report),
        proxy_protocol=proxy_protocol(table, report),
        pass_error_message=table.directives.proxy_pass_error_message,
        limits=limit_policy(table, report),
    )


def _listens(table: ServerTable, report: Report) -> tuple[Listen, ...]:
    if not table.is_set("listen"):
        report.error(table.place, "no `listen`", 'write listen = "127.0.0.1:143"')
    directives = table.directives
    for listen in directives.listen:
        for parameter, reason in idle_parameters(listen):
            report.warning(
                (*table.place, "listen"),
                f"`{parameter}` has no effect on {listen}: {reason}",
                "leave it out",
            )
    return tuple(
        evolve(listen, ssl=listen.ssl or directives.ssl) for listen in directives.listen
    )


def _protocol(table: ServerTable, report: Report) -> str | None:
    """Return the protocol that was set, or that of the first well-known port."""
    if table.is_set("protocol"):
        return table.directives.protocol
    for listen in table.directives.listen:
        if listen.port in WELL_KNOWN:
            return WELL_KNOWN[listen.port]
    if table.directives.listen:
        report.error(
            table.place,
            "no `protocol`, and no port that is well known for one",
            'set `protocol` to "imap", "pop3" or "smtp"',
        )
    return None


def _warn_of_plaintext(
    table: ServerTable, listens: tuple[Listen, ...], report: Report
) -> None:
    """RFC 8314 section 3: no password should cross a network in the clear."""
    if table.directives.starttls is StartTlsMode.ONLY:
        return
    for listen in listens:
        if not listen.ssl and not listen.is_loopback:
            report.warning(
                (*table.place, "listen"),
                f"passwords may cross the network in the clear on {listen}",
                '`starttls = "only"` would refuse every login until TLS is up',
            )


def _policy(table: ServerTable, protocol: str) -> Policy:
    directives = table.directives
    chosen = chosen_words(directives, protocol)
    buffer, delay = None, 0.0
    match protocol:
        case "imap":
            capabilities = directives.imap_capabilities
            buffer = directives.imap_client_buffer
        case "pop3":
            capabilities = directives.pop3_capabilities
        case _:
            capabilities = directives.smtp_capabilities
            buffer = directives.smtp_client_buffer
            delay = directives.smtp_greeting_delay
    return Policy(
        server_name=directives.server_name,
        starttls=directives.starttls,
        mechanisms=announced(chosen, protocol),
        capabilities=capabilities,
        max_errors=directives.max_errors,
        apop="apop" in chosen,
        unauthenticated="none" in chosen,
        client_buffer=buffer or 0,
        greeting_delay=delay,
    )


def _timeouts(table: ServerTable) -> Timeouts:
    directives = table.directives
    return Timeouts(
        session=directives.timeout,
        connect=directives.proxy_connect_timeout,
        relay=directives.proxy_timeout,
    )
