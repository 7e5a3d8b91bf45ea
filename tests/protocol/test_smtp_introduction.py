"""What SMTP backends hear of the client: nginx's matrix, and where ours is another."""

import pytest

from mailssl_trio.protocol.credentials import (
    BackendCredentials,
    Bearer,
    Envelope,
    Password,
)
from mailssl_trio.protocol.events import LoggedIn
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy, XClient
from mailssl_trio.protocol.smtp.client import SmtpClient
from mailssl_trio.protocol.smtp.xclient import xclient, xtext
from tests.transcript import play

JOE = Password(b"joe@example.org", b"secret")
PLAIN = "AGpvZUBleGFtcGxlLm9yZwBzZWNyZXQ="
MAIL = Envelope(b"MAIL FROM:<a@b> SIZE=3", b"RCPT TO:<c@d>")
RCPT_REPLY = b"550-5.1.1 nobody\r\n550 5.1.1 of that name\r\n"

HELLO = {
    "": Introduction("192.0.2.9"),
    "HELO": Introduction("192.0.2.9", helo=b"c"),
    "EHLO": Introduction("192.0.2.9", helo=b"c", esmtp=True),
}


def heard(
    credentials: BackendCredentials,
    client: Introduction,
    policy: ProxyPolicy,
    *,
    offered: str = "XCLIENT NAME ADDR LOGIN\nAUTH PLAIN LOGIN",
) -> tuple[list[str], LoggedIn]:
    """Play a backend that is content with everything; return all that it hears."""
    session = SmtpClient(
        credentials, client_name="S", client=client, policy=policy, starttls=False
    )
    lines: list[str] = []
    session.receive_data(b"220 backend\r\n")
    while not isinstance(event := session.next_event(), LoggedIn):
        said = session.data_to_send().decode()
        assert said.endswith("\r\n"), event
        assert said.count("\r\n") == 1
        lines.append(said.removesuffix("\r\n"))
        session.receive_data(reply(lines[-1], offered))
    return lines, event


def reply(line: str, offered: str) -> bytes:
    match line.partition(" ")[0]:
        case "EHLO":
            extensions = ["backend", *offered.splitlines()]
            told = [f"250-{word}\r\n" for word in extensions[:-1]]
            return "".join((*told, f"250 {extensions[-1]}\r\n")).encode()
        case "XCLIENT":
            return b"220 backend\r\n"
        case "AUTH":
            return b"235 2.7.0 in\r\n"
        case "RCPT":
            return RCPT_REPLY
        case _:
            return b"250 done\r\n"


def policy(*, told: bool, auth: bool) -> ProxyPolicy:
    return ProxyPolicy(XClient.ON if told else XClient.OFF, smtp_auth=auth)


TOLD = "XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]"
TOLD_OF_JOE = "XCLIENT ADDR=192.0.2.9 LOGIN=joe@example.org NAME=[UNAVAILABLE]"
AUTH = f"AUTH PLAIN {PLAIN}"


@pytest.mark.parametrize(
    ("told", "auth", "said", "expected"),
    [
        (True, False, "", ["EHLO S", TOLD_OF_JOE]),
        (True, False, "HELO", ["EHLO S", TOLD_OF_JOE, "HELO c"]),
        (True, False, "EHLO", ["EHLO S", TOLD_OF_JOE, "EHLO c"]),
        (False, False, "", ["HELO S"]),
        (False, False, "HELO", ["HELO S"]),
        (False, False, "EHLO", ["EHLO S"]),
        (True, True, "", ["EHLO S", TOLD, "EHLO S", AUTH]),
        (True, True, "HELO", ["EHLO S", TOLD, "HELO c", AUTH]),
        (True, True, "EHLO", ["EHLO S", TOLD, "EHLO c", AUTH]),
        (False, True, "", ["EHLO S", AUTH]),
        (False, True, "HELO", ["EHLO S", AUTH]),
        (False, True, "EHLO", ["EHLO S", AUTH]),
    ],
)
def test_user_is_logged_in_or_told_of(
    told: bool, auth: bool, said: str, expected: list[str]
) -> None:
    lines, outcome = heard(JOE, HELLO[said], policy(told=told, auth=auth))
    assert lines == expected
    assert outcome.reply == (b"235 2.7.0 in\r\n" if auth else b"")


def test_what_was_offered_holds_behind_helo_which_offers_nothing() -> None:
    """Exchange, say, has AUTH LOGIN alone."""
    session = SmtpClient(
        JOE, client_name="S", client=HELLO["HELO"], policy=policy(told=True, auth=True)
    )
    play(
        lambda: session,
        f"""
        S: 220 backend
        C: EHLO S
        S: 250-backend
        S: 250 AUTH LOGIN
        C: {TOLD}
        S: 220 backend
        C: HELO c
        S: 250 backend
        C: AUTH LOGIN
        """,
        cuts=(1 << 20,),
    )


SUBMITTED = ["MAIL FROM:<a@b> SIZE=3", "RCPT TO:<c@d>"]


@pytest.mark.parametrize("auth", [False, True])
@pytest.mark.parametrize(
    ("told", "said", "expected"),
    [
        (True, "", ["EHLO S", TOLD, *SUBMITTED]),
        (True, "HELO", ["EHLO S", TOLD, "HELO c", *SUBMITTED]),
        (True, "EHLO", ["EHLO S", TOLD, "EHLO c", *SUBMITTED]),
        (False, "", ["HELO S", *SUBMITTED]),
        (False, "HELO", ["HELO S", *SUBMITTED]),
        (False, "EHLO", ["EHLO S", *SUBMITTED]),
    ],
)
def test_mail_without_a_login_gets_the_backends_reply_to_its_recipient(
    told: bool, auth: bool, said: str, expected: list[str]
) -> None:
    lines, outcome = heard(MAIL, HELLO[said], policy(told=told, auth=auth))
    assert lines == expected
    assert outcome.reply == RCPT_REPLY


