"""What is in effect towards backends, but for their TLS, as TOML."""

from mailssl_trio.config.effective_tls import Table
from mailssl_trio.config.model import VirtualServer
from mailssl_trio.config.units import format_size
from mailssl_trio.protocol.introduction import XClient


def towards_backends(server: VirtualServer) -> Table:
    """Write the directives that say what backends hear, and may say."""
    table: Table = {
        "proxy_protocol": server.proxy_protocol.value,
        "proxy_pass_error_message": server.pass_error_message,
    }
    if server.proxy.xclient is not XClient.IF_OFFERED:  # which has no word
        table["xclient"] = server.proxy.xclient is XClient.ON
    if server.protocol == "smtp":
        table["proxy_smtp_auth"] = server.proxy.smtp_auth
    if server.proxy.proxy_buffer is not None:
        table["proxy_buffer"] = format_size(server.proxy.proxy_buffer)
    return table
