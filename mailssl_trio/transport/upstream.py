"""A backend as the configuration names it."""

from enum import Enum

from attrs import field, frozen

from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.transport.address import Address


class ProxySsl(Enum):
    """The directive ``proxy_ssl``: how TLS begins towards a backend."""

    OFF = "off"
    ON = "on"
    STARTTLS = "starttls"


@frozen
class Upstream:
    """Where a session goes, and how its connection is secured there."""

    address: Address
    proxy_ssl: ProxySsl = ProxySsl.OFF
    tls: BackendTlsPolicy = field(factory=BackendTlsPolicy)
