"""A worker's answers: pages of who is here, and ends of those who are meant."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import trio

from mailssl_trio.answering import ENDED_AT_ONCE, FOUND_AT_ONCE, LOOKED_AT, answer
from mailssl_trio.channel import MAX_WORKERS_LINE, encode
from mailssl_trio.messages import (
    CountSessions,
    EndSessions,
    FindSessions,
    Question,
    Session,
    SessionCount,
    SessionsEnded,
    SessionsFound,
    Whom,
)
from mailssl_trio.observer import Subject
from mailssl_trio.protocol.events import Goodbye, TlsInfo
from mailssl_trio.visits import Visits


def subject(number: int, login: bytes = b"", client: str = "192.0.2.1") -> Subject:
    """Return somebody who has logged in, if he has a name."""
    return Subject(
        number,
        "imap",
        client,
        50_000,
        "198.51.100.1:993",
        tls=TlsInfo("TLSv1.3"),
        login=login,
        mechanism="PLAIN",
        upstream="10.0.0.5:143",
        began=trio.current_time() - 10,
        logged_in=trio.current_time() - 9 if login else None,
    )


@contextmanager
def crowd(*subjects: Subject) -> Iterator[Visits]:
    """Have somebody here for each of them."""
    visits = Visits()
    with ExitStack() as here:
        for one in subjects:
            here.callback(visits.leave, visits.enter(one))
        yield visits


def pages(visits: Visits, question: FindSessions) -> list[tuple[Session, ...]]:
    """Ask again and again for what comes after."""
    found: list[tuple[Session, ...]] = []
    after: int | None = question.after
    while after is not None:
        asked = FindSessions(question.whom, question.before_login, after)
        page = answer(asked, visits)
        assert isinstance(page, SessionsFound)
        found.append(page.sessions)
        after = page.after
    return found


def users(visits: Visits, whom: Whom | None, *, everybody: bool = False) -> list[str]:
    asked = FindSessions(whom, everybody)
    return [one.user for page in pages(visits, asked) for one in page]


async def test_session_is_told_with_all_that_is_known() -> None:
    with crowd(subject(1, b"alice")) as visits:
        ((session,),) = pages(visits, FindSessions())
        (visit,) = visits
    assert session.session == visit.subject.session
    assert (session.user, session.mechanism) == ("alice", "PLAIN")
    assert (session.client, session.client_port) == ("192.0.2.1", 50_000)
    assert (session.tls, session.upstream) == ("TLSv1.3", "10.0.0.5:143")
    assert session.began == pytest.approx(time.time() - 10, abs=2)
    assert session.logged_in == pytest.approx(time.time() - 9, abs=2)


async def test_name_that_is_no_utf_8_is_text_by_which_it_is_found() -> None:
    with crowd(subject(1, b"b\xffb\x1b[2J"), subject(2, b"bob")) as visits:
        assert users(visits, Whom(user="b\\xffb\x1b[2J")) == ["b\\xffb\x1b[2J"]


async def test_everybody_is_found_once_in_pages_that_hold_up_nobody() -> None:
    many = 3 * LOOKED_AT + 7
    people = (subject(number, b"user%d" % number) for number in range(1, many + 1))
    with crowd(*people) as visits:
        found = pages(visits, FindSessions())
    assert [len(page) for page in found[:-1]] == [FOUND_AT_ONCE] * (len(found) - 1)
    assert sum(map(len, found)) == many
    assert len({one.session for page in found for one in page}) == many


async def test_page_of_long_names_fits_a_line_of_the_channel() -> None:
    longest = b"\xff" * 3000  # four letters each, and an escape in JSON
    people = (subject(number, longest) for number in range(1, FOUND_AT_ONCE + 1))
    with crowd(*people) as visits:
        for page in pages(visits, FindSessions()):
            assert len(encode(SessionsFound(page, None))) < MAX_WORKERS_LINE


async def test_who_leaves_and_who_comes_between_two_pages_disturbs_nobody() -> None:
    people = [subject(number, b"%d" % number) for number in range(1, 251)]
    visits = Visits()
    with ExitStack() as staying, ExitStack() as leaving:
        for one in people:
            stack = leaving if one.number <= 100 else staying
            stack.callback(visits.leave, visits.enter(one))
        first = answer(FindSessions(), visits)
        assert isinstance(first, SessionsFound)
        leaving.close()
        staying.callback(visits.leave, visits.enter(subject(251, b"251")))
        assert first.after is not None
        rest = pages(visits, FindSessions(after=first.after))
    found = [*first.sessions, *(one for page in rest for one in page)]
    assert [one.user for one in found] == [str(number) for number in range(1, 252)]


@pytest.mark.parametrize(
    ("whom", "found"),
    [
        (None, ["alice", "bob", "Alice"]),
        (Whom(user="ALICE"), ["alice", "Alice"]),
        (Whom(user="al"), []),
        (Whom(network="192.0.2.0/24"), ["alice"]),
        (Whom(network="2001:db8::/32"), ["bob"]),
        (Whom(network="10.0.0.0/8"), ["Alice"]),
        (Whom(user="alice", network="2001:db8::/32"), ["alice", "bob", "Alice"]),
        (Whom(session="alice"), []),
        (Whom(session="???"), []),
    ],
)
async def test_some_are_meant(whom: Whom | None, found: list[str]) -> None:
    people = (
        subject(1, b"alice"),
        subject(2, b"bob", "2001:db8::7"),
        subject(3, b"Alice", "::ffff:10.1.2.3"),
        subject(4, b"", "unix:"),
    )
    with crowd(*people) as visits:
        assert users(visits, whom) == found


async def test_who_has_not_logged_in_is_found_if_asked_for_and_has_no_user() -> None:
    trying = subject(2)
    trying.login = b"alice"  # he claims
    with crowd(subject(1, b"alice"), trying) as visits:
        assert users(visits, None) == ["alice"]
        assert len(users(visits, None, everybody=True)) == 2
        assert len(users(visits, Whom(user="alice"), everybody=True)) == 1


async def test_those_who_are_meant_are_dismissed_a_few_at_a_time() -> None:
    many = ENDED_AT_ONCE + 5
    people = [subject(number, b"alice") for number in range(1, many + 1)]
    with crowd(*people, subject(many + 1, b"bob")) as visits:
        first = answer(EndSessions(Whom(user="alice"), number=9), visits)
        assert isinstance(first, SessionsEnded)
        assert (first.number, first.count) == (9, ENDED_AT_ONCE)
        assert first.after is not None
        rest = answer(EndSessions(Whom(user="alice"), first.after), visits)
        assert rest == SessionsEnded(5, None)
        again = answer(EndSessions(Whom(user="alice")), visits)
        assert isinstance(again, SessionsEnded)
        assert again.count == 0  # they are about to leave
        reasons = [visit.dismissal for visit in visits]
    assert reasons == [*[Goodbye.KICKED] * many, None]


async def test_one_session_is_dismissed_by_its_name() -> None:
    with crowd(subject(1, b"alice"), subject(2), subject(3, b"alice")) as visits:
        _, middle, _ = visits
        whom = Whom(session=middle.subject.session)
        assert answer(EndSessions(whom), visits) == SessionsEnded(1, None)
        assert middle.dismissal is Goodbye.KICKED


async def test_connections_are_counted() -> None:
    with crowd(subject(1, b"alice"), subject(2), subject(3)) as visits:
        assert answer(CountSessions(number=4), visits) == SessionCount(1, 2, number=4)


async def test_question_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="nobody knows"):
        answer(Question(), Visits())
