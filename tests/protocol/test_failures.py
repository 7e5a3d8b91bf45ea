"""What a session remembers of a login that nobody was asked to judge."""

import pytest

from mailssl_trio.protocol.client_session import ClientSession
from mailssl_trio.protocol.credentials import Password, Reason, Rejected
from mailssl_trio.protocol.events import Authenticate
from mailssl_trio.protocol.failures import OF_A_JUDGE, Failure
from mailssl_trio.protocol.imap.server import ImapServer
from mailssl_trio.protocol.pop3.server import Pop3Server
from mailssl_trio.protocol.server_session import Policy, ServerSession, StartTlsMode
from mailssl_trio.protocol.smtp.server import SmtpServer

SERVERS: dict[str, type[ServerSession]] = {
    "imap": ImapServer,
    "pop3": Pop3Server,
    "smtp": SmtpServer,
}


def after(
    protocol: str, *said: bytes, starttls: StartTlsMode = StartTlsMode.OFF
) -> ServerSession:
    """Let a client say something, and answer it; every login is refused."""
    session = SERVERS[protocol](Policy(starttls=starttls))
    for data in (b"", *said):
        if data:
            session.receive_data(data + b"\r\n")
        while isinstance(question := session.next_event(), Authenticate):
            session.answer(question, Rejected(Reason.AUTHENTICATIONFAILED))
    return session


@pytest.mark.parametrize(
    ("protocol", "said"),
    [
        ("imap", b"a LOGIN joe secret"),
        ("imap", b"a AUTHENTICATE PLAIN AGpvZQBzZWNyZXQ="),
        ("pop3", b"USER joe"),
        ("pop3", b"PASS secret"),
        ("pop3", b"APOP joe c4c9334bac560ecc979e58001b3e22fb"),
        ("pop3", b"AUTH PLAIN"),
        ("smtp", b"AUTH PLAIN AGpvZQBzZWNyZXQ="),
    ],
)
def test_login_where_there_must_be_tls_first(protocol: str, said: bytes) -> None:
    session = after(protocol, said, starttls=StartTlsMode.ONLY)
    assert session.failure is Failure.CLEARTEXT_DISABLED


@pytest.mark.parametrize(
    ("protocol", "said"), [("imap", b"a SELECT x"), ("pop3", b"STAT"), ("smtp", b"X")]
)
def test_what_is_no_login_is_none_before_tls_either(protocol: str, said: bytes) -> None:
    session = after(protocol, said, starttls=StartTlsMode.ONLY)
    assert session.failure is None


@pytest.mark.parametrize(
    ("protocol", "auth"),
    [("imap", b"a AUTHENTICATE "), ("pop3", b"AUTH "), ("smtp", b"AUTH ")],
)
@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ([b"NOVELTY"], Failure.INVALID_MECHANISM),
        ([b"PLAIN !!!"], Failure.INVALID_BASE64),
        ([b"PLAIN", b"not base64"], Failure.INVALID_BASE64),
        ([b"PLAIN AGpvZQ=="], Failure.AUTH_FAILED),  # no password in it
        ([b"PLAIN", b"*"], Failure.ABORTED_BY_CLIENT),
        ([b"PLAIN"], Failure.ABORTED_BY_CLIENT),  # if it stays so
        ([b"PLAIN", b"AGpvZQBzZWNyZXQ="], None),  # it was judged
    ],
)
def test_sasl_exchange_that_brings_nothing(
    protocol: str, auth: bytes, said: list[bytes], failure: Failure | None
) -> None:
    assert after(protocol, auth + said[0], *said[1:]).failure is failure


def test_login_that_is_judged_makes_what_was_before_it_forgotten() -> None:
    session = after("imap", b"a AUTHENTICATE NOVELTY", b"b LOGIN joe secret")
    assert session.failure is None


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_of_a_judge_is_a_failure(reason: Reason) -> None:
    assert reason in OF_A_JUDGE


@pytest.mark.parametrize(
    ("reason", "failure"),
    [
        (Reason.UNAVAILABLE, Failure.UPSTREAM_AUTH_TEMP_FAILED),
        (Reason.AUTHENTICATIONFAILED, Failure.UPSTREAM_AUTH_FAILED),
    ],
)
def test_refusal_of_a_backend_is_told_from_an_answer_without_sense(
    reason: Reason, failure: Failure
) -> None:
    session = ClientSession(Password(b"joe", b"secret"))
    assert session.refused(b"-ERR no", reason).failure is failure
    assert session.invalid(b"what").failure is Failure.UPSTREAM_PROTOCOL_FAILURE
