"""Every deadline there is, in seconds. Numbers live here and nowhere else."""

from attrs import frozen


@frozen
class Timeouts:
    """How long each wait of a connection may take."""

    session: float = 60.0
    """``timeout``: one budget for all that a client does from accept to login, the
    TLS handshake included; and the same again for the whole login at the backend."""
    connect: float = 60.0
    """``proxy_connect_timeout``: until a backend's address answers."""
    relay: float = 24 * 3600.0
    """``proxy_timeout``: silence in both directions after login."""
    linger: float = 5.0
    """What a backend gets to answer after its client has said that it ends."""
    close: float = 2.0
    """What a peer gets to read our last words."""
