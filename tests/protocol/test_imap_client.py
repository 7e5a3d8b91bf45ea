"""IMAP facing the backend: RFC 9051, 4959, 5530 and 7888 as transcripts."""

from collections.abc import Callable

import pytest

from mailssl_trio.protocol.client_session import MAX_REPLY_LINES
from mailssl_trio.protocol.credentials import Accepted, Credentials, Password
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import (
    Authenticate,
    Closed,
    Event,
    Goodbye,
    LoggedIn,
    NeedData,
    StartTls,
    TlsInfo,
)
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.imap.response import MAX_REPLY
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from tests.transcript import play, sections

TEST = Password(b"test", b"test", b"test")
JOE = Password(b"joe", b"secret")
REPLY = "OK [CAPABILITY IMAP4rev1] in"
LOGGED_IN = 'LoggedIn(b"OK [CAPABILITY IMAP4rev1] in\\r\\n")'


def client(
    credentials: Password = JOE, *, starttls: bool = False, implicit_tls: bool = False
) -> Callable[[], ImapClient]:
    return lambda: ImapClient(credentials, starttls=starttls, implicit_tls=implicit_tls)


def give_up(detail: str, reason: str = "UNAVAILABLE") -> str:
    """Return the two events that end a login that came to nothing."""
    return f"""
        ? Refused(Rejected(Reason.{reason}), {detail!r})
        ? Closed(Goodbye.REFUSED)
    """


def invalid(line: str) -> str:
    return give_up(f'upstream sent invalid response: "{line}"')


# The choice of a login.


def test_sasl_ir_logs_in_with_one_round_trip() -> None:
    play(
        client(TEST),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello
        C: G1 AUTHENTICATE PLAIN dGVzdAB0ZXN0AHRlc3Q=
        S: G1 {REPLY}
        ? {LOGGED_IN}
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_capabilities_are_asked_for_if_the_greeting_has_none() -> None:
    play(
        client(),
        f"""
        S: * OK IMAP4rev1 Service Ready
        C: G1 CAPABILITY
        S: * capability imap4rev1 auth=plain sasl-ir
        S: G1 ok CAPABILITY completed
        C: G2 AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=
        S: G2 {REPLY}
        ? {LOGGED_IN}
        """,
    )


@pytest.mark.parametrize(
    ("capabilities", "command"),
    [
        ("IMAP4rev1", 'LOGIN "joe" "secret"'),
        ("IMAP4rev1 AUTH=PLAIN", 'LOGIN "joe" "secret"'),
        ("IMAP4rev1 SASL-IR", 'LOGIN "joe" "secret"'),
        ("IMAP4rev1 SASL-IR AUTH=PLAIN-CLIENTTOKEN", 'LOGIN "joe" "secret"'),
        ("IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED",
         "AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ="),
        ("IMAP4rev2 AUTH=PLAIN", "AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ="),
    ],
)  # fmt: skip
def test_the_fewest_round_trips_that_the_backend_offers(
    capabilities: str, command: str
) -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY {capabilities}] hello
        C: G1 {command}
        S: G1 {REPLY}
        ? {LOGGED_IN}
        """,
    )


def test_authenticate_without_initial_response_where_login_is_disabled() -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN] hello
        C: G1 AUTHENTICATE PLAIN
        S~ + \\r\\n
        C: AGpvZQBzZWNyZXQ=
        S: G1 {REPLY}
        ? {LOGGED_IN}
        """,
    )


def test_backend_without_a_login_for_us_is_given_up() -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED STARTTLS] hello
        {give_up("upstream offers no login that we know")}
        """,
    )


# How user name and password travel.

QUOTABLE = [
    (b"joe", b"", '"joe" ""'),
    (b"joe", b'pass"word', r'"joe" "pass\\"word"'),
    (b"joe", b"\\back\\", r'"joe" "\\\\back\\\\"'),
    (b"joe", b"%s %d * (a) {5}", '"joe" "%s %d * (a) {5}"'),
    (
        b"joe user@example.org",
        b" lead and trail ",
        '"joe user@example.org" " lead and trail "',
    ),
    (b"NIL", b"NIL", '"NIL" "NIL"'),
]
ONLY_LITERAL = [
    (b"joe", "pässwörd".encode(), "{3%s}", "joe {10%s}", "p\\xc3\\xa4ssw\\xc3\\xb6rd"),
    (b"j\xfcrgen", b"", "{6%s}", "j\\xfcrgen {0%s}", ""),
    (b"joe", b"\x7f\x01\t", "{3%s}", "joe {3%s}", "\\x7f\\x01\\t"),
    (b'"', b"\xff", "{1%s}", '" {1%s}', "\\xff"),
]


@pytest.mark.parametrize(("user", "password", "strings"), QUOTABLE)
def test_printable_ascii_is_quoted(user: bytes, password: bytes, strings: str) -> None:
    play(
        client(Password(user, password)),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 LITERAL+] hello
        C~ G1 LOGIN {strings}\\r\\n
        S: G1 {REPLY}
        ? {LOGGED_IN}
        """,
    )


