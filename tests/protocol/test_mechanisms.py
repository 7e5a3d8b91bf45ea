"""The mechanisms of ``*_auth``, each in the protocols that know it."""

from collections.abc import Callable
from itertools import count

import pytest

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import Reason, Rejected
from mailssl_trio.protocol.events import NEED_DATA, Authenticate, Closed, Goodbye
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, ServerSession, StartTlsMode
from mailssl_trio.protocol.smtp.server import SmtpServer
from tests.transcript import play

ALL = ("PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER")
DIGEST = "0123456789abcdef" * 2


def challenges() -> Callable[[], bytes]:
    """Return a maker of challenges that come once each: ``<1@mx>``, ``<2@mx>``."""
    numbers = count(1)
    return lambda: b"<%d@mx>" % next(numbers)


def server(
    kind: type[ServerSession],
    mechanisms: tuple[str, ...] = ALL,
    starttls: StartTlsMode = StartTlsMode.OFF,
    *,
    apop: bool = False,
    max_errors: int = 50,
) -> Callable[[], ServerSession]:
    policy = Policy("mx", starttls, mechanisms, (), max_errors, apop=apop)
    return lambda: kind(policy, challenge=challenges())


def said(message: bytes) -> str:
    """Return a message as it travels."""
    return sasl.encode(message).decode()


def greeting(kind: type[ServerSession], mechanisms: tuple[str, ...] = ALL) -> str:
    """Return what a script begins with."""
    if kind is Pop3Server:
        return "S: +OK POP3 ready" + (" <1@mx>" if "CRAM-MD5" in mechanisms else "")
    if kind is SmtpServer:
        return "S: 220 mx ESMTP ready"
    words = "".join(f"AUTH={name} " for name in mechanisms) + "SASL-IR LITERAL+ ID"
    return f"S: * OK [CAPABILITY {words}] IMAP4 ready"


TONGUES = [
    (Pop3Server, "AUTH", "+", "-ERR"),
    (ImapServer, "a AUTHENTICATE", "+", "a BAD"),
    (SmtpServer, "AUTH", "334", "501 5.5.2"),
]
EVERYWHERE = pytest.mark.parametrize(("kind", "auth", "go_on", "bad"), TONGUES)


def unknown(kind: type[ServerSession]) -> str:
    """Return how a protocol refuses what is not enabled."""
    start = {Pop3Server: "-ERR", ImapServer: "a NO", SmtpServer: "504 5.5.4"}[kind]
    return f"S: {start} unsupported authentication mechanism"


def failed(kind: type[ServerSession]) -> str:
    """Return the usual words for wrong credentials."""
    start = {
        Pop3Server: "-ERR [AUTH]",
        ImapServer: "a NO [AUTHENTICATIONFAILED]",
        SmtpServer: "535 5.7.8",
    }[kind]
    return f"S: {start} authentication failed"


@EVERYWHERE
def test_every_attempt_by_cram_md5_is_challenged_anew(
    kind: type[ServerSession], auth: str, go_on: str, bad: str
) -> None:
    """RFC 2195; a second answer to the same challenge would be a replay."""
    first = 2 if kind is Pop3Server else 1  # its greeting has had one
    script = greeting(kind)
    for number in (first, first + 1):
        script += f"""
        C: {auth} CRAM-MD5
        S: {go_on} {said(b"<%d@mx>" % number)}
        C: {said(b"tim " + DIGEST.encode())}
        ? Authenticate(Digest(b"tim", b"<{number}@mx>", b"{DIGEST}"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        {failed(kind)}
        """
    play(server(kind), script)


@EVERYWHERE
@pytest.mark.parametrize("initial", [said(b"tim " + DIGEST.encode()), "="])
def test_cram_md5_takes_no_answer_before_its_challenge(
    kind: type[ServerSession], auth: str, go_on: str, bad: str, initial: str
) -> None:
    """RFC 4422 section 5: it is the server that begins."""
    play(
        server(kind),
        f"""
        {greeting(kind)}
        C: {auth} CRAM-MD5 {initial}
        S: {bad} malformed authentication response
        """,
    )