@pytest.mark.parametrize(
    ("code", "is_heard"),
    [
        *[(code, True) for code in ("250", "251", "252", "421", "450", "550", "554")],
        *[(code, False) for code in ("220", "221", "235", "334", "354")],
    ],
)
def test_client_hears_no_reply_that_a_recipient_never_gets(
    code: str, is_heard: bool
) -> None:
    heard_of = (
        f'? LoggedIn(b"{code} what\\r\\n")'
        if is_heard
        else f"""
        ? Refused(Rejected(Reason.UNAVAILABLE), \
'upstream sent invalid response: "{code} what"')
        """.replace("\\\n", "")
    )
    play(
        lambda: SmtpClient(
            MAIL, client_name="S", policy=policy(told=False, auth=False)
        ),
        f"""
        S: 220 backend
        C: HELO S
        S: 250 backend
        C: {SUBMITTED[0]}
        S: 250 done
        C: {SUBMITTED[1]}
        S: {code} what
        {heard_of}
        ? Closed(Goodbye.{"QUIT" if is_heard else "REFUSED"})
        """,
    )


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        ("XCLIENT NAME ADDR\nAUTH PLAIN", ["EHLO S", TOLD, "EHLO S", AUTH]),
        ("AUTH PLAIN", ["EHLO S", AUTH]),
        ("", ["EHLO S", AUTH]),
    ],
)
def test_backend_that_offers_no_xclient_is_spared_it_where_nobody_has_set_it(
    offered: str, expected: list[str]
) -> None:
    by_itself = ProxyPolicy(XClient.IF_OFFERED)
    assert heard(JOE, HELLO[""], by_itself, offered=offered)[0] == expected


def test_backend_that_must_take_xclient_is_asked_whatever_it_offers() -> None:
    """It would hold its client for us, and may trust us."""
    must = policy(told=True, auth=False)
    assert heard(JOE, HELLO[""], must, offered="PIPELINING")[0] == [
        "EHLO S",
        TOLD_OF_JOE,
    ]
    play(
        lambda: SmtpClient(JOE, client_name="S", client=HELLO[""], policy=must),
        """
        S: 220 backend
        C: EHLO S
        S: 250 backend
        C: XCLIENT ADDR=192.0.2.9 LOGIN=joe@example.org NAME=[UNAVAILABLE]
        S: 550 5.7.0 insufficient authorization
        ? Refused(Rejected(Reason.UNAVAILABLE), \
            'upstream sent invalid response: "550 5.7.0 insufficient authorization"')
        ? Closed(Goodbye.REFUSED)
        """,
    )


def test_starttls_comes_before_anything_is_told() -> None:
    play(
        lambda: SmtpClient(
            JOE,
            client_name="S",
            starttls=True,
            client=HELLO["EHLO"],
            policy=policy(told=True, auth=True),
        ),
        f"""
        S: 220 backend
        C: EHLO S
        S: 250-backend
        S: 250-XCLIENT ADDR
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: EHLO S
        S: 250-backend
        S: 250 AUTH LOGIN
        C: XCLIENT ADDR=192.0.2.9 NAME=[UNAVAILABLE]
        S: 250 2.0.0 as you say
        C: EHLO c
        S: 250-backend
        S: 250 AUTH PLAIN
        C: AUTH PLAIN {PLAIN}
        S: 235 in
        ? LoggedIn(b"235 in\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_token_is_told_of_too() -> None:
    token = Bearer(b"joe", b"a token")
    lines, _ = heard(token, HELLO[""], policy(told=True, auth=False))
    assert lines[-1] == "XCLIENT ADDR=192.0.2.9 LOGIN=joe NAME=[UNAVAILABLE]"


def test_backend_that_must_authenticate_somebody_without_a_password_is_left() -> None:
    play(
        lambda: SmtpClient(Password(b"joe", b""), client_name="S"),
        """
        S: 220 backend
        C: EHLO S
        S: 250 AUTH PLAIN
        C: QUIT
        ? Refused(Rejected(Reason.UNAVAILABLE), "no password available")
        ? Closed(Goodbye.REFUSED)
        """,
    )


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("192.0.2.9", b"ADDR=192.0.2.9"),
        ("2001:db8::9", b"ADDR=IPV6:2001:db8::9"),
        ("fe80::9%lo", b"ADDR=IPV6:fe80::9"),
        ("unix:", b"ADDR=unix:"),
    ],
)
def test_address_is_written_as_postfix_reads_it(client: str, address: bytes) -> None:
    command = xclient(Introduction(client, host="mail.example"))
    assert command == b"XCLIENT " + address + b" NAME=mail.example\r\n"


@pytest.mark.parametrize(
    ("octets", "written"),
    [
        (b"joe@example.org", b"joe@example.org"),
        (b"a b", b"a+20b"),
        (b"a+b=c", b"a+2Bb+3Dc"),
        (b"x\r\nXCLIENT LOGIN=admin", b"x+0D+0AXCLIENT+20LOGIN+3Dadmin"),
        ("jös\x7f".encode(), b"j+C3+B6s+7F"),
    ],
)
def test_login_cannot_end_its_word(octets: bytes, written: bytes) -> None:
    assert xtext(octets) == written
