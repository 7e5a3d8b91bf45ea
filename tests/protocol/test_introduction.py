"""What IMAP and POP3 backends hear of the client, and it of their refusals."""

from collections.abc import Callable

import pytest

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Envelope, Password
from mailssl_trio.protocol.engine import Session
from mailssl_trio.protocol.events import NeedData, Refused
from mailssl_trio.protocol.imap.client import ImapClient
from mailssl_trio.protocol.introduction import Introduction, ProxyPolicy, XClient
from mailssl_trio.protocol.pop3.client import Pop3Client
from mailssl_trio.protocol.smtp.client import SmtpClient
from tests.transcript import play

JOE = Password(b"joe", b"secret")
CLIENT = Introduction("2001:db8::9", 50123, "192.0.2.1", 993, session="7-42")
SETTINGS = [XClient.ON, XClient.IF_OFFERED]


def speaker(
    kind: type[ClientSession], xclient: XClient, client: Introduction = CLIENT
) -> Callable[[], Session]:
    return lambda: kind(JOE, client=client, policy=ProxyPolicy(xclient))


@pytest.mark.parametrize("xclient", SETTINGS)
@pytest.mark.parametrize("answer", ["OK done", "NO not you", "BAD what?"])
def test_imap_backend_that_offers_id_is_told_by_it(
    xclient: XClient, answer: str
) -> None:
    play(
        speaker(ImapClient, xclient),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 ID SASL-IR AUTH=PLAIN] ready
        C: G1 ID ("x-originating-ip" "2001:db8::9" "x-originating-port" "50123" \
"x-connected-ip" "192.0.2.1" "x-connected-port" "993" "x-session-id" "7-42")
        C: G2 AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=
        S: * ID ("name" "Dovecot")
        S: G1 {answer}
        S: G2 OK [CAPABILITY IMAP4rev1] in
        ? LoggedIn(b"OK [CAPABILITY IMAP4rev1] in\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


@pytest.mark.parametrize("line", ["G2 OK in", "G1 BYE", "+ go on"])
def test_imap_backend_answers_in_order(line: str) -> None:
    session = ImapClient(JOE, client=CLIENT, policy=ProxyPolicy(XClient.ON))
    heard = "* OK [CAPABILITY IMAP4rev1 ID AUTH=PLAIN SASL-IR] hi\r\n" + line + "\r\n"
    refused = outcome(session, heard.encode())
    assert refused.detail == f'upstream sent invalid response: "{line}"'


@pytest.mark.parametrize(
    ("xclient", "client", "capability"),
    [
        (XClient.OFF, CLIENT, "ID"),
        (XClient.ON, CLIENT, "IDLE"),
        (XClient.ON, Introduction(), "ID"),
    ],
)
def test_imap_backend_hears_nothing_that_it_should_not(
    xclient: XClient, client: Introduction, capability: str
) -> None:
    play(
        speaker(ImapClient, xclient, client),
        f"""
        S: * OK [CAPABILITY IMAP4rev1 {capability} SASL-IR AUTH=PLAIN] ready
        C: G1 AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ=
        """,
    )


@pytest.mark.parametrize("xclient", SETTINGS)
@pytest.mark.parametrize("answer", ["+OK Updated", "-ERR You are not trusted"])
def test_pop3_backend_that_offers_xclient_is_told_by_it(
    xclient: XClient, answer: str
) -> None:
    play(
        speaker(Pop3Client, xclient),
        f"""
        S: +OK ready
        C: CAPA
        S: +OK
        S: XCLIENT
        S: SASL PLAIN
        S: .
        C: XCLIENT ADDR=2001:db8::9 PORT=50123 SESSION=7-42
        S: {answer}
        C: AUTH PLAIN AGpvZQBzZWNyZXQ=
        S: +OK in
        ? LoggedIn(b"+OK in\\r\\n")
        ? Closed(Goodbye.QUIT)
        """,
    )


def test_pop3_backend_may_offer_xclient_in_its_greeting() -> None:
    """As Dovecot does."""
    play(
        speaker(Pop3Client, XClient.IF_OFFERED),
        """
        S: +OK [XCLIENT] Dovecot ready.
        C: CAPA
        S: -ERR
        C: XCLIENT ADDR=2001:db8::9 PORT=50123 SESSION=7-42
        S: +OK Updated
        C: USER joe
        """,
    )


def test_greeting_before_tls_offers_nothing_behind_it() -> None:
    play(
        lambda: Pop3Client(
            JOE, starttls=True, client=CLIENT, policy=ProxyPolicy(XClient.ON)
        ),
        """
        S: +OK [XCLIENT] Dovecot ready.
        C: STLS
        S: +OK Begin TLS negotiation now.
        ? StartTls()
        ! TlsInfo("TLSv1.3")
        C: CAPA
        S: -ERR
        C: USER joe
        """,
    )


@pytest.mark.parametrize(
    ("xclient", "client", "capability"),
    [
        (XClient.OFF, CLIENT, "XCLIENT"),
        (XClient.ON, CLIENT, "TOP"),
        (XClient.ON, Introduction(), "XCLIENT"),
    ],
)
def test_pop3_backend_hears_nothing_that_it_should_not(
    xclient: XClient, client: Introduction, capability: str
) -> None:
    play(
        speaker(Pop3Client, xclient, client),
        f"""
        S: +OK ready
        C: CAPA
        S: +OK
        S: {capability}
        S: SASL PLAIN
        S: .
        C: AUTH PLAIN AGpvZQBzZWNyZXQ=
        """,
    )


def outcome(session: ClientSession, heard: bytes) -> Refused:
    session.receive_data(heard)
    session.receive_data(b"")
    while not isinstance(event := session.next_event(), Refused):
        assert isinstance(event, NeedData)
    return event


POP3_LIST = b"+OK hi\r\n+OK\r\nSASL PLAIN\r\n.\r\n"
SMTP_LIST = b"220 hi\r\n250-hi\r\n250 AUTH PLAIN\r\n"
IMAP_LIST = b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n"


@pytest.mark.parametrize(
    ("kind", "heard", "reply"),
    [
        (Pop3Client, b"-ERR [SYS/TEMP] full\r\n", b"-ERR [SYS/TEMP] full\r\n"),
        (Pop3Client, POP3_LIST + b"-ERR [AUTH] no\r\n", b"-ERR [AUTH] no\r\n"),
        (Pop3Client, POP3_LIST + b"-ERR AUTH AGpvZQBzZWNyZXQ=?\r\n", b""),
        (Pop3Client, POP3_LIST + b"-ERR no secret\r\n", b""),
        (Pop3Client, POP3_LIST + b"-ERR NO SECRET\r\n", b""),
        (Pop3Client, POP3_LIST + b"-ERR a\r+OK b\r\n", b""),
        (Pop3Client, b"what\r\n", b""),
        (SmtpClient, b"554 full\r\n", b"554 full\r\n"),
        (SmtpClient, b"421-go\r\n421 away\r\n", b"421-go\r\n421 away\r\n"),
        (SmtpClient, b"220 hi\r\n502 EHLO?\r\n", b"502 EHLO?\r\n"),
        (SmtpClient, SMTP_LIST + b"535-5.7.8 a\r\n535 5.7.8 b\r\n",
         b"535-5.7.8 a\r\n535 5.7.8 b\r\n"),
        (SmtpClient, SMTP_LIST + b"501 no\r\n", b"501 no\r\n"),
        (SmtpClient, SMTP_LIST + b"535-no\r\n535 AGpvZQBzZWNyZXQ=\r\n", b""),
        (SmtpClient, SMTP_LIST + b"250 no such reply\r\n", b""),
        (ImapClient, b"* BYE [UNAVAILABLE] full\r\n", b"NO [UNAVAILABLE] full\r\n"),
        (ImapClient, b"* BYE\r\n", b"NO Good bye\r\n"),
        (ImapClient, b"* PREAUTH in\r\n", b""),
        (ImapClient, IMAP_LIST + b"G1 NO [EXPIRED] no\r\n", b"NO [EXPIRED] no\r\n"),
        (ImapClient, IMAP_LIST + b"G1 BAD AGpvZQBzZWNyZXQ=\r\n", b""),
        (ImapClient, IMAP_LIST + b"G1 NO a\rb OK b\r\n", b""),
        (ImapClient, IMAP_LIST + b"G1 NO a\0b\r\n", b""),
    ],
)  # fmt: skip
def test_refusal_may_be_passed_on_but_not_with_our_credentials_in_it(
    kind: type[ClientSession], heard: bytes, reply: bytes
) -> None:
    assert outcome(kind(JOE), heard).reply == reply


def test_refusal_of_a_sender_may_be_passed_on() -> None:
    session = SmtpClient(Envelope(b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>"))
    heard = b"220 hi\r\n250 hi\r\n552 5.3.4 too big\r\n"
    assert outcome(session, heard).reply == b"552 5.3.4 too big\r\n"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (Pop3Client, b"+OK %b\r\n"),
        (SmtpClient, b"220 %b\r\n"),
        (ImapClient, b"* OK %b\r\n"),
    ],
)
def test_reply_may_fill_the_buffer_and_no_more(
    kind: type[ClientSession], line: bytes
) -> None:
    room = 1000 - len(line % b"")
    policy = ProxyPolicy(proxy_buffer=1000)
    session = kind(JOE, policy=policy)
    session.receive_data(line % (b"x" * room))
    assert session.next_event() == NeedData()
    assert session.data_to_send()
    too_long = outcome(kind(JOE, policy=policy), line % (b"x" * (room + 1)))
    assert too_long.detail == "upstream sent too long response line"


def test_reply_may_be_longer_than_usual_where_the_buffer_is() -> None:
    session = SmtpClient(JOE, policy=ProxyPolicy(proxy_buffer=100_000))
    session.receive_data(b"220 " + b"x" * 90_000 + b"\r\n")
    assert session.next_event() == NeedData()
    assert session.data_to_send() == b"EHLO localhost\r\n"
