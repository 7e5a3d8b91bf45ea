"""The effective configuration of an auth server."""

from mailssl_trio.auth.http_server import AuthHttp
from mailssl_trio.config.effective_tls import Table, backend
from mailssl_trio.config.pem_sources import HIDDEN
from mailssl_trio.config.units import format_time
from mailssl_trio.tls.policy import BackendTlsPolicy, TlsPolicy, VerifyClient
from mailssl_trio.transport.upstream import ProxySsl


def auth_server(settings: AuthHttp, front: TlsPolicy | None, *, secrets: bool) -> Table:
    """Write how it is asked, and how the backends are reached that it names."""
    table: Table = {
        "auth_http": str(settings.server),
        "auth_http_timeout": format_time(settings.timeout),
    }
    if settings.headers:  # one of them may be how the auth server knows us
        table["auth_http_header"] = [
            f"{name} {value if secrets else HIDDEN}" for name, value in settings.headers
        ]
    if front is not None and front.verify_client is not VerifyClient.OFF:
        table["auth_http_pass_client_cert"] = settings.pass_client_cert
    if settings.trusted_certificate is not None:
        trusted = str(settings.trusted_certificate)
        table["auth_http_ssl_trusted_certificate"] = trusted
    policy = settings.backend_tls
    if settings.proxy_ssl is not ProxySsl.OFF or policy != BackendTlsPolicy():
        table["proxy_ssl"] = settings.proxy_ssl.value
        if policy is not None:
            table |= backend(policy, secrets=secrets)
    return table