@pytest.mark.parametrize(("user", "password", "one", "two", "three"), ONLY_LITERAL)
def test_everything_else_is_a_literal_that_waits_for_its_invitation(
    user: bytes, password: bytes, one: str, two: str, three: str
) -> None:
    play(
        client(Password(user, password)),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] hello
        C~ G1 LOGIN {one % ""}\\r\\n
        S: + go on, all {{9}}
        C~ {two % ""}\\r\\n
        S: * OK still there
        S: +
        C~ {three}\\r\\n
        S: G1 {REPLY}
        ? LoggedIn(b"{REPLY}\\r\\n", b"* OK still there\\r\\n")
        """,
    )


@pytest.mark.parametrize(("user", "password", "one", "two", "three"), ONLY_LITERAL)
@pytest.mark.parametrize("word", ["LITERAL+", "LITERAL-", "IMAP4rev2"])
def test_literals_need_no_invitation_where_rfc_7888_says_so(
    user: bytes, password: bytes, one: str, two: str, three: str, word: str
) -> None:
    play(
        client(Password(user, password)),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 {word}] hello
        C~ G1 LOGIN {one % "+"}\\r\\n
        C~ {two % "+"}\\r\\n
        C~ {three}\\r\\n
        S: G1 {REPLY}
        ? {LOGGED_IN}
        """,
    )


@pytest.mark.parametrize(
    ("word", "size", "plus"),
    [
        ("LITERAL-", 4096, "+"),
        ("LITERAL-", 4097, ""),
        ("LITERAL+", 4097, "+"),
        ("IDLE", 4096, ""),
    ],
)
def test_literal_minus_ends_at_4096_octets(word: str, size: int, plus: str) -> None:
    session = client(Password(b"joe", b"\xff" * size))()
    session.receive_data(f"* OK [CAPABILITY IMAP4rev1 {word}] hello\r\n".encode())
    session.next_event()
    assert session.data_to_send().startswith(f"G1 LOGIN {{3{plus}}}\r\n".encode())


def test_quoted_strings_that_make_the_line_too_long_become_literals() -> None:
    longest = 8192 - len('G1 LOGIN "joe" ""\r\n')
    for size, form in ((longest, b"quoted"), (longest + 1, b"{3}")):
        session = client(Password(b"joe", b"x" * size))()
        session.receive_data(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")
        session.next_event()
        said = session.data_to_send()
        assert said.startswith(b"G1 LOGIN {3}") == (form == b"{3}")
        assert len(said) <= 8192


def test_initial_response_that_makes_the_line_too_long_is_not_one() -> None:
    session = client(Password(b"joe", b"x" * 6200))()
    session.receive_data(
        b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN LOGINDISABLED] hello\r\n"
    )
    session.next_event()
    assert session.data_to_send() == b"G1 AUTHENTICATE PLAIN\r\n"


# What a login brings.


def test_untagged_responses_of_the_login_are_kept_and_earlier_ones_dropped() -> None:
    play(
        client(),
        f"""
        S: * OK hello
        C: G1 CAPABILITY
        S: * OK [ALERT] of no concern
        S: * CAPABILITY IMAP4rev1
        S: G1 OK done
        C: G2 LOGIN "joe" "secret"
        S: * OK [ALERT] disk almost full {{5}}
        S~ * ID ("name" {{7}}\\r\\na\\r\\nG2 O "x" ~{{2}}\\r\\n\\r\\n)\\r\\n
        S: G2 {REPLY}
        ? LoggedIn(b"{REPLY}\\r\\n", b'* OK [ALERT] disk almost full {{5}}\\r\\n* ID ("name" {{7}}\\r\\na\\r\\nG2 O "x" ~{{2}}\\r\\n\\r\\n)\\r\\n')
        """,  # noqa: E501 - octet for octet
    )


