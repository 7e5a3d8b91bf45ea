"""A users file: who there is, how they prove it, and what they may use.

::

    ["alice@example.org"]
    password = "$scrypt$ln=15,r=8,p=1$…"
    upstream = "10.0.0.5:143"            # or { imap = "10.0.0.5:143", smtp = … }
    protocols = ["imap", "pop3"]         # all, if absent
    networks = ["192.0.2.0/24", "::1"]   # anywhere, if absent
    upstream_password = "…"              # what the backend is given; see below
    upstream_user = "alice*master"       # the name there, if it is another

Only ``password`` must be there. A backend is given the name and the password that the
client has presented, or what stands here in place of them; who comes by EXTERNAL, with
a certificate, has presented no password. A user name is compared octet by octet: no
case is folded, nothing normalised, so there is one way to be somebody.
"""

from collections import Counter
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias

from attrs import field, frozen

from mailssl_trio.auth.schemes import PasswordHash
from mailssl_trio.transport.address import Address

PROTOCOLS = ("imap", "pop3", "smtp")

Network: TypeAlias = IPv4Network | IPv6Network


@frozen
class User:
    """Somebody who may log in."""

    name: str
    password: PasswordHash = field(repr=False)
    upstreams: Mapping[str, Address] = field(factory=dict)
    """By protocol; where it says nothing the server's own holds."""
    protocols: tuple[str, ...] = PROTOCOLS
    networks: tuple[Network, ...] = ()
    """Whence the user may come; nothing means from anywhere."""
    upstream_user: bytes | None = None
    """What the backend is told in place of the name."""
    upstream_password: bytes | None = field(default=None, repr=False)
    """What the backend is told in place of the password."""

    def may_use(self, protocol: str, client_address: str) -> bool:
        """Say whether the user may log in by this protocol, from this address."""
        return protocol in self.protocols and self._may_come_from(client_address)

    def _may_come_from(self, client_address: str) -> bool:
        if not self.networks:
            return True
        try:
            address = ip_address(client_address)
        except ValueError:  # a Unix socket, which is in no network
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self.networks)


@frozen
class Users:
    """Everybody who may log in: at least one."""

    everybody: tuple[User, ...]
    _by_name: Mapping[bytes, User] = field(init=False, repr=False, eq=False)
    decoy: PasswordHash = field(init=False, repr=False, eq=False)
    """What the password of an unknown user is held against, for the time it takes."""

    @_by_name.default
    def _index(self) -> Mapping[bytes, User]:
        return {user.name.encode(): user for user in self.everybody}

    @decoy.default
    def _most_common(self) -> PasswordHash:
        """Choose a hash of the usual cost, so that strangers wait as users do."""
        hashes = [user.password for user in self.everybody]
        ((usual, _),) = Counter(each.cost for each in hashes).most_common(1)
        return next(each for each in hashes if each.cost == usual)

    @property
    def names(self) -> frozenset[str]:
        """All user names, as the file spells them."""
        return frozenset(user.name for user in self.everybody)

    def find(self, name: bytes) -> User | None:
        """Return the user of exactly this name."""
        return self._by_name.get(name)

    def without_upstream(self, protocol: str) -> tuple[str, ...]:
        """Name those who may use a protocol and need the server's own upstream."""
        return tuple(
            user.name
            for user in self.everybody
            if protocol in user.protocols and protocol not in user.upstreams
        )
