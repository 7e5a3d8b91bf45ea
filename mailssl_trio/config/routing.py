"""Where the users of a virtual server go, and who judges them."""

from attrs import evolve

from mailssl_trio.config.idle_tls import in_effect
from mailssl_trio.config.judged_tls import judge_client
from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.tls.policy import BackendTlsPolicy, Pair
from mailssl_trio.transport.address import (
    Address,
    EmbeddedAddress,
    TcpAddress,
    UnixAddress,
    parse_address,
)
from mailssl_trio.transport.upstream import ProxySsl, Upstream

PORTS = {"imap": 143, "pop3": 110, "smtp": 587}  # RFC 8314 section 7 has both rows
TLS_PORTS = {"imap": 993, "pop3": 995, "smtp": 465}


def upstream(
    table: ServerTable, protocol: str, site: Site, report: Report
) -> Upstream | None:
    """Return the backend of a server; None where only its users have one."""
    if table.is_set("auth_http"):  # it says where they go
        return None
    _check_judge(table, report)
    directives = table.directives
    if directives.proxy_pass is None:
        _check_default(table, report)
        return None
    ports = TLS_PORTS if directives.proxy_ssl is ProxySsl.ON else PORTS
    address = parse_address(directives.proxy_pass, ports[protocol])
    if isinstance(address, UnixAddress):
        address = evolve(address, path=site.path(address.path))
    proxy_ssl = _proxy_ssl(table, address, report)
    if proxy_ssl is ProxySsl.OFF:
        return Upstream(address)
    policy = backend_tls(table, site)
    judge_client(table, policy, site, report)
    return Upstream(address, proxy_ssl, policy)


def _check_judge(table: ServerTable, report: Report) -> None:
    """Somebody must know the users: a file, or a backend that is not our own."""
    if table.is_set("users"):
        return
    if not table.is_set("proxy_pass"):
        report.error(
            table.place,
            "nobody judges logins here: neither `auth_http`, `users` nor `proxy_pass`"
            " is set",
            "set `auth_http` to an auth server, `users` to a file, or `proxy_pass` to a"
            " backend that judges",
        )
    elif table.directives.proxy_pass == str(EmbeddedAddress()):
        report.error(
            table.origin("proxy_pass"),
            "the embedded mailbox judges nobody, and `users` is not set",
            "set `users` to a file",
        )


def _check_default(table: ServerTable, report: Report) -> None:
    """Refuse to let users' own backends be reached without the TLS that was asked."""
    if not table.is_set("proxy_pass") and table.directives.proxy_ssl != ProxySsl.OFF:
        report.error(
            table.origin("proxy_ssl"),
            "secures nothing without `proxy_pass`",
            "set `proxy_pass`; the users' own backends are then reached the same way",
        )


def _proxy_ssl(table: ServerTable, address: Address, report: Report) -> ProxySsl:
    """Return how TLS begins; it never does towards what is on this machine."""
    asked = table.directives.proxy_ssl
    if isinstance(address, TcpAddress) or asked is ProxySsl.OFF:
        return asked
    is_farther = table.is_inherited("proxy_ssl") and "proxy_pass" in table.own
    if not is_farther:
        where = report.line(table.origin("proxy_pass"))
        report.error(
            table.origin("proxy_ssl"),
            f"there is no TLS towards `{address}` (line {where})",
            "leave it out, or name a backend by host and port",
        )
    return ProxySsl.OFF


def backend_tls(table: ServerTable, site: Site) -> BackendTlsPolicy:
    """Return how TLS is spoken with backends, where it is."""
    directives = in_effect(table.directives)
    trusted = directives.proxy_ssl_trusted_certificate
    return BackendTlsPolicy(
        verify=directives.proxy_ssl_verify,
        trusted_certificate=None if trusted is None else site.path(trusted),
        name=directives.proxy_ssl_name,
        pair=_pair(table, site),
        protocols=directives.proxy_ssl_protocols,
        ciphers=directives.proxy_ssl_ciphers,
        session_reuse=directives.proxy_ssl_session_reuse,
    )


def _pair(table: ServerTable, site: Site) -> Pair | None:
    """Return what we show the backend; None if nothing, or if it is not known what."""
    certificate = table.directives.proxy_ssl_certificate
    key = table.directives.proxy_ssl_certificate_key
    is_wrong = key is None and table.is_set("proxy_ssl_certificate_key")
    if certificate is None or is_wrong:
        return None
    return Pair(site.source(certificate), site.source(key or certificate))
