"""Zones of TLS sessions: servers that name the same one share it."""

from collections.abc import Sequence

from mailssl_trio.config.problem import KeyPath, Report, quoted
from mailssl_trio.config.server_table import ServerTable
from mailssl_trio.config.units import format_size


def report_zones(tables: Sequence[ServerTable], report: Report) -> None:
    """Name both places wherever one zone has two sizes."""
    known: dict[str, tuple[KeyPath, int]] = {}
    for table in tables:
        if (zone := table.directives.ssl_session_cache.shared) is None:
            continue
        path = table.origin("ssl_session_cache")
        first, size = known.setdefault(zone.name, (path, zone.size))
        if zone.size != size:
            report.error(
                path,
                f"zone {quoted(zone.name)} of {format_size(zone.size)} has"
                f" {format_size(size)} in line {report.line(first)}",
                "give it one size, or each its own name",
            )
