"""How a virtual server speaks TLS: its policy, tried out with OpenSSL."""

from mailssl_trio.config.model import Listen, development_pair
from mailssl_trio.config.problem import MAY_NOT_OPEN, WRONG, KeyPath, Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.config.words import DEAD_TLS_PROTOCOLS, DEPRECATED_TLS_PROTOCOLS
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError

DEVELOPMENT = "development"
"""The ``ssl_certificate`` that we issue ourselves."""


def tls_policy(
    table: ServerTable, listens: tuple[Listen, ...], site: Site, report: Report
) -> TlsPolicy | None:
    """Return the policy of a server that uses TLS, and None for one that does not."""
    reason = tls_reason(table, listens)
    if reason is None:
        return None
    if not table.is_set("ssl_certificate"):
        report.error(
            (*table.place, "ssl_certificate"),
            f"missing, for the `{reason[-1]}` in line {report.line(reason)}",
            'name a PEM file, or "development" to try things out',
        )
    if (certificate := table.directives.ssl_certificate) is None:
        return None
    policy = _policy(table, certificate, site)
    _warn_of_old_protocols(table, report)
    return policy


def check_tls(
    table: ServerTable, policy: TlsPolicy, protocol: str, report: Report
) -> None:
    """Have OpenSSL judge a policy; the development certificate need not be there."""
    try:
        server_context(policy, protocol)
    except TlsSettingsError as wrong:
        for problem in wrong.problems:
            if not (is_development(table) and _is_about_files(problem)):
                report_tls(table, problem, report)


def report_tls(table: ServerTable, problem: TlsProblem, report: Report) -> None:
    """Note what the TLS floor found, where the operator wrote it."""
    directive = problem.directive
    if directive == "ssl_certificate_key" and not table.is_set(directive):
        directive = "ssl_certificate"  # whose file is the key's then
    report.error(
        table.origin(directive),
        problem.text,
        problem.remedy,
        exit_code=MAY_NOT_OPEN if problem.denied else WRONG,
    )


def is_development(table: ServerTable) -> bool:
    """Whether a server shows the certificate that we issue ourselves."""
    return table.directives.ssl_certificate == DEVELOPMENT


def _is_about_files(problem: TlsProblem) -> bool:
    return problem.directive in {"ssl_certificate", "ssl_certificate_key"}


def tls_reason(table: ServerTable, listens: tuple[Listen, ...]) -> KeyPath | None:
    """Return the directive by which a server uses TLS; None if it does not."""
    if table.directives.ssl:
        return table.origin("ssl")
    if any(listen.ssl for listen in listens):
        return table.origin("listen")
    if table.directives.starttls is not StartTlsMode.OFF:
        return table.origin("starttls")
    return None


def _policy(table: ServerTable, certificate: str, site: Site) -> TlsPolicy:
    directives = table.directives
    if is_development(table):
        pair = Pair(*development_pair(site.state_directory))
    else:
        key = directives.ssl_certificate_key or certificate
        pair = Pair(site.path(certificate), site.path(key))
    return TlsPolicy(
        (pair,),
        protocols=directives.ssl_protocols,
        ciphers=directives.ssl_ciphers,
        prefer_server_ciphers=directives.ssl_prefer_server_ciphers,
    )


def _warn_of_old_protocols(table: ServerTable, report: Report) -> None:
    for word in table.directives.ssl_protocols:
        path = table.origin("ssl_protocols")
        if word in DEAD_TLS_PROTOCOLS:
            report.warning(
                path, f"{word} cannot be spoken by today's OpenSSL", "leave it out"
            )
        if word in DEPRECATED_TLS_PROTOCOLS:
            report.warning(
                path, f"{word} is deprecated (RFC 8996)", "leave it out if you can"
            )
