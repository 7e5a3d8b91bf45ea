"""The TLS settings of one virtual server, and of one backend, as frozen classes."""

from enum import Enum
from pathlib import Path
from typing import TypeAlias

from attrs import field, frozen


@frozen
class Inline:
    """PEM that stands in the configuration itself, as ``data:`` and the text."""

    pem: str = field(repr=False)
    """It may hold a private key."""

    def __str__(self) -> str:
        return "data:…"


Source: TypeAlias = Path | Inline
"""Where PEM comes from."""


@frozen
class Pair:
    """A certificate and its key: ``ssl_certificate`` and ``ssl_certificate_key``."""

    certificate: Source
    """PEM: the leaf first, then its chain."""
    key: Source
    """PEM; may be the same file."""


@frozen
class SharedCache:
    """``shared:name:size``."""

    name: str
    size: int
    """In octets; 1 MiB of it holds 4,000 sessions."""


@frozen
class SessionCache:
    """``ssl_session_cache``: what is said to clients, and what is kept for them.

    ``off`` says that nothing can be reused. All others say that it may be; where
    neither cache is there, that is ``none``, and nothing is.
    """

    announced: bool = True
    builtin: int | None = None
    """How many sessions each worker keeps for itself; None for no such cache."""
    shared: SharedCache | None = None


class VerifyClient(Enum):
    """``ssl_verify_client``."""

    OFF = "off"
    ON = "on"
    """A certificate is required, and must be good."""
    OPTIONAL = "optional"
    """A certificate is asked for; one that is sent must be good."""
    OPTIONAL_NO_CA = "optional_no_ca"
    """A certificate is asked for; who issued it is not our business."""


@frozen
class TlsPolicy:
    """How a virtual server speaks TLS with mail clients: the ``ssl_*`` directives."""

    pairs: tuple[Pair, ...]
    """The first is for clients that ask for an unknown name, or for none."""
    password_file: Path | None = None
    """Passphrases of the keys, a line each."""
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    """Exactly these, gaps included, in OpenSSL's spelling."""
    ciphers: str = "HIGH:!aNULL:!MD5"
    """OpenSSL's format; governs TLS 1.2 and older, as ``ssl_ciphers`` does."""
    prefer_server_ciphers: bool = False
    dhparam: Path | None = None
    """PEM; without it no DHE."""
    ecdh_curve: str = "auto"
    """OpenSSL's list of groups; ``auto`` is its own choice."""
    conf_commands: tuple[tuple[str, str], ...] = ()
    """Names and values for SSL_CONF_cmd(3), applied last."""
    session_cache: SessionCache = SessionCache()
    session_timeout: int = 300
    """Seconds from a session's first handshake during which it can be resumed."""
    session_tickets: bool = False
    session_ticket_keys: tuple[Path, ...] = ()
    """Files of 48 or 80 octets: the first encrypts, all decrypt. None means random
    keys, which the supervisor makes and replaces."""
    verify_client: VerifyClient = VerifyClient.OFF
    client_certificate: Path | None = None
    """PEM of the CAs for client certificates, whose names are sent to clients."""
    trusted_certificate: Path | None = None
    """PEM of more CAs for client certificates, whose names are not."""
    verify_depth: int = 1
    crl: Path | None = None


@frozen
class BackendTlsPolicy:
    """How we speak TLS with a backend: the ``proxy_ssl_*`` directives."""

    verify: bool = True
    trusted_certificate: Path | None = None
    """PEM of the CAs to believe; None means the system's."""
    name: str | None = None
    """The name to verify and to send as SNI; None means the backend's host name."""
    pair: Pair | None = None
    """What we show a backend that asks who we are."""
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    ciphers: str = "DEFAULT"
    session_reuse: bool = True
