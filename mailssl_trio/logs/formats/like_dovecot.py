"""Lines as Dovecot's login processes write them, which fail2ban and others read.

A login that fails is told at once, as ``Aborted login (auth failed, …)``: fail2ban
counts these, one for each wrong password. So the end of such a connection, which tells
of the last of them again, begins with the words of newer Dovecots, ``Login aborted``.
An end without any login begins as older ones have it, for the filter's mode
``aggressive``.

The name of a user is the only text of a client's. It stands before ``rip`` and inside
of ``<>``, and holds none of ``<>=``, backslashes, controls and ends of lines, but as
octets. It has an end: behind it stands whom to ban, and syslog daemons cut long lines.
"""

from collections.abc import Iterator, Mapping

from mailssl_trio.escaping import as_name, octets
from mailssl_trio.logs.formats.endings import age, failure_of
from mailssl_trio.observer import (
    Admitted,
    Ended,
    Happening,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
)
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.failures import Failure

SERVICES = {"smtp": "submission"}
"""The filters know no login process of another name."""

WORDS: Mapping[Failure, str] = {
    Failure.NO_ATTEMPTS: "no auth attempts",
    Failure.AUTH_FAILED: "auth failed",
    Failure.USER_DISABLED: "user disabled",
    Failure.CLEARTEXT_DISABLED: "tried to use disallowed cleartext auth",
    Failure.INVALID_MECHANISM: "tried to use unsupported auth mechanism",
    Failure.INVALID_BASE64: "sent invalid base64 in response",
    Failure.ABORTED_BY_CLIENT: "auth aborted by client",
    Failure.CONNECTION_LIMIT: "connection limit reached",
    Failure.SHUTTING_DOWN: "shutting down",
    Failure.INTERNAL_FAILURE: "internal failure",
    Failure.HANDSHAKE_NOT_FINISHED: "disconnected during TLS handshake",
    Failure.CERTIFICATE_MISSING: "client didn't send a cert",
    Failure.CERTIFICATE_UNTRUSTED: "client sent an untrusted cert",
    Failure.UPSTREAM_CONNECT_FAILED: "proxy dest connection failed",
    Failure.UPSTREAM_AUTH_FAILED: "proxy dest authentication failure",
    Failure.UPSTREAM_AUTH_TEMP_FAILED: "proxy dest temporary authentication failure",
    Failure.UPSTREAM_REMOTE_FAILURE: "proxy dest remote failure",
    Failure.UPSTREAM_PROTOCOL_FAILURE: "proxy dest protocol failure",
    Failure.PROXY_HEADER_REFUSED: "PROXY header refused",
    Failure.BANNED: "banned",
    Failure.ACCESS_DENIED: "access denied",
}

CAUSES: Mapping[Goodbye, str] = {
    Goodbye.QUIT: "Logged out",
    Goodbye.PEER_GONE: "Connection closed",
    Goodbye.TIMED_OUT: "Inactivity",
    Goodbye.SHUTTING_DOWN: "Shutting down",
    Goodbye.BUSY: "Too many connections",
    Goodbye.TOO_MANY_ERRORS: "Too many invalid commands",
    Goodbye.LINE_TOO_LONG: "Input buffer full",
    Goodbye.KICKED: "Kicked by admin",
}
"""Who ends it, or why; for others, what the error log says."""

ENDED_BY = {"client": "by client", "upstream": "by server", "us": "by us"}


def like_dovecot(subject: Subject, happening: Happening) -> str | None:
    """Write a line; None where there is none to write."""
    match happening:
        case Admitted():
            text = f"Login: {_who(subject)}"
        case LoginFailed():
            said = f"{WORDS[subject.failure]}, {_attempts(subject)}"
            text = f"Aborted login ({said}): {_who(subject, subject.failure)}"
        case Ended():
            text = _end(subject, happening)
        case ProxyRefused(detail):
            text = _aborted(subject, _plain(detail), Failure.PROXY_HEADER_REFUSED)
        case Relayed():
            text = f"Disconnected: Connection closed {_account(subject, happening)}"
        case _:
            return None
    service = SERVICES.get(subject.protocol, subject.protocol)
    return f"{service}-login: {text}"


def _end(subject: Subject, ended: Ended) -> str:
    failure, cause = failure_of(subject, ended), _cause(ended)
    seconds = int(age(subject))
    match failure:
        case Failure.NO_ATTEMPTS:
            said = f"{cause} ({WORDS[failure]} in {seconds} secs)"
        case Failure.HANDSHAKE_NOT_FINISHED:  # as one without attempts, to the filter
            none = WORDS[Failure.NO_ATTEMPTS]
            said = f"{cause}: {WORDS[failure]} ({none} in {seconds} secs)"
        case Failure.CLEARTEXT_DISABLED:
            said = f"{cause} ({WORDS[failure]})"
        case _:
            return _aborted(subject, cause, failure)
    return f"Disconnected: {said}: {_who(subject, failure)}"


def _aborted(subject: Subject, cause: str, failure: Failure) -> str:
    said = f"{WORDS[failure]}, {_attempts(subject)}"
    return f"Login aborted: {cause} ({said}) ({failure.value}): {_who(subject)}"


def _attempts(subject: Subject) -> str:
    return f"{subject.attempts} attempts in {int(age(subject))} secs"


def _cause(ended: Ended) -> str:
    cause = CAUSES.get(ended.reason, ended.reason.value)
    return f"{cause}, {_plain(ended.detail)}" if ended.detail else cause


def _account(subject: Subject, relayed: Relayed) -> str:
    return (
        f"{ENDED_BY[relayed.ended_by]} ({relayed.outcome}, {int(age(subject))} secs,"
        f" in={relayed.from_client}, out={relayed.from_upstream}): {_who(subject)}"
    )


def _who(subject: Subject, failure: Failure | None = None) -> str:
    """Tell whom a line is about, and why if that stands nowhere else."""
    return ", ".join(_facts(subject, failure))


def _facts(subject: Subject, failure: Failure | None) -> Iterator[str]:
    yield f"user=<{_inside(as_name(subject.login))}>"
    if subject.attempts:
        yield f"method={subject.mechanism}"
    if subject.client_port:  # a Unix socket has no address
        yield f"rip={subject.client}"
    if subject.server_port:
        yield f"lip={subject.server_address}"
    if subject.tls is not None:
        yield "TLS"
    elif failure is Failure.HANDSHAKE_NOT_FINISHED:
        yield "TLS handshaking"
    if subject.upstream:
        yield f"upstream={_inside(subject.upstream)}"
    if failure is not None:
        yield f"reason={failure.value}"
    yield f"session=<{subject.session}>"


def _inside(text: str) -> str:
    """Make a peer's text fit to stand inside of ``<>``, where nothing ends it."""
    return "".join(
        char if char.isprintable() and char not in "<>=\\" else octets(char)
        for char in text
    )


def _plain(detail: str) -> str:
    """Make what went wrong fit to stand before a parenthesis."""
    return _inside(detail).replace("(", "[").replace(")", "]")