def test_untagged_capabilities_of_the_login_are_enough() -> None:
    play(
        client(),
        """
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: * CAPABILITY IMAP4rev1 IDLE
        S: G1 OK in
        ? LoggedIn(b"OK in\\r\\n", b"* CAPABILITY IMAP4rev1 IDLE\\r\\n")
        """,
    )


@pytest.mark.parametrize("reply", ["G1 OK in", "G1 ok in"])
def test_capabilities_that_no_login_told_are_asked_for_and_put_in(reply: str) -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: * OK first
        S: {reply}
        C: G2 CAPABILITY
        S: * OK second
        S~ * CAPABILITY IMAP4rev1  IDLE \\r\\n
        S: G2 OK done
        ? LoggedIn(b"OK [CAPABILITY IMAP4rev1 IDLE] in\\r\\n", b"* OK first\\r\\n* OK second\\r\\n")
        """,  # noqa: E501 - octet for octet
    )


def test_ok_without_words_is_given_some() -> None:
    play(
        client(),
        """
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: G1 OK
        C: G2 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: G2 OK
        ? LoggedIn(b"OK [CAPABILITY IMAP4rev1] Logged in\\r\\n")
        """,
    )


def test_capabilities_stand_before_an_ok_that_has_another_code() -> None:
    play(
        client(),
        """
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: G1 OK [REFERRAL imap://joe;AUTH=*@x/] in
        C: G2 CAPABILITY
        S: * CAPABILITY IMAP4rev1 IDLE
        S: G2 OK
        ? LoggedIn(b"OK [REFERRAL imap://joe;AUTH=*@x/] in\\r\\n", b"* CAPABILITY IMAP4rev1 IDLE\\r\\n")
        """,  # noqa: E501 - octet for octet
    )


def test_braces_in_words_for_humans_announce_nothing() -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] welcome to {{5}}
        C: G1 LOGIN "joe" "secret"
        S: G1 NO try {{7}}
        C: G2 LOGOUT
        {give_up('upstream refused the login: "G1 NO try {7}"', "AUTHENTICATIONFAILED")}
        """,
    )


def test_last_word_about_capabilities_counts() -> None:
    play(
        client(),
        """
        S: * OK hello
        C: G1 CAPABILITY
        S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN
        S: * CAPABILITY IMAP4rev1
        S: G1 OK
        C: G2 LOGIN "joe" "secret"
        """,
    )


def test_what_stands_behind_the_login_is_left_to_the_relay() -> None:
    session = client()()
    session.receive_data(b"* OK [CAPABILITY IMAP4rev1] x\r\n")
    session.next_event()
    session.receive_data(f"G1 {REPLY}\r\n* 3 EXISTS\r\n".encode())
    assert session.next_event() == LoggedIn(f"{REPLY}\r\n".encode())
    assert session.trailing_data == b"* 3 EXISTS\r\n"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("NO [AUTHENTICATIONFAILED] x", "AUTHENTICATIONFAILED"),
        ("NO wrong password", "AUTHENTICATIONFAILED"),
        ("NO [EXPIRED] x", "AUTHENTICATIONFAILED"),
        ("no [unavailable] x", "UNAVAILABLE"),
        ("NO [PRIVACYREQUIRED] x", "PRIVACYREQUIRED"),
        ("NO [CONTACTADMIN] x", "CONTACTADMIN"),
        ("NO [LIMIT] x", "LIMIT"),
        ("NO [\xff] x", "AUTHENTICATIONFAILED"),
        ("BAD [AUTHENTICATIONFAILED] x", "UNAVAILABLE"),
    ],
)
def test_refusal_is_answered_by_logout_and_keeps_its_reason(
    reply: str, reason: str
) -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: * BYE soon
        S: G1 {reply}
        C: G2 LOGOUT
        {give_up(f'upstream refused the login: "G1 {reply}"', reason)}
        """,
    )


@pytest.mark.parametrize("more", ["", "S!"])
def test_backend_that_says_bye_and_no_more_is_given_up_at_once(more: str) -> None:
    bye = "* BYE [UNAVAILABLE] going down"
    detail = f'upstream sent invalid response: "{bye}"'
    refusal = b"NO [UNAVAILABLE] going down\r\n"
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: {bye}
        ? Pause(0.2)
        {more}
        ? Refused(Rejected(Reason.UNAVAILABLE), {detail!r}, {refusal!r})
        ? Closed(Goodbye.REFUSED)
        """,
    )


