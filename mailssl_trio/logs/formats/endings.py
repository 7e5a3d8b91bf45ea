"""Why a connection ended without a login, of all that is known about it."""

from collections.abc import Mapping

import trio

from mailssl_trio.observer import Ended, Subject
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.failures import Failure

BY_GOODBYE: Mapping[Goodbye, Failure | None] = {
    Goodbye.QUIT: None,
    Goodbye.PEER_GONE: None,
    Goodbye.TIMED_OUT: None,
    Goodbye.SHUTTING_DOWN: Failure.SHUTTING_DOWN,
    Goodbye.BUSY: Failure.CONNECTION_LIMIT,
    Goodbye.CROWDED_OUT: Failure.CONNECTION_LIMIT,
    Goodbye.ADDRESS_LIMIT: Failure.CONNECTION_LIMIT,
    Goodbye.BANNED: Failure.BANNED,
    Goodbye.DENIED: Failure.ACCESS_DENIED,
    Goodbye.TOO_MANY_ERRORS: None,
    Goodbye.LINE_TOO_LONG: None,
    Goodbye.PIPELINED_STARTTLS: None,
    Goodbye.HTTP_REQUEST: None,
    Goodbye.EARLY_TALKER: None,
    Goodbye.HANDSHAKE_FAILED: Failure.HANDSHAKE_NOT_FINISHED,
    Goodbye.BAD_CERTIFICATE: Failure.CERTIFICATE_UNTRUSTED,
    Goodbye.CERTIFICATE_REQUIRED: Failure.CERTIFICATE_MISSING,
    Goodbye.KICKED: None,
    Goodbye.INTERNAL_ERROR: Failure.INTERNAL_FAILURE,
    Goodbye.REFUSED: None,
}
"""What an end says by itself; None: what became of the last login says it."""

NEVER_SPOKE = frozenset({Goodbye.PEER_GONE, Goodbye.TIMED_OUT, Goodbye.KICKED})


def failure_of(subject: Subject, ended: Ended) -> Failure:
    """Return the reason, in one word."""
    by_goodbye = BY_GOODBYE.get(ended.reason)
    if by_goodbye is not None:
        return by_goodbye
    before_tls = subject.tls is None and not subject.starttls
    no_attempt = subject.failure is Failure.NO_ATTEMPTS
    if no_attempt and before_tls and ended.reason in NEVER_SPOKE:
        return Failure.HANDSHAKE_NOT_FINISHED
    return subject.failure


def age(subject: Subject) -> float:
    """Return the seconds since it came."""
    return trio.current_time() - subject.began
