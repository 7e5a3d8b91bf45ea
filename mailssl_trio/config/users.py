"""The users files of all servers: each is read once, and must fit its servers."""

from collections.abc import Sequence
from pathlib import Path

from mailssl_trio.auth.user_tables import UsersProblem
from mailssl_trio.auth.users import Users
from mailssl_trio.auth.users_file import UsersFileError, read_users
from mailssl_trio.config.document import read_document
from mailssl_trio.config.model import VirtualServer
from mailssl_trio.config.problem import MAY_NOT_OPEN, WRONG, Report, quoted
from mailssl_trio.config.server_table import ServerTable
from mailssl_trio.files import Files
from mailssl_trio.transport.address import EmbeddedAddress, TcpAddress
from mailssl_trio.transport.upstream import ProxySsl


def check_users(
    servers: Sequence[tuple[ServerTable, VirtualServer]], files: Files, report: Report
) -> None:
    """Note what is wrong with the users files, and with their users' backends."""
    known: dict[Path, Users | None] = {}
    for table, server in servers:
        if (file := server.users) is None:
            continue
        if file not in known:
            known[file] = _read(table, file, files, report)
        if (users := known[file]) is not None:
            _check_backends(table, server, users, report)
            _check_external(table, server, users, report)


def _check_external(
    table: ServerTable, server: VirtualServer, users: Users, report: Report
) -> None:
    """Who comes with a certificate has no password for the backend, unless we do."""
    default = None if server.upstream is None else server.upstream.address
    if "EXTERNAL" not in server.policy.mechanisms or any(
        user.upstream_password is not None
        or isinstance(user.upstreams.get(server.protocol, default), EmbeddedAddress)
        for user in users.everybody
    ):
        return
    report.error(
        table.origin(f"{server.protocol}_auth"),
        "`external` lets nobody in: no user has an `upstream_password`, and a"
        " certificate brings none",
        "add `upstream_password` in the users file, or leave `external` out",
    )


def _read(table: ServerTable, file: Path, files: Files, report: Report) -> Users | None:
    try:
        return read_users(file, files)
    except UsersFileError as wrong:
        for problem in wrong.problems:
            _report(table, file, problem, files, report)
    return None


def _report(
    table: ServerTable,
    file: Path,
    problem: UsersProblem,
    files: Files,
    report: Report,
) -> None:
    """Note a problem where it is: in the users file, or in the directive's line."""
    if not problem.keys and problem.line is None:
        report.error(
            table.origin("users"),
            f"{file}: {problem.text}",
            problem.remedy,
            exit_code=MAY_NOT_OPEN if problem.denied else WRONG,
        )
        return
    if problem.line is not None:
        theirs = Report(file, {(): problem.line})
    else:
        theirs = Report(file, read_document(file, files).positions.lines)
    theirs.error(problem.keys, problem.text, problem.remedy)
    for found in theirs.problems:
        report.add(found)


def _check_backends(
    table: ServerTable, server: VirtualServer, users: Users, report: Report
) -> None:
    """Every user has a backend, and none is without the TLS that was asked for."""
    if server.upstream is None and not table.is_set("proxy_pass"):
        for name in users.without_upstream(server.protocol):
            report.error(
                table.origin("users"),
                f"user {quoted(name)} has no backend for {server.protocol}",
                "give the user an `upstream`, or the server a `proxy_pass`",
            )
    if server.upstream is None or server.upstream.proxy_ssl is not ProxySsl.OFF:
        return
    if table.directives.proxy_ssl is ProxySsl.OFF:
        return
    for user in users.everybody:
        if isinstance(user.upstreams.get(server.protocol), TcpAddress):
            report.error(
                table.origin("proxy_ssl"),
                f"user {quoted(user.name)} would be sent on without TLS, since"
                f" `{server.upstream.address}` has none",
                "give users with a backend of their own a server of their own",
            )
