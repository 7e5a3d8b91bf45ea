"""What comes from programs: an auth server, the supervisor, other workers; and logs."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network

import trio
from h11 import (
    CLIENT,
    NEED_DATA,
    Connection,
    EndOfMessage,
    RemoteProtocolError,
    Request,
    Response,
)

from mailssl_trio.auth.http_reply import (
    LONGEST_TEXT,
    AuthHttpError,
    Backend,
    Refusal,
    Wait,
    read_reply,
)
from mailssl_trio.channel import ChannelError, decode, encode
from mailssl_trio.escaping import escape
from mailssl_trio.logs.formats.as_json import as_json
from mailssl_trio.logs.formats.like_dovecot import like_dovecot
from mailssl_trio.logs.formats.like_nginx import like_nginx
from mailssl_trio.messages import Message
from mailssl_trio.observer import (
    Admitted,
    Ended,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
)
from mailssl_trio.protocol.credentials import Reason, Rejected
from mailssl_trio.protocol.events import Goodbye, TlsInfo
from mailssl_trio.supervision.control.request import (
    RequestError,
    Takes,
    parse,
    written,
)
from mailssl_trio.tls.sessions.zone_record import (
    DamagedRecordError,
    Record,
    expiry_key,
    id_of,
)
from mailssl_trio.transport.address import TcpAddress
from tests.fuzz.target import Target

ESCAPED = re.compile(r'(?:[^"\\]|\\["\\]|\\x[0-9a-f]{2})*')


def auth_reply(octets: bytes) -> None:
    """An answer is refusal, wait or backend, each part legal; or the server's fault."""
    headers = _headers(octets)
    for protocol in ("imap", "smtp"):
        reply = None
        with suppress(AuthHttpError):
            reply = read_reply(headers, protocol)
        match reply:
            case Refusal(text, wait, code):
                assert text.isprintable()
                assert len(text) <= LONGEST_TEXT
                assert wait is None or wait > 0
                assert code.isprintable()
            case Wait(seconds):
                assert seconds > 0
            case Backend(TcpAddress(host, port)) as backend:
                assert re.fullmatch(r"[A-Za-z0-9_.:%-]+", host), host
                assert 1 <= port <= 65535
                _assert_password_is_not_shown(backend)
            case Backend() as backend:
                _assert_password_is_not_shown(backend)


def _assert_password_is_not_shown(backend: Backend) -> None:
    assert "password" not in repr(backend)


def _headers(octets: bytes) -> tuple[tuple[bytes, bytes], ...]:
    http = Connection(CLIENT)
    http.send(Request(method="GET", target="/", headers=[("Host", "x")]))
    http.send(EndOfMessage())
    http.receive_data(octets)
    with suppress(RemoteProtocolError):
        while (event := http.next_event()) is not NEED_DATA:
            if isinstance(event, Response):
                return tuple(event.headers)
            if isinstance(event, EndOfMessage):
                break
    return ()


def channel_line(octets: bytes) -> None:
    """A line is a message that can be said again, or it is none."""
    line = octets.partition(b"\n")[0]
    message = None
    with suppress(ChannelError):
        message = decode(line)
    if message is not None:
        assert isinstance(message, Message)
        assert decode(encode(message)) == message
        assert json.loads(line)["v"] == 1


def zone_record(octets: bytes) -> None:
    """A record is what was stored, to the octet; or it is damaged."""
    session_id, rest = octets[:32], octets[32:]
    try:
        record = Record.parse(session_id, rest)
    except DamagedRecordError:
        pass
    else:
        assert bytes(record) == rest
    made = Record(session_id, rest, len(octets), 1)
    stored = bytes(made)
    assert Record.parse(session_id, stored) == made
    assert id_of(expiry_key(session_id, stored)) == session_id
    assert repr(rest) not in repr(made) or rest == session_id or not rest


def log_text(octets: bytes) -> None:
    """Whatever a peer says stays in its line and its quotes, and shows no control."""
    text = octets.decode("utf-8", "replace")
    for said in (octets, text):
        written = escape(said)
        assert written.isprintable()
        assert ESCAPED.fullmatch(written), written


