"""Settings in, ``SSLContext`` out: one for each direction a gateway speaks in."""

from collections.abc import Iterator
from ssl import (
    CERT_NONE,
    OP_CIPHER_SERVER_PREFERENCE,
    OP_NO_COMPRESSION,
    OP_NO_RENEGOTIATION,
    OP_NO_TICKET,
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    MemoryBIO,
    SSLContext,
    SSLError,
    TLSVersion,
    get_default_verify_paths,
)

from mailssl_trio.tls.openssl import BENEATH_PYTHON, OpenSsl
from mailssl_trio.tls.pem import TRUSTED_CERTIFICATE, load_pair, load_trusted
from mailssl_trio.tls.policy import BackendTlsPolicy, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from mailssl_trio.tls.versions import allow_versions, speaks_deprecated


def server_context(
    policy: TlsPolicy, protocol: str, openssl: OpenSsl | None = BENEATH_PYTHON
) -> SSLContext:
    """Build what a virtual server of ``imap``, ``pop3`` or ``smtp`` speaks TLS with.

    Raises TlsSettingsError with every problem of the settings. Reads files, so it
    belongs before the loop or into a thread. The same context serves implicit TLS
    and STARTTLS. Early data stays off, as OpenSSL has it: it could be replayed.
    """
    context = SSLContext(PROTOCOL_TLS_SERVER)
    problems = (
        *allow_versions(context, policy.protocols, openssl),
        *_allow_ciphers(context, policy),
        *(p for pair in policy.pairs for p in load_pair(context, pair)),
    )
    if problems:
        raise TlsSettingsError(problems)
    context.options |= OP_NO_COMPRESSION | OP_NO_RENEGOTIATION
    _resume_nothing(context, openssl)
    _know_one_protocol(context, protocol, openssl)
    return context


def client_context(policy: BackendTlsPolicy) -> SSLContext:
    """Build what we speak TLS with towards a backend.

    Raises TlsSettingsError, and reads files, as ``server_context`` does. The name to
    verify, a host's or an IP address, is given to the stream that is made with it.
    No ALPN: the backends that would have to answer are the older ones.
    """
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    problems = (*_trust(context, policy), *_name_problems(context, policy))
    if problems:
        raise TlsSettingsError(problems)
    context.minimum_version = TLSVersion.TLSv1_2
    context.options |= OP_NO_COMPRESSION | OP_NO_RENEGOTIATION
    return context


def missing_features(openssl: OpenSsl | None = BENEATH_PYTHON) -> tuple[str, ...]:
    """Return what this Python cannot do for a server, for the operator to know."""
    if openssl is not None:
        return ()
    return (
        "clients that offer only foreign protocols by ALPN are not refused",
        "TLS 1.2 sessions can be resumed in the same worker",
    )


def _allow_ciphers(context: SSLContext, policy: TlsPolicy) -> Iterator[TlsProblem]:
    """Set the ciphers, never those without authentication or encryption."""
    ciphers = f"{policy.ciphers}:!aNULL:!eNULL"
    if speaks_deprecated(policy.protocols):
        ciphers += ":@SECLEVEL=0"  # their handshakes are signed with MD5 and SHA-1
    try:
        context.set_ciphers(ciphers)
    except (SSLError, ValueError):  # the latter for NUL
        yield TlsProblem(
            "ssl_ciphers",
            f'"{policy.ciphers}" selects no cipher',
            'see openssl-ciphers(1); the default is "HIGH:!aNULL:!MD5"',
        )
    if not policy.prefer_server_ciphers:  # CPython prefers the server's
        context.options &= ~OP_CIPHER_SERVER_PREFERENCE


def _resume_nothing(context: SSLContext, openssl: OpenSsl | None) -> None:
    """Have every handshake be a full one, and promise clients nothing else.

    Of the three ways to resume, TLS 1.2 has tickets and session ids, TLS 1.3 has
    tickets only, which OpenSSL sends even where OP_NO_TICKET makes them stateful.
    """
    context.options |= OP_NO_TICKET
    context.num_tickets = 0
    if openssl is not None:
        openssl.turn_session_cache_off(context)


def _know_one_protocol(
    context: SSLContext, protocol: str, openssl: OpenSsl | None
) -> None:
    """Refuse by ALPN whoever takes us for a server of something else (RFC 7301).

    A browser tricked into speaking to a mail server says so here, before a single
    octet of it could be taken for a command. No ALPN is fine: mail clients send none.
    """
    if openssl is not None:
        openssl.insist_on_alpn(context, protocol)
    else:
        context.set_alpn_protocols([protocol])


def _trust(context: SSLContext, policy: BackendTlsPolicy) -> Iterator[TlsProblem]:
    """Load the CAs to believe, or believe everybody if verification is off."""
    context.hostname_checks_common_name = False  # RFC 9525 section 2
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    elif policy.trusted_certificate is None:
        yield from _trust_the_system(context)
    else:
        yield from load_trusted(context, policy.trusted_certificate)


def _trust_the_system(context: SSLContext) -> Iterator[TlsProblem]:
    context.load_default_certs()
    paths = get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        yield TlsProblem(
            TRUSTED_CERTIFICATE,
            "this system has no store of CAs to verify a backend with",
            "install one (ca-certificates), or name the backend's CA",
        )


def _name_problems(
    context: SSLContext, policy: BackendTlsPolicy
) -> Iterator[TlsProblem]:
    """Yield why OpenSSL would not look for the backend's other name."""
    if policy.name is not None:
        try:
            context.wrap_bio(MemoryBIO(), MemoryBIO(), server_hostname=policy.name)
        except (SSLError, ValueError, TypeError):  # "", ".a", "a..b", NUL
            yield TlsProblem(
                "proxy_ssl_name",
                f'"{policy.name}" is neither a host name nor an IP address',
                "give the name that stands in the backend's certificate",
            )
