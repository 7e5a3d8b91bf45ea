"""Settings in, ``ssl.SSLContext`` out: one for each direction a gateway speaks in."""

from ssl import (
    CERT_NONE,
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    SSLContext,
    TLSVersion,
)

from mailssl_trio.tls.policy import BackendTlsPolicy, TlsPolicy


def server_context(policy: TlsPolicy, protocol: str) -> SSLContext:
    """Build what a virtual server of ``imap``, ``pop3`` or ``smtp`` speaks TLS with.

    Raises TlsSettingsError with every problem of the settings. Reads files, so it
    belongs before the loop or into a thread.
    """
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(policy.certificate, policy.certificate_key)
    context.set_alpn_protocols([protocol])
    return context


def client_context(policy: BackendTlsPolicy) -> SSLContext:
    """Build what we speak TLS with towards a backend.

    Raises TlsSettingsError, and reads files, as ``server_context`` does.
    """
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLSVersion.TLSv1_2
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    elif policy.trusted_certificate is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(policy.trusted_certificate)
    return context
