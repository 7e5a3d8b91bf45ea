"""What one virtual server has for its clients, all of them and each in turn."""

from typing import TYPE_CHECKING

from attrs import field, frozen

from mailssl_trio.auth.route import Authenticator
from mailssl_trio.limits.house import House
from mailssl_trio.limits.policy import LimitPolicy
from mailssl_trio.observer import Observer
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.tls.server import ServerTls
from mailssl_trio.transport.dial import Dialer
from mailssl_trio.transport.proxied import RealIpFrom
from mailssl_trio.transport.secure import TlsLayer
from mailssl_trio.transport.timeouts import Timeouts

if TYPE_CHECKING:  # it needs the extra [dns]
    from mailssl_trio.transport.client_names import ClientNames


@frozen
class Gateway:
    """Who judges, who is dialled, who keeps account, and by which rules."""

    protocol: str
    policy: Policy
    tls: ServerTls | None
    authenticator: Authenticator
    dialer: Dialer
    timeouts: Timeouts
    observer: Observer
    real_ip_from: RealIpFrom = field(factory=RealIpFrom)
    pass_error_message: bool = False
    """Whether clients hear the refusals of backends in their own words."""
    names: "ClientNames | None" = None
    """Who knows the names of clients; None: nobody is asked."""
    limits: LimitPolicy = field(factory=LimitPolicy)
    house: House = field(factory=House)

    def tls_layer(self) -> TlsLayer | None:
        """Return what a handshake takes that begins with this client."""
        if self.tls is None:
            return None
        return TlsLayer(
            self.tls.context,
            judge=self.tls.judge,
            server_name=self.tls.server_name,
            verified=self.tls.verified,
        )
