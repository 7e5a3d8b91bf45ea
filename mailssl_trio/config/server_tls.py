"""How a virtual server speaks TLS: its policy, out of the ``ssl_*`` directives."""

from pathlib import Path

from mailssl_trio.config.idle_tls import in_effect
from mailssl_trio.config.model import Listen, development_pair
from mailssl_trio.config.pem_sources import DEVELOPMENT, Named
from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.config.tls_words import names_file
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.tls.policy import Pair, TlsPolicy

A_WEEK = 7 * 86400


def tls_policy(
    table: ServerTable, listens: tuple[Listen, ...], site: Site, report: Report
) -> TlsPolicy | None:
    """Return the policy of a server that uses TLS, and None for one that does not.

    Where it is not known which certificate the server shows, the policy has no pair,
    so that all the rest of it can still be judged.
    """
    reason = tls_reason(table, listens)
    if reason is None:
        return None
    if not table.is_set("ssl_certificate"):
        report.error(
            (*table.place, "ssl_certificate"),
            f"missing, for the `{reason[-1]}` in line {report.line(reason)}",
            'name a PEM file, or "development" to try things out',
        )
    _warn_of_long_sessions(table, report)
    return _policy(table, _pairs(table, site, report), site)


def tls_reason(table: ServerTable, listens: tuple[Listen, ...]) -> KeyPath | None:
    """Return the directive by which a server uses TLS; None if it does not."""
    if table.directives.ssl:
        return table.origin("ssl")
    if any(listen.ssl for listen in listens):
        return table.origin("listen")
    if table.directives.starttls is not StartTlsMode.OFF:
        return table.origin("starttls")
    return None


def is_development(table: ServerTable) -> bool:
    """Whether a server shows the certificate that we issue ourselves."""
    return table.directives.ssl_certificate == (DEVELOPMENT,)


def _pairs(table: ServerTable, site: Site, report: Report) -> tuple[Pair, ...]:
    """Return the certificates, each with its key; none if that is not known."""
    if is_development(table):
        return (Pair(*development_pair(site.state_directory)),)
    certificates = table.directives.ssl_certificate or ()
    keys = table.directives.ssl_certificate_key
    if keys is None and table.is_set("ssl_certificate_key"):  # and wrong
        return ()
    keys = keys or certificates
    if len(keys) != len(certificates):
        if certificates:
            _report_odd_ones(table, certificates, keys, report)
        return ()
    return tuple(
        Pair(site.source(certificate), site.source(key))
        for certificate, key in zip(certificates, keys, strict=True)
    )


def _report_odd_ones(
    table: ServerTable,
    certificates: tuple[Named, ...],
    keys: tuple[Named, ...],
    report: Report,
) -> None:
    path = table.origin("ssl_certificate_key")
    where = f"in line {report.line(table.origin('ssl_certificate'))}"
    remedy = "name as many keys as certificates, in the same order"
    if missing := certificates[len(keys) :]:
        report.error(path, f"no key for certificate {missing[0]} {where}", remedy)
    else:
        odd = keys[len(certificates)]
        report.error(path, f"no certificate {where} for key {odd}", remedy)


def _policy(table: ServerTable, pairs: tuple[Pair, ...], site: Site) -> TlsPolicy:
    directives = in_effect(table.directives)

    def path(name: str | None) -> Path | None:
        return None if name is None else site.path(name)

    return TlsPolicy(
        pairs,
        password_file=path(directives.ssl_password_file),
        protocols=directives.ssl_protocols,
        ciphers=directives.ssl_ciphers,
        prefer_server_ciphers=directives.ssl_prefer_server_ciphers,
        dhparam=path(directives.ssl_dhparam),
        ecdh_curve=directives.ssl_ecdh_curve,
        conf_commands=tuple(
            (name, str(site.path(value)) if names_file(name) else value)
            for name, value in directives.ssl_conf_command
        ),
        session_cache=directives.ssl_session_cache,
        session_timeout=directives.ssl_session_timeout,
        session_tickets=directives.ssl_session_tickets,
        session_ticket_keys=tuple(map(site.path, directives.ssl_session_ticket_key)),
        verify_client=directives.ssl_verify_client,
        client_certificate=path(directives.ssl_client_certificate),
        trusted_certificate=path(directives.ssl_trusted_certificate),
        verify_depth=directives.ssl_verify_depth,
        crl=path(directives.ssl_crl),
    )


def _warn_of_long_sessions(table: ServerTable, report: Report) -> None:
    directives = in_effect(table.directives)
    is_recent = "TLSv1.3" in directives.ssl_protocols
    if is_recent and directives.ssl_session_timeout > A_WEEK:
        report.warning(
            table.origin("ssl_session_timeout"),
            "TLS 1.3 sessions end after a week (RFC 8446 section 4.6.1)",
            'write at most "7d"',
        )
