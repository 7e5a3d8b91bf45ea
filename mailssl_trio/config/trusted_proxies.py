"""Whose PROXY headers a virtual server believes."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_interface

from mailssl_trio.config.hosts import addresses
from mailssl_trio.config.model import Listen
from mailssl_trio.config.problem import Report
from mailssl_trio.config.real_ip import is_network
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.limits.networks import network_of
from mailssl_trio.transport.proxied import UNIX, RealIpFrom

NAME = "set_real_ip_from"


def real_ip_from(
    table: ServerTable, listens: Sequence[Listen], site: Site, report: Report
) -> RealIpFrom:
    """Return whose headers are believed; warn where everybody's are read."""
    listed = table.directives.set_real_ip_from
    proxied = [listen for listen in listens if listen.proxy_protocol]
    if proxied and not table.is_set(NAME):  # `[]` is somebody's word for it
        report.warning(
            (*table.place, "listen"),
            f"anybody may send a PROXY header to {proxied[0]}, and nobody is believed",
            f"name the proxies in `{NAME}`: then they are, and nobody else is let in",
        )
    named = [word for word in listed if is_network(word)]
    check_low_bits(table, NAME, named, report)
    hosts = [word for word in listed if word != UNIX and not is_network(word)]
    named += addresses(hosts, table.origin(NAME), site, report)
    networks = dict.fromkeys(map(network_of, named))
    return RealIpFrom(tuple(networks), UNIX in listed)


def check_low_bits(
    table: ServerTable, name: str, networks: Iterable[str], report: Report
) -> None:
    """Warn of networks that are written as one of their addresses."""
    for one in map(ip_interface, networks):
        if one.ip != one.network.network_address:
            report.warning(
                table.origin(name),
                f"low address bits of {one} are meaningless",
                f"write {one.network}",
            )
