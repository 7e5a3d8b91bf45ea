"""Which backends are believed, and what is shown to those that ask who we are."""

from collections.abc import Iterator
from ssl import (
    CERT_NONE,
    MemoryBIO,
    SSLContext,
    SSLError,
    get_default_verify_paths,
)

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.pairs import Pairs
from mailssl_trio.tls.certificates.pem import load_trusted
from mailssl_trio.tls.policy import BackendTlsPolicy
from mailssl_trio.tls.problems import TlsProblem

BACKENDS_CA = "proxy_ssl_trusted_certificate"


def trust_backends(
    context: SSLContext, policy: BackendTlsPolicy, files: Files
) -> Iterator[TlsProblem]:
    """Load the CAs to believe, or believe everybody if verification is off."""
    context.hostname_checks_common_name = False  # RFC 9525 section 2
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = CERT_NONE
    elif policy.trusted_certificate is None:
        yield from _trust_the_system(context)
    else:
        yield from load_trusted(context, BACKENDS_CA, policy.trusted_certificate, files)


def _trust_the_system(context: SSLContext) -> Iterator[TlsProblem]:
    context.load_default_certs()
    paths = get_default_verify_paths()
    if paths.cafile is None and paths.capath is None:
        yield TlsProblem(
            BACKENDS_CA,
            "this system has no store of CAs to verify a backend with",
            "install one (ca-certificates), or name the backend's CA",
        )


def show_backends(
    context: SSLContext, policy: BackendTlsPolicy, files: Files
) -> Iterator[TlsProblem]:
    """Load what is shown to backends that ask who we are."""
    if policy.pair is None:
        return
    called = Pairs(
        files,
        certificate="proxy_ssl_certificate",
        key="proxy_ssl_certificate_key",
        no_passphrases="nobody is asked for the passphrase of this one",
    )
    problems = tuple(called.problems(policy.pair, context))
    yield from problems
    if not problems:
        called.load(context, policy.pair)


def name_problems(
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
