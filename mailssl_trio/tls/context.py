"""Settings in, ``SSLContext`` out: one for each direction a gateway speaks in."""

from collections.abc import Iterator, Sequence
from ssl import (
    OP_CIPHER_SERVER_PREFERENCE,
    OP_NO_COMPRESSION,
    OP_NO_RENEGOTIATION,
    PROTOCOL_TLS_CLIENT,
    PROTOCOL_TLS_SERVER,
    SSLContext,
)

from attrs import evolve

from mailssl_trio.files import Files
from mailssl_trio.tls.backends import name_problems, show_backends, trust_backends
from mailssl_trio.tls.certificates.choice import Choice, choice_of, choice_problems
from mailssl_trio.tls.certificates.client_certificates import ask_for_certificate
from mailssl_trio.tls.certificates.pairs import Pairs, pairs_of
from mailssl_trio.tls.ciphers import allow_ciphers
from mailssl_trio.tls.conf_commands import apply_commands, complete_chains
from mailssl_trio.tls.openssl import BENEATH_PYTHON, OpenSsl
from mailssl_trio.tls.parameters import use_curves, use_dhparam
from mailssl_trio.tls.policy import BackendTlsPolicy, Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from mailssl_trio.tls.sessions.resumption import forbid_resumption, resumption_problems
from mailssl_trio.tls.versions import allow_versions, gap_problems

BACKENDS_PROTOCOLS = "proxy_ssl_protocols"


def server_context(
    policy: TlsPolicy,
    protocol: str,
    files: Files | None = None,
    pairs: Sequence[Pair] | None = None,
    openssl: OpenSsl | None = BENEATH_PYTHON,
) -> SSLContext:
    """Build what a virtual server of ``imap``, ``pop3`` or ``smtp`` speaks TLS with.

    It shows ``pairs``; None stands for those that clients see who ask for no name. All
    else is the same whichever they are. Raises TlsSettingsError with every problem of
    the settings; with None, those of all pairs. Reads files, so it belongs before the
    loop or into a thread. The same context serves implicit TLS and STARTTLS. It
    resumes nothing yet: ``ServerTls`` knows where sessions are. Early data stays off,
    as OpenSSL has it: it could be replayed.
    """
    files = files or Files()
    choice = choice_of(policy, files) if pairs is None else Choice(tuple(pairs))
    shown = choice.default
    judged = policy.pairs if pairs is None else shown
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.options |= OP_NO_COMPRESSION | OP_NO_RENEGOTIATION
    called, problems = pairs_of(policy, files)
    problems = (  # in nginx's order, where an order counts
        *allow_versions(context, policy.protocols, openssl),
        *_allow_ciphers(context, policy),
        *problems,
        *_pair_problems(policy, judged, called, context),
        *choice_problems(choice, openssl),
        *ask_for_certificate(context, policy, files, openssl),
        *use_dhparam(context, policy.dhparam, files),
        *use_curves(context, policy.ecdh_curve, openssl),
        *resumption_problems(policy, files, openssl),
    )
    if openssl is not None and not complete_chains(policy.conf_commands):
        openssl.send_no_more_than_the_chain(context)
    _know_one_protocol(context, protocol, openssl)
    forbid_resumption(context, policy, openssl)
    if not problems:
        for pair in shown:
            called.load(context, pair)
    problems += tuple(
        apply_commands(context, policy.conf_commands, shown, called, openssl)
    )
    if problems:
        raise TlsSettingsError(problems)
    return context


def client_context(
    policy: BackendTlsPolicy,
    files: Files | None = None,
    openssl: OpenSsl | None = BENEATH_PYTHON,
) -> SSLContext:
    """Build what we speak TLS with towards a backend.

    Raises TlsSettingsError, and reads files, as ``server_context`` does. The name to
    verify, a host's or an IP address, is given to the stream that is made with it.
    No ALPN: the backends that would have to answer are the older ones.
    """
    files = files or Files()
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    context.options |= OP_NO_COMPRESSION | OP_NO_RENEGOTIATION
    protocols = policy.protocols
    problems = (
        *allow_versions(context, protocols, openssl, BACKENDS_PROTOCOLS),
        *gap_problems(protocols, BACKENDS_PROTOCOLS),
        *allow_ciphers(context, policy.ciphers, protocols, "proxy_ssl_ciphers"),
        *trust_backends(context, policy, files),
        *name_problems(context, policy),
        *show_backends(context, policy, files),
    )
    if problems:
        raise TlsSettingsError(problems)
    return context


def missing_features(openssl: OpenSsl | None = BENEATH_PYTHON) -> tuple[str, ...]:
    """Return what this Python cannot do for a server, for the operator to know."""
    if openssl is not None:
        return ()
    return (
        "clients that offer only foreign protocols by ALPN are not refused",
        "TLS 1.2 sessions can be resumed in the same worker",
        "sessions with backends are not resumed",
    )


def _allow_ciphers(context: SSLContext, policy: TlsPolicy) -> Iterator[TlsProblem]:
    yield from allow_ciphers(context, policy.ciphers, policy.protocols, "ssl_ciphers")
    if not policy.prefer_server_ciphers:  # CPython prefers the server's
        context.options &= ~OP_CIPHER_SERVER_PREFERENCE


def _pair_problems(
    policy: TlsPolicy, judged: Sequence[Pair], called: Pairs, context: SSLContext
) -> Iterator[TlsProblem]:
    """Yield what is wrong with pairs; where there are several, with which of them."""
    for position, pair in enumerate(judged):
        number = policy.pairs.index(pair) + 1
        if pair in judged[:position]:
            text = f"pair {position + 1} is the same as pair {number}"
            yield TlsProblem(called.certificate, text, "name it once")
            continue
        which = f"pair {number}: " if len(policy.pairs) > 1 else ""
        for problem in called.problems(pair, context):
            yield evolve(problem, text=which + problem.text)


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
