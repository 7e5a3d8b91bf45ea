"""Clients of every age, to try servers with."""

from ssl import CERT_NONE, PROTOCOL_TLS_CLIENT, SSLContext

from trustme import CA

from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.versions import allow_versions

ALL_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


def client(
    ca: CA | None,
    *versions: str,
    ciphers: str = "ALL:@SECLEVEL=0",
    alpn: tuple[str, ...] = (),
) -> SSLContext:
    """Return a client of these versions; without a CA it believes everybody."""
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    assert not tuple(allow_versions(context, versions or ALL_VERSIONS, BENEATH_PYTHON))
    context.set_ciphers(ciphers)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ca is None:
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    else:
        ca.configure_trust(context)
    return context
