"""Directives of TLS that decide nothing beside others, and why.

A policy is made as if they were not there: their files are not read, and the
effective configuration, which leaves them out, means the same.
"""

from collections.abc import Iterator
from typing import Never, cast

from attrs import evolve, fields_dict

from mailssl_trio.config.directives import ServerDirectives
from mailssl_trio.config.pem_sources import DEVELOPMENT
from mailssl_trio.config.tls_words import allow_tickets
from mailssl_trio.tls.policy import SessionCache, VerifyClient

OF_CLIENT_CERTIFICATES = (
    "ssl_client_certificate",
    "ssl_trusted_certificate",
    "ssl_verify_depth",
    "ssl_crl",
)


def idle_beside_others(directives: ServerDirectives) -> Iterator[tuple[str, str]]:
    """Yield what decides nothing in a server that speaks TLS, be it set or not."""
    if directives.ssl_certificate == (DEVELOPMENT,):
        yield "ssl_certificate_key", "the development certificate has its own"
        yield "ssl_password_file", "the development certificate's key is not encrypted"
    if directives.ssl_protocols == ("TLSv1.3",):
        yield "ssl_dhparam", "TLSv1.3 has its own"
    if not directives.ssl_session_tickets:
        yield "ssl_session_ticket_key", "`ssl_session_tickets` is off"
    if not resumes(
        directives.ssl_session_cache,
        directives.ssl_session_tickets,
        directives.ssl_conf_command,
    ):
        reason = "`ssl_session_cache` keeps no session, and there are no tickets"
        yield "ssl_session_timeout", reason
    if directives.ssl_verify_client is VerifyClient.OFF:
        for name in OF_CLIENT_CERTIFICATES:
            yield name, "`ssl_verify_client` is off"


def idle_towards_backends(directives: ServerDirectives) -> Iterator[tuple[str, str]]:
    """Yield the same of a server that speaks TLS with its backend."""
    if not directives.proxy_ssl_verify:
        yield "proxy_ssl_trusted_certificate", "`proxy_ssl_verify` is off"
    if directives.proxy_ssl_certificate is None:
        yield "proxy_ssl_certificate_key", "there is no `proxy_ssl_certificate`"


def in_effect(directives: ServerDirectives) -> ServerDirectives:
    """Return the same directives without what decides nothing."""
    idle = (*idle_beside_others(directives), *idle_towards_backends(directives))
    defaults = fields_dict(ServerDirectives)
    unset = {name: defaults[name].default for name, _ in idle}
    return evolve(directives, **cast("dict[str, Never]", unset))  # each of its own type


def resumes(
    cache: SessionCache, tickets: bool, commands: tuple[tuple[str, str], ...]
) -> bool:
    """Whether any session can be resumed, for which it then matters how long."""
    keeps = cache.builtin is not None or cache.shared is not None
    return keeps or tickets or allow_tickets(commands)
