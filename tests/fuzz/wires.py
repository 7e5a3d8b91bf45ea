"""What comes from programs: an auth server, the supervisor, other workers; and logs."""

import json
import re
from contextlib import suppress

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
from mailssl_trio.messages import Message
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

TARGETS = (
    Target("auth-reply", auth_reply, WORDS_OF_HTTP),
    Target("channel-line", channel_line, WORDS_OF_THE_CHANNEL),
    Target("zone-record", zone_record),
    Target("log-text", log_text, (b"\x1b[2J", b"\xe2\x80\xae", b"\xed\xa0\x80")),
)
