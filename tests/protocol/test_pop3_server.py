"""POP3 facing the mail client: RFC 1939, 2449, 2595, 3206 and 5034 as transcripts."""

import pytest

from mailssl_trio.protocol.events import Closed, Goodbye
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, StartTlsMode
from tests.transcript import play

MECHANISMS = ("PLAIN", "LOGIN")


def server(
    starttls: StartTlsMode = StartTlsMode.OFF,
    *,
    implicit_tls: bool = False,
    max_errors: int = 5,
    capabilities: tuple[str, ...] = ("TOP", "USER", "UIDL"),
) -> Pop3Server:
    policy = Policy("mx", starttls, MECHANISMS, capabilities, max_errors)
    return Pop3Server(policy, implicit_tls=implicit_tls)


def off() -> Pop3Server:
    return server()


def on() -> Pop3Server:
    return server(StartTlsMode.ON)


def only() -> Pop3Server:
    return server(StartTlsMode.ONLY)


def test_user_and_pass_reach_the_judge_and_the_backend_answers() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C: USER mrose
        S: +OK send PASS
        C: PASS tan staaf
        ? Authenticate(Password(b"mrose", b"tan staaf"))
        ! Accepted(b"+OK mrose's maildrop has 2 messages (320 octets)\\r\\n")
        S: +OK mrose's maildrop has 2 messages (320 octets)
        ? LoggedIn(b"+OK mrose's maildrop has 2 messages (320 octets)\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_refused_user_may_try_again_but_is_forgotten() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C: USER mrose
        S: +OK send PASS
        C: PASS wrong
        ? Authenticate(Password(b"mrose", b"wrong"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: -ERR [AUTH] authentication failed
        C: PASS secret
        S: -ERR invalid command
        C: QUIT
        S: +OK bye
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_capabilities_are_true_for_their_moment() -> None:
    play(
        only,
        """
        S: +OK POP3 ready
        C: CAPA
        S: +OK Capability list follows
        S: TOP
        S: UIDL
        S: STLS
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: .
        C: STLS
        S: +OK begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: CAPA
        S: +OK Capability list follows
        S: TOP
        S: USER
        S: UIDL
        S: SASL PLAIN LOGIN
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: .
        """,
    )


def test_user_is_no_capability_where_it_is_refused() -> None:
    play(
        lambda: server(StartTlsMode.ONLY, capabilities=("user", "UIDL")),
        """
        S: +OK POP3 ready
        C: CAPA
        S: +OK Capability list follows
        S: UIDL
        S: STLS
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: .
        """,
    )


def test_stls_forgets_the_user() -> None:
    play(
        on,
        """
        S: +OK POP3 ready
        C: USER joe
        S: +OK send PASS
        C: STLS
        S: +OK begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: PASS secret
        S: -ERR invalid command
        """,
    )


@pytest.mark.parametrize(
    "command",
    ["USER joe", "PASS x", "APOP joe c4c9334bac560ecc979e58001b3e22fb", "AUTH",
     "AUTH PLAIN", "AUTH PLAIN AGpvZQB4", "STAT", "XYZ"],
)  # fmt: skip
def test_only_refuses_everything_that_logs_in_or_reads_mail(command: str) -> None:
    play(
        only,
        f"""
        S: +OK POP3 ready
        C: {command}
        S: -ERR a TLS connection is required, say STLS
        C: NOOP
        S: +OK
        """,
    )


def test_implicit_tls_says_nothing_in_the_clear() -> None:
    play(
        lambda: server(StartTlsMode.ON, implicit_tls=True),
        """
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        S: +OK POP3 ready
        C: STLS
        S: -ERR invalid command
        """,
    )


CERTIFICATE_REFUSALS = pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("BAD_CERTIFICATE", "-ERR SSL certificate error"),
        ("CERTIFICATE_REQUIRED", "-ERR No required SSL certificate"),
    ],
)


@CERTIFICATE_REFUSALS
def test_refused_certificate_is_told_in_place_of_the_greeting(
    reason: str, words: str
) -> None:
    play(
        lambda: server(implicit_tls=True),
        f"""
        ? StartTls()
        ! TlsInfo("TLSv1.3", refused=Goodbye.{reason})
        S: {words}
        ? Closed(Goodbye.{reason})
        """,
    )


@CERTIFICATE_REFUSALS
def test_refused_certificate_ends_it_right_behind_stls(reason: str, words: str) -> None:
    play(
        on,
        f"""
        S: +OK POP3 ready
        C: STLS
        S: +OK begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3", refused=Goodbye.{reason})
        S: {words}
        ? Closed(Goodbye.{reason})
        """,
    )


def test_plaintext_behind_stls_ends_it_without_the_go_ahead() -> None:
    play(
        on,
        """
        S: +OK POP3 ready
        C: STLS
        C: CAPA
        S: -ERR nothing may follow STLS in the clear
        ? Closed(Goodbye.PIPELINED_STARTTLS)
        """,
        cuts=(1 << 20,),
    )


def test_auth_plain_with_and_without_an_initial_response() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C: AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=
        ? Authenticate(Password(b"test", b"test", b"test"))
        ! Rejected(Reason.UNAVAILABLE)
        S: -ERR [SYS/TEMP] temporary authentication failure
        C: auth plain
        S~ + \\r\\n
        C: dGVzdAB0ZXN0AHRlc3Q=
        ? Authenticate(Password(b"test", b"test", b"test"))
        ! Accepted(b"+OK Maildrop locked and ready\\r\\n")
        S: +OK Maildrop locked and ready
        """,
    )


@pytest.mark.parametrize("command", ["AUTH PLAIN ", "AUTH  PLAIN", "AUTH PLAIN"])
def test_spaces_too_many_are_forgiven_around_mechanisms(command: str) -> None:
    play(
        off,
        f"""
        S: +OK POP3 ready
        C~ {command}\\r\\n
        S~ + \\r\\n
        C~ AGpvZQBzZWNyZXQ= \\r\\n
        ? Authenticate(Password(b"joe", b"secret"))
        """,
    )


def test_auth_login() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C: AUTH LOGIN
        S: + VXNlcm5hbWU6
        C: dGlt
        S: + UGFzc3dvcmQ6
        C: dGFuc3RhYWY=
        ? Authenticate(Password(b"tim", b"tanstaaf"))
        ! Accepted(b"+OK\\r\\n")
        S: +OK
        ? LoggedIn(b"+OK\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_sasl_refusals() -> None:
    play(
        lambda: server(max_errors=50),
        """
        S: +OK POP3 ready
        C: AUTH
        S: +OK methods supported:
        S: PLAIN
        S: LOGIN
        S: .
        C: AUTH XYZ
        S: -ERR unsupported authentication mechanism
        C: AUTH PLAIN x
        S: -ERR malformed authentication response
        C: AUTH PLAIN AGpvZQBhDQpi
        S: -ERR malformed authentication response
        C: AUTH PLAIN =
        S: -ERR malformed authentication response
        C: AUTH PLAIN AGpvZQ== x
        S: -ERR invalid command
        C: AUTH LOGIN =
        S: + UGFzc3dvcmQ6
        C: eA==
        S: -ERR malformed authentication response
        C: AUTH LOGIN
        S: + VXNlcm5hbWU6
        C: *
        S: -ERR authentication cancelled
        """,
    )


def test_the_last_allowed_error_is_answered_and_ends_it() -> None:
    play(
        lambda: server(max_errors=2),
        """
        S: +OK POP3 ready
        C: STLS
        S: -ERR invalid command
        C: XYZZY
        S: -ERR invalid command
        ? Closed(Goodbye.TOO_MANY_ERRORS)
        """,
    )


@pytest.mark.parametrize(
    "line",
    ["USER", "USER a\\0b", "USER a\\rb", "STLS x", "", " NOOP", "NOOP" + "x" * 255],
)
def test_bad_syntax_is_refused_and_the_dialogue_goes_on(line: str) -> None:
    play(
        off,
        f"""
        S: +OK POP3 ready
        C~ {line}\\r\\n
        S: -ERR invalid command
        C: NOOP
        S: +OK
        """,
    )


@pytest.mark.parametrize("line", ["PASS", "PASS "])
def test_no_password_is_no_empty_one(line: str) -> None:
    play(
        off,
        f"""
        S: +OK POP3 ready
        C: USER joe
        S: +OK send PASS
        C~ {line}\\r\\n
        S: -ERR invalid command
        C: PASS secret
        ? Authenticate(Password(b"joe", b"secret"))
        """,
    )


def test_long_credentials_are_no_long_commands() -> None:
    play(
        off,
        f"""
        S: +OK POP3 ready
        C: USER {"u" * 300}
        S: +OK send PASS
        C: PASS {"p" * 300}
        ? Authenticate(Password(b"u" * 300, b"p" * 300))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: -ERR [AUTH] authentication failed
        C: AUTH PLAIN AGpvZQB4{"eHh4" * 100}
        ? Authenticate(Password(b"joe", b"x" + b"xxx" * 100))
        """,
    )


def test_bare_line_feeds_end_lines_too() -> None:
    play(off, "S: +OK POP3 ready\nC~ NOOP\\nQUIT\\n\nS: +OK\nS: +OK bye")


def test_endless_line_is_cut_off() -> None:
    play(
        off,
        f"""
        S: +OK POP3 ready
        C~ {"x" * 12_288}
        S: -ERR line too long
        ? Closed(Goodbye.LINE_TOO_LONG)
        """,
    )


def test_http_request_ends_it_at_once() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C: POST / HTTP/1.1
        S: -ERR this is a POP3 server
        ? Closed(Goodbye.HTTP_REQUEST)
        """,
    )


