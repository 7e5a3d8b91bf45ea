"""The TLS settings of one virtual server, and of one backend, as frozen classes."""

from pathlib import Path

from attrs import frozen


@frozen
class TlsPolicy:
    """How a virtual server speaks TLS with mail clients: the ``ssl_*`` directives."""

    certificate: Path
    """PEM: the leaf first, then its chain."""
    certificate_key: Path
    """PEM; may be the same file."""
    protocols: tuple[str, ...] = ("TLSv1.2", "TLSv1.3")
    """Exactly these, gaps included, in OpenSSL's spelling."""
    ciphers: str = "HIGH:!aNULL:!MD5"
    """OpenSSL's format; governs TLS 1.2 and older, as ``ssl_ciphers`` does."""
    prefer_server_ciphers: bool = False


@frozen
class BackendTlsPolicy:
    """How we speak TLS with a backend: the ``proxy_ssl_*`` directives."""

    verify: bool = True
    trusted_certificate: Path | None = None
    """PEM of the CAs to believe; None means the system's."""
    name: str | None = None
    """The name to verify and to send as SNI; None means the backend's host name."""
