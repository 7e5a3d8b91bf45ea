"""The auth server of a virtual server, out of the ``auth_http*`` directives."""

from collections.abc import Iterator
from functools import cache

from attrs import evolve

from mailssl_trio.auth.http_server import AuthHttp, AuthServer
from mailssl_trio.config.directives import SERVER
from mailssl_trio.config.judged_tls import judge_client
from mailssl_trio.config.problem import MAY_NOT_OPEN, WRONG, Report
from mailssl_trio.config.routing import backend_tls
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.tls.context import client_context
from mailssl_trio.tls.policy import BackendTlsPolicy, VerifyClient
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.transport.address import UnixAddress

OURS = sorted(name for name in SERVER if name.startswith("auth_http_"))
BACKEND_TLS = sorted(name for name in SERVER if name.startswith("proxy_ssl"))
CA = "auth_http_ssl_trusted_certificate"


def auth_http(table: ServerTable, site: Site, report: Report) -> AuthHttp | None:
    """Return how the auth server is asked; None where there is none."""
    directives = table.directives
    if directives.auth_http is None:
        return None
    _check_it_decides_alone(table, report)
    is_secured = directives.auth_http.secured
    trusted = directives.auth_http_ssl_trusted_certificate if is_secured else None
    settings = AuthHttp(
        server=_beside_the_file(directives.auth_http, site),
        timeout=directives.auth_http_timeout,
        headers=directives.auth_http_header,
        pass_client_cert=directives.auth_http_pass_client_cert,
        trusted_certificate=None if trusted is None else site.path(trusted),
        proxy_ssl=directives.proxy_ssl,
        backend_tls=_backend_tls(table, site, report),
    )
    _judge(table, settings, site, report)
    return settings


def idle_auth_http(table: ServerTable) -> Iterator[tuple[str, str]]:
    """Yield what decides nothing about asking an auth server, and why."""
    directives = table.directives
    if directives.auth_http is None:
        for name in OURS:
            yield name, "there is no `auth_http`"
        return
    if not directives.auth_http.secured:
        yield CA, "`auth_http` does not begin with https://"
    if directives.ssl_verify_client is VerifyClient.OFF:
        yield "auth_http_pass_client_cert", "`ssl_verify_client` is off"


def _check_it_decides_alone(table: ServerTable, report: Report) -> None:
    """Who decides twice decides nothing: a user would get in by the easier way."""
    where = report.line(table.origin("auth_http"))
    for other in ("users", "proxy_pass"):
        if table.is_set(other):
            report.error(
                table.origin(other),
                f"conflicts with `auth_http` in line {where}, which decides who may"
                " log in, and where",
                "keep one of them, and set each in the servers that it is for",
            )


def _beside_the_file(server: AuthServer, site: Site) -> AuthServer:
    if isinstance(server.address, UnixAddress):
        path = site.path(server.address.path)
        return evolve(server, address=UnixAddress(path))
    return server


def _backend_tls(
    table: ServerTable, site: Site, report: Report
) -> BackendTlsPolicy | None:
    """Return how TLS is spoken with the backends that the auth server names.

    It may ask for TLS where nothing is set, and then the system's CAs are believed;
    a system without any is not reproached for what nobody has asked for yet.
    """
    policy = backend_tls(table, site)
    if any(map(table.is_set, BACKEND_TLS)):
        judge_client(table, policy, site, report)
        return policy
    return policy if _is_possible(policy) else None


@cache
def _is_possible(policy: BackendTlsPolicy) -> bool:
    """Whether a policy without files can be used; asked once for many servers."""
    try:
        client_context(policy)
    except TlsSettingsError:
        return False
    return True


def _judge(table: ServerTable, settings: AuthHttp, site: Site, report: Report) -> None:
    """Try out how we would speak with the auth server."""
    if settings.tls is None:
        return
    try:
        client_context(settings.tls, site.files)
    except TlsSettingsError as wrong:
        for problem in wrong.problems:
            report.error(
                table.origin(CA),
                problem.text,
                problem.remedy,
                exit_code=MAY_NOT_OPEN if problem.denied else WRONG,
            )