@EVERYWHERE
def test_external_names_a_user_at_once_or_when_asked(
    kind: type[ServerSession], auth: str, go_on: str, bad: str
) -> None:
    """RFC 4422 appendix A; an empty name leaves it to whoever vouches."""
    play(
        server(kind),
        f"""
        {greeting(kind)}
        C: {auth} EXTERNAL
        S: {go_on} VXNlcm5hbWU6
        C: {said(b"joe")}
        ? Authenticate(External(b"joe"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        {failed(kind)}
        C: {auth} external {said(b"joe")}
        ? Authenticate(External(b"joe"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        {failed(kind)}
        C: {auth} EXTERNAL =
        ? Authenticate(External(b""))
        """,
    )


TOKENS = pytest.mark.parametrize(
    ("mechanism", "message"),
    [
        ("XOAUTH2", said(b"user=joe\x01auth=Bearer t0ken\x01\x01")),
        ("OAUTHBEARER", said(b"n,a=joe,\x01auth=Bearer t0ken\x01\x01")),
    ],
)


@TOKENS
@EVERYWHERE
def test_a_token_is_told_why_it_fails_before_it_does(
    kind: type[ServerSession],
    auth: str,
    go_on: str,
    bad: str,
    mechanism: str,
    message: str,
) -> None:
    """RFC 7628 section 3.2.3; the client's answer to that changes nothing."""
    asked = f'? Authenticate(Bearer(b"joe", b"t0ken", "{mechanism}"))'
    script = greeting(kind)
    for answer in ("AQ==", "", "="):
        script += f"""
        C: {auth} {mechanism} {message}
        {asked}
        ! Rejected(Reason.AUTHENTICATIONFAILED, challenge=b'{{"status":"400"}}')
        S: {go_on} eyJzdGF0dXMiOiI0MDAifQ==
        C~ {answer}\\r\\n
        {failed(kind)}
        """
    script += f"""
        C: {auth} {mechanism} {message}
        {asked}
        ! Rejected(Reason.AUTHENTICATIONFAILED, challenge=b'{{"status":"400"}}')
        S: {go_on} eyJzdGF0dXMiOiI0MDAifQ==
        C: foo
        S: {bad} malformed authentication response
        """
    play(server(kind), script)


@TOKENS
@EVERYWHERE
def test_a_token_of_which_nothing_is_said_fails_at_once(
    kind: type[ServerSession],
    auth: str,
    go_on: str,
    bad: str,
    mechanism: str,
    message: str,
) -> None:
    play(
        server(kind),
        f"""
        {greeting(kind)}
        C: {auth} {mechanism}
        S~ {go_on} \\r\\n
        C: {message}
        ? Authenticate(Bearer(b"joe", b"t0ken", "{mechanism}"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        {failed(kind)}
        """,
    )


@EVERYWHERE
def test_only_tokens_are_told_why_they_fail(
    kind: type[ServerSession], auth: str, go_on: str, bad: str
) -> None:
    play(
        server(kind),
        f"""
        {greeting(kind)}
        C: {auth} EXTERNAL {said(b"joe")}
        ? Authenticate(External(b"joe"))
        ! Rejected(Reason.AUTHENTICATIONFAILED, challenge=b"x")
        {failed(kind)}
        """,
    )


@EVERYWHERE
def test_a_token_that_is_told_why_it_fails_is_midway_until_it_has_heard(
    kind: type[ServerSession], auth: str, go_on: str, bad: str
) -> None:
    session = server(kind)()
    message = said(b"user=joe\x01auth=Bearer t0ken\x01\x01")
    session.receive_data(f"{auth} XOAUTH2 {message}\r\n".encode())
    asked = session.next_event()
    assert isinstance(asked, Authenticate)
    session.answer(asked, Rejected(Reason.AUTHENTICATIONFAILED, challenge=b"{}"))
    assert session.next_event() == NEED_DATA
    assert session.is_midway
    session.receive_data(b"")
    assert session.next_event() == Closed(Goodbye.PEER_GONE)


@EVERYWHERE
@pytest.mark.parametrize(
    "mechanism", ["CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER", "APOP"]
)
def test_what_is_not_enabled_is_refused_in_every_form(
    kind: type[ServerSession], auth: str, go_on: str, bad: str, mechanism: str
) -> None:
    none: tuple[str, ...] = ("PLAIN",)
    play(
        server(kind, none),
        f"""
        {greeting(kind, none)}
        C: {auth} {mechanism}
        {unknown(kind)}
        C: {auth} {mechanism} {said(b"joe")}
        {unknown(kind)}
        C: {auth} {mechanism} =
        {unknown(kind)}
        """,
    )


