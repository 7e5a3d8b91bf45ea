"""Versions of TLS that an operator may name and should not."""

from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable

DEAD = frozenset({"SSLv2", "SSLv3"})  # RFC 6176, RFC 7568
DEPRECATED = frozenset({"TLSv1", "TLSv1.1"})  # RFC 8996


def warn_of_old_protocols(table: ServerTable, name: str, report: Report) -> None:
    """Say of ``ssl_protocols`` or ``proxy_ssl_protocols`` what is behind its time."""
    path = table.origin(name)
    words: tuple[str, ...] = getattr(table.directives, name)
    for word in words:
        if word in DEAD:
            report.warning(
                path, f"{word} cannot be spoken by today's OpenSSL", "leave it out"
            )
        if word in DEPRECATED:
            report.warning(
                path, f"{word} is deprecated (RFC 8996)", "leave it out if you can"
            )
