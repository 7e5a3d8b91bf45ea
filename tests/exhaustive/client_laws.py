"""The laws for sessions that face a backend, which may lie."""

import re

from mailssl_trio.protocol.events import Goodbye, LoggedIn, Refused
from tests.exhaustive.laws import (
    it_can_be_ended_at_any_moment,
    nothing_glued_behind_starttls_survives,
    the_closed_stay_silent,
    tls_makes_a_session_new,
)
from tests.exhaustive.player import TAGS
from tests.exhaustive.step import Law, Step, born_in_tls

QUESTION = re.compile(rb"G(\d+) CAPABILITY\r\n\Z")


def no_secret_is_said_in_the_clear(step: Step) -> bool:
    """Towards a backend, no credential is said before the TLS that was asked for."""
    if not step.world.needs_tls:
        return True
    return not any(secret in step.last.in_clear for secret in step.world.secrets)


def first_words_in_tls_are_those_of_the_born(step: Step) -> bool:
    """Behind the go-ahead, a client says what one born in TLS says to a greeting."""
    if not step.last.secured or step.last.ending is not None:
        return True
    said = born_in_tls(step, ()).in_tls
    return TAGS.sub(b"", step.last.in_tls) == TAGS.sub(b"", said)


def whole_lines_are_said(step: Step) -> bool:
    """A client says whole lines, and nothing that would end one early."""
    said = step.last.said
    lines = said.split(b"\r\n")
    return lines[-1] == b"" and not any(
        octet in line for line in lines for octet in (b"\0", b"\r", b"\n")
    )


def only_all_that_we_have_opens(step: Step) -> bool:
    """A login is believed only behind all that it asks for."""
    if not isinstance(step.last.outcome, LoggedIn):
        return True
    said = b"".join(turn.said for turn in step.turns)
    return any(all(octets in said for octets in proof) for proof in step.world.proofs)


def only_a_yes_opens(step: Step) -> bool:
    """A login is believed only when the last line that was read says yes.

    Or the line that answered the login, where what a backend can do is asked behind it:
    that it does not say so takes nothing back.
    """
    if not isinstance(step.last.outcome, LoggedIn):
        return True
    heard = b"".join(turn.heard or b"" for turn in step.turns)
    lines = heard.removesuffix(step.last.unread).splitlines()
    last_line, said = lines[-1], b"".join(turn.said for turn in step.turns)
    if asked := QUESTION.search(said):
        login = b"G%d " % (int(asked[1]) - 1)
        answers = (line for line in reversed(lines) if line.startswith(login))
        last_line = next(answers, b"")
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
    told = repr(outcome).encode()
    return not any(secret in told for secret in step.world.untold)


CLIENT_LAWS: tuple[Law, ...] = (
    no_secret_is_said_in_the_clear,
    nothing_glued_behind_starttls_survives,
    first_words_in_tls_are_those_of_the_born,
    tls_makes_a_session_new,
    whole_lines_are_said,
    only_all_that_we_have_opens,
    only_a_yes_opens,
    what_comes_of_it_is_said_once,
    the_operator_reads_no_password,
    the_closed_stay_silent,
    it_can_be_ended_at_any_moment,  # last, for it ends the session
)
