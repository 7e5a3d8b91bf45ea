"""What OpenSSL says of the settings, in the operator's file and line."""

from collections.abc import Iterable
from stat import S_IRWXO

from attrs import evolve

from mailssl_trio.config.exposed_keys import warn_of_exposed_keys
from mailssl_trio.config.pem_sources import holds_key
from mailssl_trio.config.problem import MAY_NOT_OPEN, WRONG, Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.config.server_tls import is_development
from mailssl_trio.tls.certificates.pem import ENCRYPTED, data_of
from mailssl_trio.tls.certificates.revocation import crl_warnings
from mailssl_trio.tls.certificates.warnings import certificate_warnings
from mailssl_trio.tls.context import client_context, server_context
from mailssl_trio.tls.policy import BackendTlsPolicy, Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from mailssl_trio.tls.versions import version_warnings

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
        _check_exposure(table, "ssl_certificate", pair, site, report)
    try:
        server_context(policy, protocol, site.files)
    except TlsSettingsError as wrong:
        _report(table, wrong.problems, report)
    else:
        _warn_of_idle_passphrases(table, policy, site, report)
    warn_of_exposed_keys(table, policy, site, report)
    _warn(table, version_warnings(policy.protocols), report)
    _warn(table, certificate_warnings(policy, site.files), report)
    _warn(table, crl_warnings(policy), report)


def judge_client(
    table: ServerTable, policy: BackendTlsPolicy, site: Site, report: Report
) -> None:
    """Try out how we would speak with a backend."""
    if policy.pair is not None:
        _check_exposure(table, "proxy_ssl_certificate", policy.pair, site, report)
    try:
        client_context(policy, site.files)
    except TlsSettingsError as wrong:
        _report(table, wrong.problems, report)
    _warn(table, version_warnings(policy.protocols, "proxy_ssl_protocols"), report)


def _report(table: ServerTable, found: Iterable[TlsProblem], report: Report) -> None:
    for problem in found:
        report.error(
            table.origin(_written(table, problem.directive)),
            problem.text,
            problem.remedy,
            exit_code=MAY_NOT_OPEN if problem.denied else WRONG,
        )


def _warn(table: ServerTable, found: Iterable[TlsProblem], report: Report) -> None:
    for warning in found:
        report.warning(table.origin(warning.directive), warning.text, warning.remedy)


def _warn_of_idle_passphrases(
    table: ServerTable, policy: TlsPolicy, site: Site, report: Report
) -> None:
    keys = [data_of(pair.key, site.files) for pair in policy.pairs]
    if policy.password_file is not None and not any(map(ENCRYPTED.search, keys)):
        report.warning(
            table.origin("ssl_password_file"),
            "has no effect here: no key is encrypted",
            "leave it out",
        )


def _check_exposure(
    table: ServerTable, certificate: str, pair: Pair, site: Site, report: Report
) -> None:
    """Note that strangers can take a key which stands in the configuration itself."""
    mode = site.files.read(site.file).mode
    places = {certificate: pair.certificate, f"{certificate}_key": pair.key}
    for directive, source in places.items():
        if holds_key(source) and mode & S_IRWXO:
            report.error(
                table.origin(_written(table, directive)),
                f"the key in {site.file} is open to every user (mode {mode:04o})",
                f"chmod o-rwx {site.file}",
            )


def _written(table: ServerTable, directive: str) -> str:
    """Return the directive that decides; it names the file of the key, too."""
    return directive if table.is_set(directive) else KEYS.get(directive, directive)
