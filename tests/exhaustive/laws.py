"""The laws: what must hold after every turn of every conversation.

A law is a function whose documentation begins with the law. It looks at one turn, the
last; the turns before it have been looked at already, each as the last of a shorter
conversation.
"""

from collections.abc import Iterator

from attrs import astuple

from mailssl_trio.protocol.credentials import Accepted, Credentials
from mailssl_trio.protocol.events import (
    Closed,
    Goodbye,
    LoggedIn,
    StartTls,
    TlsInfo,
)
from tests.exhaustive.step import Law, Step, alike, born_in_tls, last_words


def no_credential_leaves_before_tls(step: Step) -> bool:
    """Under ``only``, no credential leaves a session before TLS."""
    return not step.world.needs_tls or all(tls for _, tls in step.last.logins)


def only_what_is_enabled_leaves(step: Step) -> bool:
    """No credential of a kind that is not enabled leaves a session."""
    return all(
        isinstance(credentials, step.world.enabled)
        for credentials, _ in step.last.logins
    )


def no_credential_can_end_a_line(step: Step) -> bool:
    """No credential holds an octet that ends a line or a string on some wire."""
    return not any(
        octet in part
        for credentials, _ in step.last.logins
        for part in _parts(credentials)
        for octet in (b"\0", b"\r", b"\n")
    )


def _parts(credentials: Credentials) -> Iterator[bytes]:
    """Yield every octet string that a credential is made of."""
    return (part for part in astuple(credentials) if isinstance(part, bytes))


def nothing_glued_behind_starttls_survives(step: Step) -> bool:
    """Lines that come in one piece are heard as if each had come by itself, but what
    stands behind a STARTTLS that would be accepted ends the session, unanswered."""
    lines = (step.last.heard or b"").splitlines(keepends=True)
    if len(lines) <= 1 or step.otherwise:
        return True
    apart = step.again(*lines)
    for nth, turn in enumerate(apart):
        if turn.secured and nth < len(lines) - 1:
            before = b"".join(turn.said for turn in apart[:nth])
            return _ends_unanswered(step, before)
    said, last = b"".join(turn.said for turn in apart), apart[-1]
    return said == step.last.said and last.ending is step.last.ending


def _ends_unanswered(step: Step, before: bytes) -> bool:
    reason = Goodbye.PIPELINED_STARTTLS
    return (
        step.last.ending is reason
        and not step.last.secured
        and step.last.said == before + step.session.farewell(reason)
    )


def nothing_is_said_between_go_ahead_and_tls(step: Step) -> bool:
    """Behind the go-ahead nothing is said until the peer has spoken in TLS."""
    return not step.last.secured or not step.last.in_tls or _is_refused(step)


def a_refused_certificate_ends_it(step: Step) -> bool:
    """A client whose certificate is refused is told so in TLS, and asked no more."""
    if not _is_refused(step):
        return True
    reason = Goodbye.BAD_CERTIFICATE
    return (
        step.last.ending is reason
        and step.last.in_tls == step.session.farewell(reason) != b""
        and isinstance(step.last.questions[-1][0], StartTls)
    )


def _is_refused(step: Step) -> bool:
    return step.otherwise is not None and isinstance(step.otherwise.answer, TlsInfo)


def tls_makes_a_session_new(step: Step) -> bool:
    """From StartTls on, a session is the one born in TLS that hears the same."""
    for turn, heard in enumerate(step.turns[:-1]):
        if turn > 0 and heard.secured:
            rest = step.utterances[turn:]
            return alike(step.last, born_in_tls(step, rest))
    return True


def every_command_gets_one_final_reply(step: Step) -> bool:
    """Every command gets one final reply of legal form while the session is open."""
    if step.after is None:
        return False
    if step.last.ending is None:
        return step.after[1] == b""
    return True


def what_follows_a_login_is_the_relays(step: Step) -> bool:
    """A login that was accepted ends the dialogue, and what follows it is kept."""
    accepted = step.otherwise and isinstance(step.otherwise.answer, Accepted)
    if not accepted:
        return step.last.outcome is None
    return (
        isinstance(step.last.outcome, LoggedIn)
        and step.last.ending is Goodbye.QUIT
        and step.after is not None
        and step.last.unread == step.after[1] + step.after[0].partial
    )


def farewell_is_said_once(step: Step) -> bool:
    """A session that ends says farewell once, in the words for its reason."""
    words = last_words(step)
    if not words:
        return True
    return step.last.said.endswith(words) and step.last.said.count(words) == 1


def the_closed_stay_silent(step: Step) -> bool:
    """A session that has ended stays so, and says nothing more."""
    if step.last.ending is None:
        return True
    event = step.session.next_event()
    return event == Closed(step.last.ending) and not step.session.data_to_send()


def it_can_be_ended_at_any_moment(step: Step) -> bool:
    """An open session that is told to hang up says farewell, once, and ends."""
    if step.last.ending is not None:
        return True
    session, reason = step.session, Goodbye.SHUTTING_DOWN
    session.hang_up(reason)
    first = session.next_event()
    said = session.data_to_send()
    second = session.next_event()
    return (
        first == second == Closed(reason)
        and said == session.farewell(reason)
        and not session.data_to_send()
    )


SERVER_LAWS: tuple[Law, ...] = (
    no_credential_leaves_before_tls,
    only_what_is_enabled_leaves,
    no_credential_can_end_a_line,
    nothing_glued_behind_starttls_survives,
    nothing_is_said_between_go_ahead_and_tls,
    a_refused_certificate_ends_it,
    tls_makes_a_session_new,
    every_command_gets_one_final_reply,
    what_follows_a_login_is_the_relays,
    farewell_is_said_once,
    the_closed_stay_silent,
    it_can_be_ended_at_any_moment,  # last, for it ends the session
)
