"""Whatever a client presents is sent, and whatever an auth server answers is read."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import socketpair

import trio
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from h11 import CLIENT, Connection, Request
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailssl_trio.auth.http_link import Link
from mailssl_trio.auth.http_reply import AuthHttpError, read_reply
from mailssl_trio.auth.http_request import request_headers
from mailssl_trio.auth.http_server import AuthHttp, parse_auth_server
from mailssl_trio.auth.route import LoginAttempt
from mailssl_trio.protocol.credentials import (
    Bearer,
    Credentials,
    Envelope,
    External,
    Password,
)
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.transport.wire import Wire
from tests.auth.attempts import CLIENT as SOMEBODY
from tests.auth.attempts import attempt

ONE_LINE = st.binary(max_size=40).map(lambda octets: octets.translate(None, b"\0\r\n"))
CREDENTIALS: st.SearchStrategy[Credentials] = st.one_of(
    st.builds(Password, ONE_LINE, ONE_LINE),
    st.builds(External, ONE_LINE),
    st.builds(Bearer, ONE_LINE, ONE_LINE),
    st.builds(Envelope, ONE_LINE, ONE_LINE),
)
NAME = st.text(min_size=1, max_size=20)
KEY = ec.generate_private_key(ec.SECP256R1())


def is_sent(asked: LoginAttempt) -> bool:
    """Whether HTTP carries an attempt, header for header."""
    auth_server = AuthHttp(parse_auth_server("auth"), pass_client_cert=True)
    headers = list(request_headers(auth_server, asked))
    octets = Connection(CLIENT).send(Request(method="GET", target="/", headers=headers))
    return (octets or b"").count(b"\r\n") == len(headers) + 2


@given(CREDENTIALS, ONE_LINE, NAME, NAME)
def test_whatever_a_client_says_is_sent_and_ends_no_line(
    credentials: Credentials, helo: bytes, host: str, server_name: str
) -> None:
    client = evolve(SOMEBODY, helo=helo, host=host)
    tls = TlsInfo("TLSv1.3", server_name=server_name)
    assert is_sent(attempt(credentials, protocol="smtp", client=client, tls=tls))


@given(NAME, NAME)
@example("joe ", "\tCA\r\nAuth-User: root")
@settings(max_examples=50, deadline=None)
def test_whatever_stands_in_a_certificate_is_sent_and_ends_no_line(
    subject: str, issuer: str
) -> None:
    now = datetime.now(UTC)
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        for name in (subject, issuer)
    ]
    certificate = x509.CertificateBuilder(
        names[1], names[0], KEY.public_key(), 1, now, now + timedelta(days=1)
    ).sign(KEY, SHA256())
    der = certificate.public_bytes(Encoding.DER)
    assert is_sent(attempt(tls=TlsInfo("", verified="SUCCESS", certificate=der)))
    assert is_sent(attempt(tls=TlsInfo("", verified="SUCCESS", certificate=der[:-9])))


def answers() -> st.SearchStrategy[bytes]:
    """Return what resembles an answer, more or less."""
    names = st.sampled_from(
        [b"Auth-Status", b"Auth-Server", b"Auth-Port", b"Auth-Wait", b"Auth-Pass",
         b"Auth-User", b"Auth-Backend-SSL", b"Auth-Error-SASL", b"Auth-Error-Code",
         b"Content-Length", b"Transfer-Encoding", b"Connection"]
    )  # fmt: skip
    values = st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            [b"OK", b"WAIT", b"no", b"127.0.0.1", b"::1", b"143", b"0", b"chunked",
             b"close", b"starttls", b"454 4.7.1"]
        ),
    )  # fmt: skip
    lines = st.one_of(st.binary(max_size=12), st.tuples(names, values).map(b": ".join))
    status = st.sampled_from(
        [b"HTTP/1.1 200 OK", b"HTTP/1.0 204", b"HTTP/1.1 100", b""]
    )
    return st.tuples(status, st.lists(lines, max_size=6)).map(
        lambda parts: b"\r\n".join([parts[0], *parts[1], b"", b""])
    )


async def answer_with(octets: bytes) -> None:
    """Ask, be answered so, and perhaps ask again."""
    ours, theirs = socketpair()
    wire = Wire(ours, 1.0)
    async with Wire(theirs, 2) as server:
        link = Link(wire, wire)
        await server.send_all(octets)
        await server.send_eof()
        with suppress(AuthHttpError), trio.fail_after(5):
            read_reply(await link.ask("/", ((b"Host", b"x"),)), "smtp")
            assert not (link.is_kept_open and await link.may_be_asked())
        await trio.aclose_forcefully(wire)


@given(answers())
@settings(max_examples=500, deadline=None)
def test_whatever_an_auth_server_answers_is_an_answer_or_its_fault(
    octets: bytes,
) -> None:
    trio.run(partial(answer_with, octets))
