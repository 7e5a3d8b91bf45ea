"""Tokens towards backends: RFC 7628 section 4 and XOAUTH2, in three protocols."""

import pytest

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Bearer, Envelope
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.smtp.client import SmtpClient
from tests.transcript import play

JOE = Bearer(b"joe", b"t0ken", "XOAUTH2")
MESSAGE = sasl.encode(b"user=joe\x01auth=Bearer t0ken\x01\x01").decode()
RFC_JOE = Bearer(b"joe", b"t0ken", "OAUTHBEARER")
RFC_MESSAGE = sasl.encode(b"n,a=joe,\x01auth=Bearer t0ken\x01\x01").decode()
LONG = Bearer(b"joe", b"x" * 9000, "XOAUTH2")
LONG_MESSAGE = sasl.encode(b"user=joe\x01auth=Bearer %b\x01\x01" % LONG.token).decode()
FAILURE = b'{"status":"invalid_token"}'
TOLD = sasl.encode(FAILURE).decode()


def refused(line: str) -> str:
    """Say in a script that the backend refused the token, and what it said of it."""
    detail = f'upstream refused the login: "{line}"'
    reason = "Reason.AUTHENTICATIONFAILED"
    return f"? Refused(Rejected({reason}, challenge={FAILURE!r}), {detail!r})"


def given_up(detail: str) -> str:
    return f"? Refused(Rejected(Reason.UNAVAILABLE), {detail!r})"


POP3 = """
    S: +OK POP3 ready
    C: CAPA
    S: +OK
    S: SASL PLAIN XOAUTH2 OAUTHBEARER
    S: .
"""
IMAP = """
    S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER] hi
"""
SMTP = """
    S: 220 mx
    C: EHLO localhost
    S: 250-mx
    S: 250 AUTH PLAIN XOAUTH2 OAUTHBEARER
"""


@pytest.mark.parametrize(
    ("credentials", "said"),
    [(JOE, f"XOAUTH2 {MESSAGE}"), (RFC_JOE, f"OAUTHBEARER {RFC_MESSAGE}")],
)
def test_a_token_goes_by_the_mechanism_by_which_it_came(
    credentials: Bearer, said: str
) -> None:
    play(
        lambda: Pop3Client(credentials),
        rf"""
        {POP3}
        C: AUTH {said}
        S: +OK in
        ? LoggedIn(b"+OK in\r\n")
        """,
    )
    play(
        lambda: ImapClient(credentials),
        rf"""
        {IMAP}
        C: G1 AUTHENTICATE {said}
        S: G1 OK [CAPABILITY IMAP4rev1] in
        ? LoggedIn(b"OK [CAPABILITY IMAP4rev1] in\r\n")
        """,
    )
    play(
        lambda: SmtpClient(credentials),
        rf"""
        {SMTP}
        C: AUTH {said}
        S: 235 2.7.0 in
        ? LoggedIn(b"235 2.7.0 in\r\n")
        """,
    )


@pytest.mark.parametrize(
    ("credentials", "said", "heard"),
    [
        (JOE, f"XOAUTH2 {MESSAGE}", ""),
        (RFC_JOE, f"OAUTHBEARER {RFC_MESSAGE}", "AQ=="),
    ],
)
def test_what_a_backend_says_of_a_token_is_heard_and_then_refused(
    credentials: Bearer, said: str, heard: str
) -> None:
    """RFC 7628 section 3.2.3, whose ^A XOAUTH2 does without."""
    play(
        lambda: Pop3Client(credentials),
        f"""
        {POP3}
        C: AUTH {said}
        S: + {TOLD}
        C~ {heard}\\r\\n
        S: -ERR [AUTH] no
        C: QUIT
        {refused("-ERR [AUTH] no")}
        """,
    )
    play(
        lambda: ImapClient(credentials),
        f"""
        {IMAP}
        C: G1 AUTHENTICATE {said}
        S: + {TOLD}
        C~ {heard}\\r\\n
        S: G1 NO [AUTHENTICATIONFAILED] no
        C: G2 LOGOUT
        {refused("G1 NO [AUTHENTICATIONFAILED] no")}
        """,
    )
    play(
        lambda: SmtpClient(credentials),
        f"""
        {SMTP}
        C: AUTH {said}
        S: 334 {TOLD}
        C~ {heard}\\r\\n
        S: 535 5.7.8 no
        C: QUIT
        {refused("535 5.7.8 no")}
        """,
    )