@EVERYWHERE
def test_plain_and_login_are_taken_even_if_they_are_not_announced(
    kind: type[ServerSession], auth: str, go_on: str, bad: str
) -> None:
    play(
        server(kind, ("CRAM-MD5",)),
        f"""
        {greeting(kind, ("CRAM-MD5",))}
        C: {auth} PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        {failed(kind)}
        C: {auth} LOGIN am9l
        S: {go_on} UGFzc3dvcmQ6
        C: eA==
        ? Authenticate(Password(b"joe", b"x"))
        """,
    )


def test_pop3_lists_what_is_enabled_in_the_usual_order() -> None:
    play(
        server(Pop3Server, starttls=StartTlsMode.ON),
        """
        S: +OK POP3 ready <1@mx>
        C: AUTH
        S: +OK methods supported:
        S: PLAIN
        S: LOGIN
        S: CRAM-MD5
        S: EXTERNAL
        S: XOAUTH2
        S: OAUTHBEARER
        S: .
        C: CAPA
        S: +OK Capability list follows
        S: SASL PLAIN LOGIN CRAM-MD5 EXTERNAL XOAUTH2 OAUTHBEARER
        S: STLS
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: .
        """,
    )


def test_pop3_without_mechanisms_says_so() -> None:
    play(
        server(Pop3Server, (), apop=True),
        """
        S: +OK POP3 ready <1@mx>
        C: AUTH
        S: +OK methods supported:
        S: .
        C: CAPA
        S: +OK Capability list follows
        S: SASL
        S: RESP-CODES
        S: AUTH-RESP-CODE
        S: .
        """,
    )


def test_apop_answers_the_greeting() -> None:
    """RFC 1939 section 7; the timestamp is the connection's, behind STLS too."""
    play(
        server(Pop3Server, ("PLAIN",), StartTlsMode.ON, apop=True),
        f"""
        S: +OK POP3 ready <1@mx>
        C: APOP mrose {DIGEST}
        ? Authenticate(Apop(b"mrose", b"<1@mx>", b"{DIGEST}"))
        ! Rejected(Reason.AUTHENTICATIONFAILED)
        S: -ERR [AUTH] authentication failed
        C: STLS
        S: +OK begin TLS negotiation
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: apop m rose {DIGEST}
        ? Authenticate(Apop(b"m rose", b"<1@mx>", b"{DIGEST}"))
        ! Accepted(b"+OK in\\r\\n")
        S: +OK in
        ? LoggedIn(b"+OK in\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


@pytest.mark.parametrize(
    "line", ["APOP", "APOP mrose", f"APOP {DIGEST}", f"APOP  {DIGEST}",
             f"APOP mrose {DIGEST}0", f"APOP mrose x{DIGEST[1:]}",
             f"APOP m\\rrose {DIGEST}", f"APOP mrose {DIGEST} "]
)  # fmt: skip
def test_apop_takes_a_name_and_32_digits(line: str) -> None:
    play(
        server(Pop3Server, ("PLAIN",), apop=True),
        f"""
        S: +OK POP3 ready <1@mx>
        C~ {line}\\r\\n
        S: -ERR invalid command
        """,
    )


def test_apop_is_no_command_where_it_is_not_enabled() -> None:
    """Not even where the greeting has a timestamp, for CRAM-MD5."""
    play(
        server(Pop3Server),
        f"""
        S: +OK POP3 ready <1@mx>
        C: APOP mrose {DIGEST}
        S: -ERR invalid command
        """,
    )


def test_apop_waits_for_tls_under_only() -> None:
    play(
        server(Pop3Server, (), StartTlsMode.ONLY, apop=True),
        f"""
        S: +OK POP3 ready <1@mx>
        C: APOP mrose {DIGEST}
        S: -ERR a TLS connection is required, say STLS
        """,
    )


def test_pop3_passes_on_a_judges_own_words() -> None:
    play(
        server(Pop3Server, ("PLAIN",)),
        """
        S: +OK POP3 ready
        C: AUTH PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.AUTHENTICATIONFAILED, "not before noon")
        S: -ERR not before noon
        C: AUTH PLAIN AGpvZQB4
        ? Authenticate(Password(b"joe", b"x"))
        ! Rejected(Reason.AUTHENTICATIONFAILED, "[IN-USE] come later")
        S: -ERR [IN-USE] come later
        """,
    )
