"""Load a configuration: all of it is right, or all that is wrong is said at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from mailssl_trio.config.addresses import report_overlaps
from mailssl_trio.config.control import control_path
from mailssl_trio.config.directives import TopDirectives
from mailssl_trio.config.document import read_document
from mailssl_trio.config.effect import report_idle
from mailssl_trio.config.error_logs import access_log, check_directory, error_log
from mailssl_trio.config.mail import read_servers
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError, Report
from mailssl_trio.config.server_table import Site
from mailssl_trio.config.server_tls import is_development
from mailssl_trio.config.structure import structure
from mailssl_trio.config.users import check_users
from mailssl_trio.config.virtual_server import virtual_server
from mailssl_trio.config.worker_user import worker_user
from mailssl_trio.config.zones import report_zones
from mailssl_trio.files import Files


def load(
    file: Path,
    *,
    state_directory: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    files: Files | None = None,
) -> Config:
    """Read and check a configuration; ConfigError with every problem in it.

    Reads all the files that it names, and creates none. What has once been judged is
    in ``files`` and gives the same again, whatever is on the disk by then.
    ``state_directory`` goes before the directive and before $STATE_DIRECTORY.
    """
    files = Files() if files is None else files
    document = read_document(file, files)
    report = Report(file, document.positions.lines)
    for warning in document.warnings:
        report.add(warning)
    tables = {k: value for k, value in document.tables.items() if k != "mail"}
    top, _ = structure(tables, TopDirectives, (), report)
    directory = where_state_is(file, top, state_directory, environment)
    site = Site(file, file.absolute().parent, directory, files)
    log = error_log(top.error_log, ("error_log",), site, report)
    access = access_log(top.access_log, ("access_log",), site, report)
    pid = _pid(top, site, report)
    control = control_path(top, pid, site, report)
    user = worker_user(top.user, report)
    servers = read_servers(document.tables.get("mail"), report)
    is_legible = not report.has_errors
    built = [(table, virtual_server(table, site, report)) for table in servers]
    whole = [(table, server) for table, server in built if server is not None]
    report_overlaps(servers, report)
    report_zones(servers, report)
    check_users(whole, files, report)
    if is_legible and len(whole) == len(built):  # or what is unread would seem idle
        report_idle(whole, report)
    if report.has_errors:
        raise ConfigError(report.problems)
    return Config(
        file=file,
        state_directory=site.state_directory,
        error_log=log,
        access_log=access,
        worker_shutdown_timeout=top.worker_shutdown_timeout,
        worker_processes=top.worker_processes,
        pid=pid,
        control=control.path,
        control_is_default=control.is_default,
        servers=tuple(server for _, server in whole),
        development_certificate=any(
            server.tls is not None and is_development(table) for table, server in whole
        ),
        warnings=report.problems,
        user=user,
        worker_rlimit_nofile=top.worker_rlimit_nofile,
        worker_connections=top.worker_connections,
        worker_login_connections=top.worker_login_connections,
    )


def where_state_is(
    file: Path,
    top: TopDirectives,
    given: Path | None,
    environment: Mapping[str, str],
) -> Path:
    """Return the state directory: as given, as set, as systemd has it, or ours."""
    directory = file.absolute().parent
    if given is not None:
        return given.absolute()
    if top.state_directory is not None:
        return directory / top.state_directory
    if systemds := environment.get("STATE_DIRECTORY"):
        return Path(systemds.split(":")[0]).absolute()  # systemd.exec(5): perhaps many
    return directory.parent / "var"


def _pid(top: TopDirectives, site: Site, report: Report) -> Path | None:
    if top.pid is None:
        return None
    pid = site.path(top.pid)
    check_directory(("pid",), pid, site, report)
    return pid
