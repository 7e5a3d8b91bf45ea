"""The directive ``ssl_verify_client``: who may come in by a certificate of their own.

The handshake never fails on one. Afterwards it is judged, and whoever may not stay
hears so in place of the greeting, in the words of the protocol.
"""

from collections.abc import Iterator
from ssl import SSLContext

from mailssl_trio.files import Files
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.tls.certificates.memory_file import lend
from mailssl_trio.tls.certificates.pem import data_of, load_trusted
from mailssl_trio.tls.certificates.refusal import CertificateRefusal
from mailssl_trio.tls.certificates.revocation import refuse_revoked
from mailssl_trio.tls.openssl import WHICH_PYTHON, OpenSsl, Speaking
from mailssl_trio.tls.policy import TlsPolicy, VerifyClient
from mailssl_trio.tls.problems import TlsProblem

VERIFY_CLIENT = "ssl_verify_client"
CLIENT_CERTIFICATE = "ssl_client_certificate"
TRUSTED_CERTIFICATE = "ssl_trusted_certificate"

X509_V_OK = 0  # openssl/x509_vfy.h, as all of these
OF_UNKNOWN_ISSUERS = frozenset(
    {
        18,  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT
        19,  # X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN
        20,  # X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY
        21,  # X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
        27,  # X509_V_ERR_CERT_UNTRUSTED
    }
)
"""What ``optional_no_ca`` forgives, as in nginx."""


def ask_for_certificate(
    context: SSLContext, policy: TlsPolicy, files: Files, openssl: OpenSsl | None
) -> Iterator[TlsProblem]:
    """Have clients asked for a certificate, and all that it is judged by loaded."""
    if policy.verify_client is VerifyClient.OFF:
        return
    if openssl is None:
        yield TlsProblem(
            VERIFY_CLIENT,
            "this Python cannot let a handshake succeed and judge it afterwards",
            f"leave it off, or use a Python that can: {WHICH_PYTHON}",
        )
        return
    openssl.request_certificate(context)
    openssl.set_verify_depth(context, policy.verify_depth)
    yield from _load_cas(context, policy, files, openssl)
    if policy.crl is not None:
        yield from refuse_revoked(context, policy, policy.crl, files)


def judge(
    policy: TlsPolicy, connection: Speaking, openssl: OpenSsl | None
) -> CertificateRefusal | None:
    """Return why a client may not stay, None if it may.

    To be asked after every handshake, also one that resumed a session: the session
    remembers what OpenSSL thought of the certificate, and the certificate itself.
    """
    if policy.verify_client is VerifyClient.OFF or openssl is None:
        return None
    code, reason = openssl.verify_result(connection)
    if code != X509_V_OK and not _is_forgiven(policy, code):
        return CertificateRefusal(Goodbye.BAD_CERTIFICATE, f"{code}:{reason}")
    is_required = policy.verify_client is VerifyClient.ON
    if is_required and connection.getpeercert(binary_form=True) is None:
        return CertificateRefusal(Goodbye.CERTIFICATE_REQUIRED)
    return None


def verified(policy: TlsPolicy, connection: Speaking, openssl: OpenSsl | None) -> str:
    """Say what OpenSSL thinks of a client's certificate, in nginx's words.

    ``SUCCESS``, ``FAILED:reason``, ``NONE`` without one; "" where none was asked for.
    """
    if policy.verify_client is VerifyClient.OFF or openssl is None:
        return ""
    if connection.getpeercert(binary_form=True) is None:
        return "NONE"
    code, reason = openssl.verify_result(connection)
    return "SUCCESS" if code == X509_V_OK else f"FAILED:{reason}"


def _is_forgiven(policy: TlsPolicy, code: int) -> bool:
    is_lenient = policy.verify_client is VerifyClient.OPTIONAL_NO_CA
    return is_lenient and code in OF_UNKNOWN_ISSUERS


def _load_cas(
    context: SSLContext, policy: TlsPolicy, files: Files, openssl: OpenSsl
) -> Iterator[TlsProblem]:
    """Load whom to believe; tell clients the names of those they may come from."""
    announced, silent = policy.client_certificate, policy.trusted_certificate
    if announced is not None:
        problems = tuple(load_trusted(context, CLIENT_CERTIFICATE, announced, files))
        yield from problems
        if not problems:
            with lend(data_of(announced, files)) as file:
                openssl.send_ca_names(context, file)
    if silent is not None:
        yield from load_trusted(context, TRUSTED_CERTIFICATE, silent, files)
    needs_one = policy.verify_client is not VerifyClient.OPTIONAL_NO_CA
    if needs_one and announced is None and silent is None:
        yield TlsProblem(
            VERIFY_CLIENT,
            f"no {CLIENT_CERTIFICATE} or {TRUSTED_CERTIFICATE} for {VERIFY_CLIENT}",
            "name the CAs that the certificates of clients come from",
        )