def test_a_long_token_waits_to_be_asked_for() -> None:
    """RFC 4959 section 3, RFC 5034 section 4, RFC 4954 section 4."""
    play(
        lambda: Pop3Client(LONG),
        f"""
        {POP3}
        C: AUTH XOAUTH2
        S~ + \\r\\n
        C: {LONG_MESSAGE}
        S: + {TOLD}
        C~ \\r\\n
        S: -ERR [AUTH] no
        C: QUIT
        {refused("-ERR [AUTH] no")}
        """,
        cuts=(1 << 20, 7),
    )
    play(
        lambda: ImapClient(LONG),
        f"""
        {IMAP}
        C: G1 AUTHENTICATE XOAUTH2
        S~ + \\r\\n
        C: {LONG_MESSAGE}
        S: G1 OK [CAPABILITY IMAP4rev1] in
        ? LoggedIn(b"OK [CAPABILITY IMAP4rev1] in\\r\\n")
        """,
        cuts=(1 << 20, 7),
    )


@pytest.mark.parametrize(
    ("kind", "script"),
    [
        (Pop3Client, POP3.replace("XOAUTH2", "") + "C: QUIT"),
        (ImapClient, IMAP.replace("AUTH=XOAUTH2", "")),
        (SmtpClient, SMTP.replace("XOAUTH2", "") + "C: QUIT"),
    ],
)
def test_a_backend_without_its_mechanism_never_sees_a_token(
    kind: type[ClientSession], script: str
) -> None:
    end = given_up("upstream offers no login that we know")
    play(lambda: kind(JOE), f"{script}\n{end}")


@pytest.mark.parametrize("kind", [Pop3Client, ImapClient])
def test_an_envelope_is_for_smtp_only(kind: type[ClientSession]) -> None:
    envelope = Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>")
    script = f"{POP3}C: QUIT" if kind is Pop3Client else IMAP
    end = given_up("upstream offers no login that we know")
    play(lambda: kind(envelope), f"{script}\n{end}")


LIES = [
    (Pop3Client, POP3, "AUTH", "+ ", "+OK in"),
    (ImapClient, IMAP, "G1 AUTHENTICATE", "+ ", "G1 OK [CAPABILITY X] in"),
    (SmtpClient, SMTP, "AUTH", "334 ", "235 2.7.0 in"),
]


@pytest.mark.parametrize(("kind", "start", "verb", "go_on", "yes"), LIES)
def test_a_yes_behind_a_failure_is_not_believed(
    kind: type[ClientSession], start: str, verb: str, go_on: str, yes: str
) -> None:
    session: list[ClientSession] = []

    def make() -> ClientSession:
        session[:] = [kind(JOE)]
        return session[0]

    detail = f'upstream sent invalid response: "{yes}"'
    told = f"challenge={FAILURE!r}"
    play(
        make,
        f"""
        {start}
        C: {verb} XOAUTH2 {MESSAGE}
        S: {go_on}{TOLD}
        C~ \\r\\n
        S: {yes}
        ? Refused(Rejected(Reason.UNAVAILABLE, {told}), {detail!r})
        """,
    )
    assert session[0].failure == FAILURE


@pytest.mark.parametrize("challenge", ["", "=", "no base64"])
@pytest.mark.parametrize(("kind", "start", "verb", "go_on", "_yes"), LIES)
def test_a_challenge_that_says_nothing_of_the_token_is_invalid(
    kind: type[ClientSession],
    start: str,
    verb: str,
    go_on: str,
    _yes: str,
    challenge: str,
) -> None:
    play(
        lambda: kind(JOE),
        f"""
        {start}
        C: {verb} XOAUTH2 {MESSAGE}
        S~ {go_on}{challenge}\\r\\n
        {given_up(f'upstream sent invalid response: "{go_on}{challenge}"')}
        """,
    )


@pytest.mark.parametrize(("kind", "start", "verb", "_go_on", "_yes"), LIES)
@pytest.mark.parametrize("secret", [JOE.token.decode(), MESSAGE])
def test_a_token_that_is_echoed_is_withheld_from_the_operator(
    kind: type[ClientSession],
    start: str,
    verb: str,
    _go_on: str,
    _yes: str,
    secret: str,
) -> None:
    no = {Pop3Client: "-ERR", ImapClient: "G1 BAD", SmtpClient: "500"}[kind]
    end = "G2 LOGOUT" if kind is ImapClient else "QUIT"
    reason = "UNAVAILABLE" if kind is ImapClient else "AUTHENTICATIONFAILED"
    withheld = "(withheld: it quotes the credentials)"
    detail = f'upstream refused the login: "{withheld}"'
    play(
        lambda: kind(JOE),
        f"""
        {start}
        C: {verb} XOAUTH2 {MESSAGE}
        S: {no} what is {secret}?
        C: {end}
        ? Refused(Rejected(Reason.{reason}), {detail!r})
        """,
    )