def test_client_that_leaves_gets_no_last_word() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C~ NOO
        C! EOF
        ? Closed(Goodbye.PEER_GONE)
        ? Closed(Goodbye.PEER_GONE)
        """,
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Goodbye.BUSY, b"-ERR [SYS/TEMP] too many connections\r\n"),
        (
            Goodbye.ADDRESS_LIMIT,
            b"-ERR [SYS/TEMP] too many connections from your address\r\n",
        ),
        (Goodbye.CROWDED_OUT, b"-ERR [SYS/TEMP] too many connections\r\n"),
        (Goodbye.BANNED, b"-ERR [SYS/TEMP] your address is banned for a time\r\n"),
        (Goodbye.DENIED, b"-ERR [SYS/PERM] access denied\r\n"),
        (Goodbye.KICKED, b"-ERR [SYS/TEMP] ended by an administrator\r\n"),
        (Goodbye.TIMED_OUT, b""),
        (Goodbye.SHUTTING_DOWN, b""),
    ],
)
def test_farewell_in_place_of_the_greeting(reason: Goodbye, words: bytes) -> None:
    session = off()
    session.hang_up(reason)
    assert session.next_event() == Closed(reason)
    assert session.data_to_send() == words


def test_credentials_behind_other_commands_stay_whole() -> None:
    play(
        off,
        """
        S: +OK POP3 ready
        C: USER a b
        C: PASS \\ "quoted" %s  two spaces
        C: STAT
        S: +OK send PASS
        ? Authenticate(Password(b"a b", b'\\\\ "quoted" %s  two spaces'))
        """,
    )
