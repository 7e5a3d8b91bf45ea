"""What happens to a connection, in the words of nginx's log.

Filters that people have written for nginx look for ``client: ADDRESS``. What a peer
says is quoted, and never holds these words, nor the end of a line or of its quotes.
"""

import re
from errno import ETIMEDOUT
from os import strerror

import trio

from mailssl_trio.escaping import escape
from mailssl_trio.observer import (
    Admitted,
    Ended,
    Happening,
    JudgeFailed,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
    Unnamed,
    UpstreamFailed,
)
from mailssl_trio.protocol.events import Goodbye, TlsInfo

TIMED_OUT = f"{ETIMEDOUT}: {strerror(ETIMEDOUT)}"
"""Behind whatever has timed out, as if the kernel had said it."""

CLIENT = re.compile("(client):", re.IGNORECASE)


def quotable(text: str | bytes) -> str:
    """Make a peer's text fit to stand in quotes."""
    return CLIENT.sub(r"\1\\x3a", escape(text))


def arrival(subject: Subject) -> str:
    """``client 192.0.2.1:50000 connected to 198.51.100.1:143``."""
    port = f":{subject.client_port}" if subject.client_port else ""
    return f"client {subject.client}{port} connected to {subject.server}"


def words(subject: Subject, happening: Happening) -> tuple[str, str]:
    """Return the level of a line, and what it says."""
    match happening:
        case ProxyRefused(detail, seen):
            quoted = "" if seen is None else f': "{quotable(seen)}"'
            return "error", f"{quotable(detail)}{quoted} while reading PROXY protocol"
        case JudgeFailed(detail):
            return "error", f"{_quoting(detail)} while in http auth state"
        case Unnamed(detail) | UpstreamFailed(detail):
            return "error", f"{_quoting(detail)}{_while(subject.action)}"
        case LoginFailed(rejected):
            reason = quotable(rejected.text or rejected.reason.value)
            return "info", f'client login failed: "{reason}" while in http auth state'
        case Admitted():
            return "info", f"client logged in, {_encryption(subject.tls)}"
        case Relayed():
            return "info", f"proxied session done: {_account(subject, happening)}"
        case Ended(reason, detail):
            return "info", _ending(subject, reason, detail)
    raise RuntimeError(f"nobody knows what this means: {happening}")


def _quoting(detail: str) -> str:
    """Escape what a peer did, which may quote it."""
    return quotable(detail).replace('\\"', '"')


def _account(subject: Subject, relayed: Relayed) -> str:
    seconds = trio.current_time() - subject.began
    return (
        f"{relayed.outcome}, {relayed.from_client} bytes from client, "
        f"{relayed.from_upstream} bytes from upstream, {seconds:.1f} s"
    )


def _ending(subject: Subject, reason: Goodbye, detail: str) -> str:
    """Say how a connection ended before its login."""
    because = f" ({quotable(detail)})" if detail else ""
    match reason:
        case (
            Goodbye.QUIT
            | Goodbye.PEER_GONE
            | Goodbye.SHUTTING_DOWN
            | Goodbye.INTERNAL_ERROR
        ):
            text = f"client connection closed: {reason.value}"
        case Goodbye.TIMED_OUT:
            text = f"client {reason.value} ({TIMED_OUT}){because}"
        case Goodbye.HANDSHAKE_FAILED:
            text = f"SSL_do_handshake() failed{because}"
        case Goodbye.BAD_CERTIFICATE:
            text = f"client {reason.value}:{because}"
        case _:
            text = f"client {reason.value}{because}"
    return f"{text}{_while(_action(subject, reason))}"


def _action(subject: Subject, reason: Goodbye) -> str:
    """Return in which of nginx's states a client was that came to its end."""
    match reason:
        case Goodbye.HANDSHAKE_FAILED | Goodbye.PIPELINED_STARTTLS:
            is_handshake = True
        case Goodbye.BAD_CERTIFICATE | Goodbye.CERTIFICATE_REQUIRED:
            is_handshake = True
        case (
            Goodbye.QUIT
            | Goodbye.PEER_GONE
            | Goodbye.SHUTTING_DOWN
            | Goodbye.INTERNAL_ERROR
        ):
            return ""
        case _:
            is_handshake = subject.tls is None and not subject.starttls
    if not is_handshake:
        return "in auth state"
    return "in starttls state" if subject.starttls else "SSL handshaking"


def _while(action: str) -> str:
    return f" while {action}" if action else ""


def _encryption(tls: TlsInfo | None) -> str:
    if tls is None:
        return "no TLS"
    resumed = ", resumed" if tls.resumed else ""
    return f"{tls.version} {tls.cipher}{resumed}"


def where(subject: Subject) -> str:
    """Return the suffix of nginx's lines."""
    parts = [f"client: {subject.client}"]
    if subject.starttls and subject.tls:
        parts[0] += " using starttls"
    parts.append(f"server: {subject.server}")
    if subject.login:
        parts.append(f'login: "{quotable(subject.login)}"')
    if subject.upstream:
        parts.append(f"upstream: {quotable(subject.upstream)}")
    return ", ".join(parts)
