"""What a client hears of a backend's own words, and where there are none."""

from collections.abc import Callable

import pytest

from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.transcript import play

POLICY = Policy("mx", capabilities=("IMAP4rev1",))
JOE = '? Authenticate(Password(b"joe", b"x"))'


def opened(make: Callable[[], Session]) -> Callable[[], Session]:
    """Make a session that has greeted already."""

    def session() -> Session:
        made = make()
        made.next_event()
        assert made.data_to_send()
        return made

    return session


def test_imap_client_hears_it_under_its_own_tag() -> None:
    play(
        opened(lambda: ImapServer(POLICY)),
        f"""
        C: a7 LOGIN joe x
        {JOE}
        ! Rejected(Reason.UNAVAILABLE, reply=b"NO [LIMIT] too many of you\\r\\n")
        S: a7 NO [LIMIT] too many of you
        """,
    )


def test_pop3_client_hears_it_word_for_word() -> None:
    play(
        opened(lambda: Pop3Server(POLICY)),
        f"""
        C: USER joe
        S: +OK send PASS
        C: PASS x
        {JOE}
        ! Rejected(Reason.UNAVAILABLE, reply=b"-ERR [IN-USE] locked\\r\\n")
        S: -ERR [IN-USE] locked
        C: QUIT
        S: +OK bye
        ? Closed(Goodbye.QUIT)
        """,
    )


@pytest.mark.parametrize("code", ["421 4.3.2", "550 5.7.1"])
def test_smtp_client_hears_all_lines_of_it(code: str) -> None:
    play(
        opened(lambda: SmtpServer(POLICY)),
        f"""
        C: AUTH PLAIN AGpvZQB4
        {JOE}
        ! Rejected(Reason.UNAVAILABLE, reply=b"{code[:3]}-Sorry,\\r\\n{code} no\\r\\n")
        S: {code[:3]}-Sorry,
        S: {code} no
        C: NOOP
        S: 250 2.0.0 OK
        """,
    )


def test_smtp_client_hears_nginxs_words_where_the_backend_was_not_asked() -> None:
    play(
        opened(lambda: SmtpServer(POLICY)),
        f"""
        C: AUTH PLAIN AGpvZQB4
        {JOE}
        ! Accepted()
        S: 235 2.0.0 OK
        ? LoggedIn()
        """,
    )
