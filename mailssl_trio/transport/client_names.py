"""The name of an SMTP client by DNS: that of its address, if it has that address.

A name may come from whoever the client is, so it is text that nobody should trust:
nothing may be in it that a host name has not. This needs the extra ``[dns]``.
"""

import re
import time
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TypeAlias

import dns.asyncbackend
import dns.asyncresolver
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.exception import DNSException as DnsError
from dns.exception import Timeout
from dns.rdtypes.ANY.PTR import PTR

from mailssl_trio.transport.resolver import (
    TEMPUNAVAIL,
    UNAVAILABLE,
    ClientName,
    Resolver,
)

Address: TypeAlias = IPv4Address | IPv6Address

HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
"""RFC 1123 section 2.1."""

REMEMBERED = 10_000
"""Answers, of which those go first that nobody has asked for longest."""

IN_ADDRESS = "in resolving client address"
IN_HOST_NAME = "in resolving client hostname"

NOT_FOUND, SERVER_FAILURE = "3: Host not found", "2: Server failure"
TIMED_OUT = "110: Operation timed out"


class _NotFoundError(Exception):
    """There is no such name, or nothing of what was asked for."""


class _UnknownError(Exception):
    """Nobody knows; the text says why."""


class ClientNames:
    """Whom to ask, and what they have said."""

    def __init__(self, settings: Resolver) -> None:
        self._settings = settings
        self._backend = dns.asyncbackend.get_backend("trio")
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [
            dns.nameserver.Do53Nameserver(address, port)
            for address, port in settings.servers
        ]
        self._resolver.cache = _Cache(settings.valid)

    async def name_of(self, client: str) -> ClientName:
        """Ask for the name of an address, and whether the name has that address.

        Each of the two takes no longer than ``resolver_timeout``.
        """
        try:
            address = ip_address(client.partition("%")[0])
        except ValueError:  # it comes by a Unix socket
            return ClientName(TEMPUNAVAIL)
        address = getattr(address, "ipv4_mapped", None) or address
        asked, action = client, IN_ADDRESS
        try:
            name = await self._name(address)
            if HOST_NAME.fullmatch(name) is None:
                problem = f'{client} resolved to invalid host name "{name}"'
                return ClientName(TEMPUNAVAIL, problem, action)
            asked, action = f'"{name}"', IN_HOST_NAME
            is_confirmed = await self._has(name, address)
        except _NotFoundError:
            problem = f"{asked} could not be resolved ({NOT_FOUND})"
            return ClientName(UNAVAILABLE, problem, action)
        except _UnknownError as error:
            problem = f"{asked} could not be resolved ({error})"
            return ClientName(TEMPUNAVAIL, problem, action)
        return ClientName(name if is_confirmed else UNAVAILABLE)

    async def _name(self, address: Address) -> str:
        asked = dns.reversename.from_address(str(address))
        answer = await self._ask(asked, dns.rdatatype.PTR)
        for record in answer:
            if isinstance(record, PTR):
                return record.target.to_text(omit_final_dot=True)
        raise _NotFoundError

    async def _has(self, name: str, address: Address) -> bool:
        """Whether a name has an address, of a family that may be asked for."""
        settings, is_ipv4 = self._settings, address.version == 4
        if not (settings.ipv4 if is_ipv4 else settings.ipv6):
            return False
        kind = dns.rdatatype.A if is_ipv4 else dns.rdatatype.AAAA
        answer = await self._ask(dns.name.from_text(name), kind)
        return any(ip_address(record.to_text()) == address for record in answer)

    async def _ask(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.resolver.Answer:
        try:
            return await self._resolver.resolve(
                name,
                kind,
                lifetime=self._settings.timeout,
                search=False,
                backend=self._backend,
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            raise _NotFoundError from None
        except Timeout:
            raise _UnknownError(TIMED_OUT) from None
        except (DnsError, OSError):
            raise _UnknownError(SERVER_FAILURE) from None


class _Cache(dns.resolver.LRUCache):
    """Remembers answers as long as they say, or as long as we are told to."""

    def __init__(self, valid: float | None) -> None:
        super().__init__(REMEMBERED)
        self._valid = valid

    def put(self, key: dns.resolver.CacheKey, value: dns.resolver.Answer) -> None:
        """Remember an answer."""
        if self._valid is not None:
            value.expiration = time.time() + self._valid
        super().put(key, value)
