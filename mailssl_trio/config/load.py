"""Load a configuration: all of it is right, or all that is wrong is said at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from mailssl_trio.config.addresses import report_overlaps
from mailssl_trio.config.directives import TopDirectives
from mailssl_trio.config.document import read_document
from mailssl_trio.config.effect import report_idle
from mailssl_trio.config.mail import read_servers
from mailssl_trio.config.model import Config, ErrorLog
from mailssl_trio.config.problem import ConfigError, Report
from mailssl_trio.config.server_table import Site
from mailssl_trio.config.server_tls import is_development
from mailssl_trio.config.structure import structure
from mailssl_trio.config.users import check_users
from mailssl_trio.config.virtual_server import virtual_server


def load(
    file: Path,
    *,
    state_directory: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """Read and check a configuration; ConfigError with every problem in it.

    Reads all the files that it names, and creates none. ``state_directory`` goes
    before the directive and before $STATE_DIRECTORY.
    """
    document = read_document(file)
    report = Report(file, document.positions.lines)
    tables = {k: value for k, value in document.tables.items() if k != "mail"}
    top, _ = structure(tables, TopDirectives, (), report)
    site = _site(file, top, state_directory, environment)
    error_log = _error_log(top, site, report)
    servers = read_servers(document.tables.get("mail"), report)
    is_legible = not report.has_errors
    built = [(table, virtual_server(table, site, report)) for table in servers]
    whole = [(table, server) for table, server in built if server is not None]
    report_overlaps(servers, report)
    check_users(whole, report)
    if is_legible and len(whole) == len(built):  # or what is unread would seem idle
        report_idle(whole, report)
    if report.has_errors:
        raise ConfigError(report.problems)
    return Config(
        file=file,
        state_directory=site.state_directory,
        error_log=error_log,
        worker_shutdown_timeout=top.worker_shutdown_timeout,
        servers=tuple(server for _, server in whole),
        development_certificate=any(
            server.tls is not None and is_development(table) for table, server in whole
        ),
        warnings=report.problems,
    )


def _site(
    file: Path,
    top: TopDirectives,
    state_directory: Path | None,
    environment: Mapping[str, str],
) -> Site:
    directory = file.absolute().parent
    if state_directory is None:
        if top.state_directory is not None:
            state_directory = directory / top.state_directory
        elif given := environment.get("STATE_DIRECTORY"):
            state_directory = Path(given.split(":")[0])  # systemd.exec(5): perhaps many
        else:
            state_directory = directory.parent / "var"
    return Site(file, directory, state_directory.absolute())


def _error_log(top: TopDirectives, site: Site, report: Report) -> ErrorLog:
    if top.error_log.target is None:
        return top.error_log
    target = site.path(top.error_log.target)
    if not os.path.isdir(target.parent):
        report.error(
            ("error_log",), f"{target.parent} is no directory", "make it, or mend it"
        )
    return evolve(top.error_log, target=target)
