"""Which sessions may be resumed, where, and for how long: ``ssl_session_*``.

A client can come back in two ways. With an *id*, which leads to a session that we
keep; TLS 1.3 has no ids, but there OpenSSL sends one in the place of a ticket. Or with
a *ticket*, which is the session itself, encrypted, so that we need not keep it:
``ssl_session_tickets``. docs/tls.md shows all of it on the wire.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from ssl import OP_NO_TICKET, SSLContext

from attrs import fields, frozen

from mailssl_trio.files import Files
from mailssl_trio.tls.openssl import WHICH_PYTHON, OpenSsl
from mailssl_trio.tls.policy import Inline, Pair, SessionCache, Source, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem
from mailssl_trio.tls.sessions.session_cache import SessionStore
from mailssl_trio.tls.sessions.ticket_keys import TicketKeys, ticket_key_problems

NEVER_IN_A_SESSION = frozenset(
    {
        "password_file",
        "session_cache",
        "session_timeout",
        "session_tickets",
        "session_ticket_keys",
    }
)


@frozen
class Sessions:
    """What one virtual server resumes sessions with."""

    store: SessionStore | None = None
    """Where ids lead to; None where they lead nowhere."""
    ticket_keys: TicketKeys | None = None
    """None without ``ssl_session_tickets``."""


def resumption_problems(
    policy: TlsPolicy, files: Files, openssl: OpenSsl | None
) -> Iterator[TlsProblem]:
    """Yield what is wrong with keys of tickets, and what this Python cannot do."""
    yield from ticket_key_problems(policy.session_ticket_keys, files)
    if openssl is not None:
        return
    for directive, is_asked in (
        ("ssl_session_cache", policy.session_cache != SessionCache()),
        ("ssl_session_tickets", policy.session_tickets),
    ):
        if is_asked:
            text = "this Python cannot reach OpenSSL's sessions"
            yield TlsProblem(directive, text, WHICH_PYTHON)


def forbid_resumption(
    context: SSLContext, policy: TlsPolicy, openssl: OpenSsl | None
) -> None:
    """Have every handshake be a full one, and promise clients nothing else.

    Only whether there may be tickets is said already, since ``ssl_conf_command`` has
    the last word about them. Of TLS 1.3's OpenSSL sends two, unless told otherwise.
    """
    context.num_tickets = 0
    if not policy.session_tickets:
        context.options |= OP_NO_TICKET
    if openssl is not None:
        openssl.turn_session_cache_off(context)


def allow_resumption(
    context: SSLContext,
    policy: TlsPolicy,
    identity: bytes,
    sessions: Sessions,
    openssl: OpenSsl,
) -> None:
    """Have a context resume what its policy says, out of ``sessions``.

    ``off`` and ``none`` differ in what clients are told (RFC 5246 section 7.4.1.3: an
    empty session id says that nothing will be resumed). In TLS 1.3 both ways begin
    with a ticket, and one is enough: OpenSSL would send two.
    """
    openssl.bind_sessions(context, identity)
    openssl.limit_sessions(context, policy.session_timeout)
    if not policy.session_cache.announced:
        openssl.turn_session_cache_off(context)
    elif sessions.store is None:
        openssl.announce_sessions(context)
    else:
        openssl.keep_sessions(context, sessions.store.store, sessions.store.lookup)
    if sessions.ticket_keys is not None:
        openssl.encrypt_tickets(context, sessions.ticket_keys)
    if not any(name.lower() == "numtickets" for name, _ in policy.conf_commands):
        has_tickets = not context.options & OP_NO_TICKET
        context.num_tickets = int(has_tickets or policy.session_cache.announced)


def session_identity(policy: TlsPolicy, files: Files) -> bytes:
    """Return what only sessions of an equal policy have in common, in 32 octets.

    Equal are the settings, the CAs and the revoked certificates as they are now, and
    the pairs as they were when they were first read, so that sessions survive the
    renewal of a certificate, and none survives a new list of revoked ones.
    """
    digest = sha256()
    for setting in fields(TlsPolicy):
        if setting.name not in NEVER_IN_A_SESSION:
            value = getattr(policy, setting.name)
            digest.update(f"\0{setting.name}\0".encode())
            digest.update(_settled(value, files).encode())
    return digest.digest()


def _settled(value: object, files: Files) -> str:
    """Write a setting down, with what is in files in place of their names."""
    match value:
        case tuple() if value and isinstance(value[0], Pair):
            return " ".join(_origin(pair.certificate, files) for pair in value)
        case tuple():  # of commands, or of words
            return " ".join(_settled(one, files) for one in value)
        case Path():
            return sha256(files.read(value).data).hexdigest()
        case str() if Path(value) in files.known:  # a command's
            return _settled(Path(value), files)
        case _:
            return repr(value)


def _origin(source: Source, files: Files) -> str:
    match source:
        case Inline(pem):
            return sha256(pem.encode()).hexdigest()
        case path:
            return files.origin(path).hex()
