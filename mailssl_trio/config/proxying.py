"""How a virtual server deals with its backends, and what of that cannot be."""

from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable
from mailssl_trio.protocol.introduction import ProxyPolicy, XClient
from mailssl_trio.transport.address import EmbeddedAddress
from mailssl_trio.transport.announcing import ProxyProtocol

SMTP_AUTH = "proxy_smtp_auth"


def proxy_policy(table: ServerTable, protocol: str, report: Report) -> ProxyPolicy:
    """Return what backends hear before the login is over, and may say."""
    return ProxyPolicy(
        xclient=_xclient(table),
        smtp_auth=_smtp_auth(table, protocol, report),
        proxy_buffer=table.directives.proxy_buffer,
    )


def proxy_protocol(table: ServerTable, report: Report) -> ProxyProtocol:
    """Return which header backends get; there is none for the embedded mailbox."""
    form = table.directives.proxy_protocol
    is_embedded = table.directives.proxy_pass == str(EmbeddedAddress())
    if form is ProxyProtocol.OFF or not is_embedded:
        return form
    if not (table.is_inherited("proxy_protocol") and "proxy_pass" in table.own):
        where = report.line(table.origin("proxy_pass"))
        report.error(
            table.origin("proxy_protocol"),
            f"the embedded mailbox (line {where}) takes no PROXY header",
            "leave it out, or name a backend by host and port",
        )
    return ProxyProtocol.OFF


def _xclient(table: ServerTable) -> XClient:
    match table.directives.xclient:
        case None if table.is_set("auth_http"):  # as in nginx
            return XClient.ON
        case None:
            return XClient.IF_OFFERED
        case wanted:
            return XClient.ON if wanted else XClient.OFF


def _smtp_auth(table: ServerTable, protocol: str, report: Report) -> bool:
    """Where nobody else judges, the backend must be shown the password."""
    wanted = table.directives.proxy_smtp_auth
    somebody_judges = table.is_set("auth_http") or table.is_set("users")
    if wanted is False and not somebody_judges and protocol == "smtp":
        report.error(
            table.origin(SMTP_AUTH),
            "nobody would judge a password: the backend is not shown it, and neither"
            " `auth_http` nor `users` is set",
            "leave it out, or say who judges",
        )
    return not table.is_set("auth_http") if wanted is None else wanted