LIKE_DOVECOT = re.compile(
    r"imap-login: (?:[^<>=]|in=\d|out=\d)*: user=<[^<>=]*>"
    r"(?:, [a-z]+=[^<>=]*|, TLS)*, session=<abc>"
)


def access_lines(octets: bytes) -> None:
    """A line of each format stays one line, and says each thing in its place only."""
    trio.run(_assert_lines, octets)


async def _assert_lines(octets: bytes) -> None:
    login, _, rest = octets.partition(b"\n")
    text = rest.decode("utf-8", "replace")
    subject = Subject(1, "imap", "192.0.2.9", 50123, "198.51.100.1:143", "abc")
    subject.login, subject.mechanism, subject.attempts = login, "PLAIN", 1
    subject.tls = TlsInfo("TLSv1.3", "X", server_name=text[:20])
    subject.upstream, subject.server_port = text[:9], 143
    for happening in (
        Admitted(),
        LoginFailed(Rejected(Reason.AUTHENTICATIONFAILED, text)),
        Ended(Goodbye.HANDSHAKE_FAILED, text),
        ProxyRefused(text, octets),
        Relayed("finished", 1, 2, "client"),
    ):
        dovecot = like_dovecot(subject, happening)
        nginx, object_ = like_nginx(subject, happening), as_json(subject, happening)
        assert dovecot
        assert dovecot.isprintable()
        assert LIKE_DOVECOT.fullmatch(dovecot), dovecot
        assert dovecot.count("rip=") == 1
        assert nginx
        assert nginx.isprintable()
        assert object_
        assert object_.isascii()
        assert object_.isprintable()
        assert json.loads(object_)["client"] == "192.0.2.9"


VERBS: Mapping[str, Takes] = {
    "who": {"user": str, "network": str, "all": bool, "most": int},
    "reload": {},
}


def control_request(octets: bytes) -> None:
    """A request has a verb that is there and arguments of its own, or is refused."""
    line = octets.partition(b"\n")[0]
    with suppress(RequestError):
        request = parse(line, VERBS)
        takes = VERBS[request.verb]
        assert all(
            type(value) is takes[name] for name, value in request.arguments.items()
        )
        answer = written((dict(request.arguments), {"ok": True}))
        assert answer.count(b"\n") == 2
        assert answer.isascii()
        if network := request.network("network"):
            assert str(ip_network(network)) == network


WORDS_OF_HTTP = (
    b"Auth-Status: ", b"Auth-Server: ", b"Auth-Port: ", b"Auth-Wait: ", b"Auth-User: ",
    b"Auth-Pass: ", b"Auth-Error-Code: ", b"Auth-Error-SASL: ", b"Auth-Backend-SSL: ",
    b"Auth-Backend-Name: ", b"Auth-SMTP-Auth: ", b"OK", b"WAIT", b"\r\n", b"127.0.0.1",
    b"unix:/x", b"Transfer-Encoding: chunked",
)  # fmt: skip
WORDS_OF_THE_CHANNEL = (
    b'{"v": 1', b'"type": "stop"', b'"type": "configure"', b'"data": ', b"null", b"[",
    b"]", b"}", b'"files": ', b"1e999", b"NaN", b"\\ud800",
)  # fmt: skip
WORDS_OF_CONTROL = (
    b'{"v": 1', b', "verb": "who"', b', "user": "x"', b', "network": "192.0.2.0/24"',
    b', "all": true', b', "most": 3', b"}", b'"reload"', b"\\u0000", b"::1", b"[" * 999,
)  # fmt: skip
WORDS_OF_LOGS = (
    b"rip=192.0.2.1", b", ", b"user=<root>", b"<", b">", b"=", b"\n", b'"', b"\\",
    b"\x1b[2J", b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xed\xa0\x80", b"session=<",
)  # fmt: skip

TARGETS = (
    Target("auth-reply", auth_reply, WORDS_OF_HTTP),
    Target("channel-line", channel_line, WORDS_OF_THE_CHANNEL),
    Target("control-request", control_request, WORDS_OF_CONTROL),
    Target("zone-record", zone_record),
    Target("access-lines", access_lines, WORDS_OF_LOGS),
    Target("log-text", log_text, WORDS_OF_LOGS),
)