@pytest.mark.parametrize("reply", ["NO [UNAVAILABLE] x", "BAD what"])
def test_refused_literal_is_never_sent(reply: str) -> None:
    play(
        client(Password(b"joe", b"\xff")),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN {{3}}
        S: + OK
        C: joe {{1}}
        S: G1 {reply}
        C: G2 LOGOUT
        {give_up(f'upstream refused the login: "G1 {reply}"')}
        """,
    )


# STARTTLS.


def test_starttls_comes_first_and_all_that_was_told_before_is_forgotten() -> None:
    play(
        client(starttls=True),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello
        C: G1 STARTTLS
        S: * CAPABILITY IMAP4rev1 LITERAL+
        S: G1 OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] go
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: G2 CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: G2 OK
        C: G3 LOGIN "joe" "secret"
        S: G3 {REPLY}
        ? {LOGGED_IN}
        """,
    )


@pytest.mark.parametrize(
    "reply",
    ["G1 NO", "G1 BAD no", "G2 OK go", "g1 OK go", "+ go", "G1", "G1 OKAY", "OK", ""],
)
def test_starttls_refused_is_the_end(reply: str) -> None:
    play(
        client(starttls=True),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello
        C: G1 STARTTLS
        S~ {reply}\\r\\n
        {invalid(reply)}
        """,
    )


@pytest.mark.parametrize("behind", ["* CAPABILITY AUTH=PLAIN\\r\\n", "\\x16", "\\n"])
def test_octets_behind_the_go_ahead_end_it(behind: str) -> None:
    play(
        client(starttls=True),
        f"""
        S: * OK hello
        C: G1 STARTTLS
        S~ G1 OK go\\r\\n{behind}
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,
        cuts=(1 << 20,),
    )


def test_implicit_tls_comes_before_the_greeting() -> None:
    play(
        client(implicit_tls=True),
        f"""
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: * OK [CAPABILITY IMAP4rev1] hello
        C: G1 LOGIN "joe" "secret"
        S: G1 {REPLY}
        ? {LOGGED_IN}
        """,
    )


# Backends that lie.


@pytest.mark.parametrize("starttls", [False, True])
@pytest.mark.parametrize(
    "greeting",
    ["* PREAUTH [CAPABILITY IMAP4rev1] hi", "* BYE [UNAVAILABLE] busy", "* NO", "+ OK",
     "* CAPABILITY AUTH=PLAIN", "G1 OK", "+OK POP3 ready", "220 mx ESMTP", "", "*"],
)  # fmt: skip
def test_greeting_is_ok_or_the_end(greeting: str, starttls: bool) -> None:
    play(
        client(starttls=starttls),
        f"S~ {greeting}\\r\\n\n{invalid(greeting)}",
    )


@pytest.mark.parametrize("line", ["+ what", "G2 OK", "ERR"])
def test_question_that_nobody_answers_is_the_end(line: str) -> None:
    play(client(), f"S: * OK x\nC: G1 CAPABILITY\nS: {line}\n{invalid(line)}")


@pytest.mark.parametrize("answer", ["NO", "BAD what", "OK done", "ERR unknown command"])
def test_backend_that_cannot_say_what_it_can_is_logged_in_to_as_by_nginx(
    answer: str,
) -> None:
    play(
        client(),
        f"""
        S: * OK x
        C: G1 CAPABILITY
        S: G1 {answer}
        C: G2 LOGIN {{3}}
        S: + go on
        C: joe {{6}}
        S: + go on
        C: secret
        S: G2 OK in
        ? LoggedIn(b"OK in\\r\\n")
        """,
    )


def test_backend_that_says_it_no_more_has_let_the_user_in_all_the_same() -> None:
    play(
        client(),
        """
        S: * OK [CAPABILITY IMAP4rev1] x
        C: G1 LOGIN "joe" "secret"
        S: G1 OK in
        C: G2 CAPABILITY
        S: G2 BAD not again
        ? LoggedIn(b"OK in\\r\\n")
        """,
    )


