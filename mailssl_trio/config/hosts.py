"""Hosts that are named where an address is needed: looked up when that is judged."""

from collections.abc import Iterable, Iterator

from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.server_table import Site


def addresses(
    hosts: Iterable[str], place: KeyPath, site: Site, report: Report
) -> Iterator[str]:
    """Yield all addresses of all hosts; report those that have none."""
    for host in hosts:
        try:
            yield from site.files.addresses(host)
        except OSError as error:
            report.error(
                place,
                f'host not found: "{host}" ({error.strerror or error})',
                "name a host that has an address now, or the address itself",
            )
