"""Whom a virtual server asks for the names of its clients."""

from ipaddress import ip_address

from attrs import evolve

from mailssl_trio.config.hosts import addresses
from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.transport.resolver import Resolver

NAME = "resolver"


def asked_resolver(
    table: ServerTable, protocol: str, site: Site, report: Report
) -> Resolver | None:
    """Return the resolver with the addresses of the hosts that it names."""
    named = table.directives.resolver
    if named is None or protocol != "smtp":
        return None
    place = table.origin(NAME)
    servers = [
        (address, port)
        for host, port in named.servers
        for address in (
            [host] if _is_address(host) else addresses([host], place, site, report)
        )
    ]
    timeout = table.directives.resolver_timeout
    return evolve(named, servers=tuple(dict.fromkeys(servers)), timeout=timeout)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