@pytest.mark.parametrize("line", ["+", "+ go on", "G0 OK in", "G1 PREAUTH", "in"])
def test_what_is_out_of_turn_ends_the_login(line: str) -> None:
    play(
        client(),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] x
        C: G1 LOGIN "joe" "secret"
        S: {line}
        {invalid(line)}
        """,
    )


def test_login_that_succeeds_before_it_is_said_is_a_lie() -> None:
    play(
        client(Password(b"joe", b"\xff")),
        f"""
        S: * OK [CAPABILITY IMAP4rev1] x
        C: G1 LOGIN {{3}}
        S: G1 {REPLY}
        {invalid(f"G1 {REPLY}")}
        """,
    )


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ("x" * MAX_REPLY, "upstream sent too long response line"),
        ("* OK x\\r\\n" * (MAX_REPLY_LINES + 1), "upstream sent too much"),
        ("* X " + "x" * 30_000 + "\\r\\n* X " + "x" * 40_000,
         "upstream sent too long response line"),
        ("* X {65537}\\r\\n", "upstream sent too much"),
        ("* X {99999999999999999999}\\r\\n", "upstream sent too much"),
        ("* X {40000}\\r\\n" + "x" * 40_000 + "{40000}\\r\\n",
         "upstream sent too much"),
        ("* X {65525}\\r\\n" + "x" * 65_525 + ")\\r\\n",
         "upstream sent too long response line"),
        ("* X " + "{0}\\r\\n" * MAX_REPLY_LINES + "{0}\\r\\n",
         "upstream sent too much"),
    ],
)  # fmt: skip
def test_endless_backend_is_given_up(said: str, detail: str) -> None:
    play(
        client(),
        f"S: * OK x\nC: G1 CAPABILITY\nS~ {said}\n{give_up(detail)}",
        cuts=(1 << 20, 997),
    )


@pytest.mark.parametrize(
    "start", ["* O", "* OK x\\r\\nG1 O", "* OK x\\r\\n* X {5}\\r\\nx"]
)
def test_backend_that_leaves_is_noticed(start: str) -> None:
    session = client()()
    session.receive_data(start.encode().decode("unicode_escape").encode())
    session.receive_data(b"")
    assert session.next_event() == Closed(Goodbye.PEER_GONE)


# Session against session.


class Wire:
    """Two sessions that hear each other, and what either asked of its driver."""

    def __init__(self, backend: ImapServer, gateway: ImapClient, cut: int) -> None:
        self.backend, self.gateway, self.cut = backend, gateway, cut
        self.credentials: Credentials | None = None
        self.messages = 0

    def log_in(self) -> LoggedIn:
        """Carry octets until the client has its login."""
        while True:
            self.carry(self.backend, self.gateway)
            event = self.carry(self.gateway, self.backend)
            if isinstance(event, LoggedIn):
                return event
            assert isinstance(event, NeedData | StartTls)

    def carry(self, here: Session, there: Session) -> Event:
        """Let one session speak, and the other hear it."""
        event = here.next_event()
        said = here.data_to_send()
        self.messages += bool(said)
        for piece in sections(said, self.cut):
            there.receive_data(piece)
        match event:
            case StartTls():
                here.answer(event, TlsInfo("TLSv1.3"))
            case Authenticate(credentials):
                self.credentials = credentials
                here.answer(event, Accepted(b"OK [CAPABILITY IMAP4rev1] in\r\n"))
        return event


CREDENTIALS = [
    JOE,
    Password(b"joe", b""),
    Password(b'j"o\\e', b'\\" %s {3+}'),
    Password("jörg".encode(), b"\xff {3}"),
    Password(b"x" * 4096, b"\xfe" * 4096),
]


@pytest.mark.parametrize("cut", [1 << 20, 1])
@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize("mechanisms", [(), ("PLAIN",)])
@pytest.mark.parametrize("starttls", [False, True])
def test_our_client_logs_in_to_our_server(
    starttls: bool, mechanisms: tuple[str, ...], credentials: Password, cut: int
) -> None:
    mode = StartTlsMode.ONLY if starttls else StartTlsMode.OFF
    backend = ImapServer(Policy("mx", mode, mechanisms, ("IMAP4rev1",)))
    wire = Wire(backend, client(credentials, starttls=starttls)(), cut)
    assert wire.log_in() == LoggedIn(b"OK [CAPABILITY IMAP4rev1] in\r\n")
    assert wire.credentials == credentials
    # Greeting, command, reply; with STARTTLS also its command and go-ahead, and then
    # the question that only TLS made worth asking, with its answer.
    assert wire.messages == (7 if starttls else 3)
