"""The laws: what must hold after every turn of every conversation.

A law is a function whose first line of documentation is the law. It looks at one turn,
the last; the turns before it have been looked at already, each as the last of a shorter
conversation.
"""

import re
from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

from attrs import define, field

from mailssl_trio.protocol.credentials import Accepted
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import (
    Closed,
    Goodbye,
    LoggedIn,
    Refused,
    StartTls,
)
from tests.exhaustive.ledger import IllegalReplyError, Ledger
from tests.exhaustive.player import TAGS, Otherwise, Player, Turn, play
from tests.exhaustive.worlds import World

Memory: TypeAlias = dict[tuple[bytes, ...], tuple[Turn, ...]]


@define(slots=False)
class Step:
    """A conversation up to and with its last turn."""

    world: World
    utterances: tuple[bytes, ...]
    otherwise: Otherwise | None
    turns: tuple[Turn, ...]
    """The greeting's, and one for each utterance."""
    session: Session
    before: Ledger | None
    born_in_tls: Memory = field(repr=False)

    @property
    def last(self) -> Turn:
        """The turn in question."""
        return self.turns[-1]

    @cached_property
    def after(self) -> tuple[Ledger, bytes] | None:
        """The ledger behind the last turn and what got no reply; None if illegal."""
        said = self.last.said
        if self.last.ending is not None:
            said = said.removesuffix(last_words(self))
        if self.before is None or self.last.heard is None:
            return None
        try:
            return self.before.settle(self.last.heard, said)
        except IllegalReplyError:
            return None

    def again(self, *utterances: bytes) -> tuple[Turn, ...]:
        """Play the same conversation with another end, and return that end's turns."""
        before = tuple(turn.heard or b"" for turn in self.turns[1:-1])
        turns = play(self.world.make(), (*before, *utterances))
        return turns[len(before) + 1 :]


Law: TypeAlias = Callable[[Step], bool]


def last_words(step: Step) -> bytes:
    """Return what must be said last: nothing where the peer waits for TLS."""
    ending = step.last.ending
    if ending is None or handshake_failed(step.last):
        return b""
    return step.session.farewell(ending)


def handshake_failed(turn: Turn) -> bool:
    """Whether it ended between the go-ahead and TLS."""
    return (
        turn.ending is not None
        and bool(turn.questions)
        and isinstance(turn.questions[-1][0], StartTls)
    )


def no_credential_leaves_before_tls(step: Step) -> bool:
    """Under ``only``, no credential leaves a session before TLS."""
    return not step.world.needs_tls or all(tls for _, tls in step.last.logins)


def no_credential_can_end_a_line(step: Step) -> bool:
    """No credential holds an octet that ends a line or a string on some wire."""
    return not any(
        octet in part
        for credentials, _ in step.last.logins
        for part in (credentials.authcid, credentials.password, credentials.authzid)
        for octet in (b"\0", b"\r", b"\n")
    )


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
    return not step.last.secured or not step.last.in_tls


def tls_makes_a_session_new(step: Step) -> bool:
    """From StartTls on, a session is the one born in TLS that hears the same."""
    for turn, heard in enumerate(step.turns[:-1]):
        if turn > 0 and heard.secured:
            rest = step.utterances[turn:]
            return _alike(step.last, _born_in_tls(step, rest))
    return True


def _born_in_tls(step: Step, rest: tuple[bytes, ...]) -> Turn:
    heard = (*step.world.opening, *rest)
    if step.otherwise is not None:
        player = Player(step.world.make_in_tls())
        player.replay(play(step.world.make_in_tls(), heard[:-1]))
        return player.hear(heard[-1], step.otherwise)
    if rest not in step.born_in_tls:
        step.born_in_tls[rest] = play(step.world.make_in_tls(), heard)
    return step.born_in_tls[rest][-1]


def _alike(turn: Turn, other: Turn) -> bool:
    return turn == other or _without_tags(repr(turn)) == _without_tags(repr(other))


def _without_tags(text: str) -> str:
    return re.sub(r"G[0-9]+(?= )", "G", text)


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


def no_secret_is_said_in_the_clear(step: Step) -> bool:
    """Towards a backend, no credential is said before the TLS that was asked for."""
    if not step.world.needs_tls:
        return True
    return not any(secret in step.last.in_clear for secret in step.world.secrets)


def first_words_in_tls_are_those_of_the_born(step: Step) -> bool:
    """Behind the go-ahead, a client says what one born in TLS says to a greeting."""
    if not step.last.secured or step.last.ending is not None:
        return True
    said = _born_in_tls(step, ()).in_tls
    return TAGS.sub(b"", step.last.in_tls) == TAGS.sub(b"", said)


def whole_lines_are_said(step: Step) -> bool:
    """A client says whole lines, and nothing that would end one early."""
    said = step.last.said
    lines = said.split(b"\r\n")
    return lines[-1] == b"" and not any(
        octet in line for line in lines for octet in (b"\0", b"\r", b"\n")
    )


def only_our_password_opens(step: Step) -> bool:
    """A login is believed only behind all that it asks for."""
    if not isinstance(step.last.outcome, LoggedIn):
        return True
    said = b"".join(turn.said for turn in step.turns)
    user, password, user64, password64, plain64 = step.world.secrets
    return (
        (user in said and password in said)
        or (user64 in said and password64 in said)
        or plain64 in said
    )


def only_a_yes_opens(step: Step) -> bool:
    """A login is believed only when the last line that was read says yes."""
    if not isinstance(step.last.outcome, LoggedIn):
        return True
    heard = b"".join(turn.heard or b"" for turn in step.turns)
    last_line = heard.removesuffix(step.last.unread).splitlines()[-1]
    yes = TAGS.sub(b"", last_line).upper().lstrip()
    return yes.startswith((b"+OK", b"235 ", b"OK"))


def what_comes_of_it_is_said_once(step: Step) -> bool:
    """A login, or a refusal, is the end; and there is no other end but departure."""
    match step.last.outcome, step.last.ending:
        case LoggedIn(), Goodbye.QUIT:
            return True
        case Refused(), Goodbye.REFUSED:
            return True
        case None, ending:
            return ending not in {Goodbye.QUIT, Goodbye.REFUSED}
        case _:
            return False


def the_operator_reads_no_password(step: Step) -> bool:
    """What a backend echoes of our credentials stands in no text for the operator."""
    outcome = step.last.outcome
    if not isinstance(outcome, Refused):
        return True
    _, password, _, *encoded = step.world.secrets
    told = repr(outcome).encode()
    return not any(secret in told for secret in (password, *encoded))


SERVER_LAWS: tuple[Law, ...] = (
    no_credential_leaves_before_tls,
    no_credential_can_end_a_line,
    nothing_glued_behind_starttls_survives,
    nothing_is_said_between_go_ahead_and_tls,
    tls_makes_a_session_new,
    every_command_gets_one_final_reply,
    what_follows_a_login_is_the_relays,
    farewell_is_said_once,
    the_closed_stay_silent,
    it_can_be_ended_at_any_moment,  # last, for it ends the session
)

CLIENT_LAWS: tuple[Law, ...] = (
    no_secret_is_said_in_the_clear,
    nothing_glued_behind_starttls_survives,
    first_words_in_tls_are_those_of_the_born,
    tls_makes_a_session_new,
    whole_lines_are_said,
    only_our_password_opens,
    only_a_yes_opens,
    what_comes_of_it_is_said_once,
    the_operator_reads_no_password,
    the_closed_stay_silent,
    it_can_be_ended_at_any_moment,  # last, for it ends the session
)
