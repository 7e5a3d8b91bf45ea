"""What OpenSSL says of the settings, in the operator's file and line."""

from stat import S_IRWXO

from attrs import evolve

from mailssl_trio.config.problem import MAY_NOT_OPEN, WRONG, Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.config.server_tls import is_development
from mailssl_trio.tls.context import client_context, server_context
from mailssl_trio.tls.policy import BackendTlsPolicy, Inline, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError

KEYS = {
    "ssl_certificate_key": "ssl_certificate",
    "proxy_ssl_certificate_key": "proxy_ssl_certificate",
}
"""Where a key comes from that no directive names."""


def judge_server(
    table: ServerTable, policy: TlsPolicy, protocol: str, site: Site, report: Report
) -> None:
    """Try out how a server would speak, but for what is not issued yet."""
    if is_development(table):
        policy = evolve(policy, pairs=())
    for pair in policy.pairs:
        if isinstance(pair.key, Inline):
            _report_exposure(table, "ssl_certificate_key", site, report)
    try:
        server_context(policy, protocol)
    except TlsSettingsError as wrong:
        _report(table, wrong.problems, report)


def judge_client(
    table: ServerTable, policy: BackendTlsPolicy, site: Site, report: Report
) -> None:
    """Try out how we would speak with a backend."""
    if policy.pair is not None and isinstance(policy.pair.key, Inline):
        _report_exposure(table, "proxy_ssl_certificate_key", site, report)
    try:
        client_context(policy)
    except TlsSettingsError as wrong:
        _report(table, wrong.problems, report)


def _report(
    table: ServerTable, problems: tuple[TlsProblem, ...], report: Report
) -> None:
    for problem in problems:
        report.error(
            table.origin(_written(table, problem.directive)),
            problem.text,
            problem.remedy,
            exit_code=MAY_NOT_OPEN if problem.denied else WRONG,
        )


def _report_exposure(
    table: ServerTable, directive: str, site: Site, report: Report
) -> None:
    """Note that strangers can take a key which stands in the configuration itself."""
    mode = site.files.read(site.file).mode
    if mode & S_IRWXO:
        report.error(
            table.origin(_written(table, directive)),
            f"the key in {site.file} is open to every user (mode {mode:04o})",
            f"chmod o-rwx {site.file}",
        )


def _written(table: ServerTable, directive: str) -> str:
    """Return the directive that decides; it names the file of the key, too."""
    return directive if table.is_set(directive) else KEYS.get(directive, directive)
