"""Grammars of the mail protocols, of SASL, and of the header that proxies send."""

from contextlib import suppress

from mailssl_trio.protocol import bearer, sasl
from mailssl_trio.protocol.credentials import Bearer, Password
from mailssl_trio.protocol.imap.grammar import (
    MAX_TOKENS,
    Astring,
    Garbage,
    Literal,
    announced,
    parse_command,
    quoted,
    scan,
)
from mailssl_trio.protocol.imap.response import parse_response
from mailssl_trio.protocol.pop3.grammar import parse_reply
from mailssl_trio.protocol.proxy_header import (
    MAX_V1,
    MAX_V2,
    SIGNATURE,
    BrokenHeaderError,
    ProxyHeader,
    octets_wanted,
    parse_header,
    v1,
    v2,
)
from mailssl_trio.protocol.smtp.grammar import REPLY_LINE, parse_reply_line
from tests.fuzz.dialogues import NAME, PASSWORD, PLAIN, TOKEN, WORDS
from tests.fuzz.sessions import assert_secret_is_not_shown
from tests.fuzz.target import Target


def imap_command(octets: bytes) -> None:
    """A command is read in one go, flat; what can be quoted reads back the same."""
    line = octets.partition(b"\n")[0]
    command = parse_command(line)
    assert len(command.arguments) <= MAX_TOKENS + 2
    assert command.verb == command.verb.upper()
    assert command.tag == b"*" or command.tag in line
    assert command.length == len(line) + 2
    assert Garbage() not in command.arguments[:-1]
    if literal := announced(line):
        assert literal.size >= 0
        whole = command.continued(b"x" * min(literal.size, 99), b"")
        if command.arguments and command.arguments[-1] == literal:
            assert isinstance(whole.arguments[-1], Literal)
    if (text := quoted(octets)) is not None:
        [token] = scan(b" " + text)
        assert isinstance(token, Astring)
        assert token.value == octets


def imap_response(octets: bytes) -> None:
    """A response keeps all its octets, and belongs to the tag that it begins with."""
    line = octets.partition(b"\n")[0].removesuffix(b"\r")
    response = parse_response(line)
    assert response.octets == line + b"\r\n"
    assert response.octets.startswith(response.tag)
    if b"\r\n" not in line:
        assert response.line == line
    assert response.capabilities in line or not response.capabilities
    assert response.completes(whole=True) or not response.completes(whole=False)
    assert response.reason
    assert all(part.upper() in line.upper() for part in response.code)


def replies(octets: bytes) -> None:
    """A reply of POP3 or SMTP says yes or no, or is none."""
    line = octets.partition(b"\n")[0].removesuffix(b"\r")
    if (status := parse_reply(line)) is not None:
        assert status.ok is line.startswith(b"+")
        assert status.reason
    if (reply := parse_reply_line(line)) is not None:
        assert REPLY_LINE.fullmatch(line)
        assert reply.octets == line
        assert reply.code == line[:3]
        assert reply.is_last or line[3:4] == b"-"


def sasl_exchange(octets: bytes) -> None:
    """An exchange brings credentials that fit a line and show no secret, or none."""
    mechanism, *lines = octets.split(b"\n")
    enabled = ("CRAM-MD5", "EXTERNAL", "XOAUTH2", "OAUTHBEARER")
    with suppress(sasl.SaslError):
        exchange = sasl.server_exchange(mechanism, enabled, lambda: b"<1@x>")
        next(exchange)
        for line in lines:
            message = sasl.decode(line)
            assert sasl.decode(sasl.encode(message)) == message
            try:
                assert exchange.send(message).isascii()
            except StopIteration as over:
                credentials = over.value
                break
        else:
            return
        assert_secret_is_not_shown(credentials)
        shown = vars_of(credentials)
        assert not any(octet in part for part in shown for octet in b"\0\r\n")
        if isinstance(credentials, Bearer):
            assert_token_reads_back(credentials)
        if isinstance(credentials, Password):
            [message] = sasl.client_mechanisms(credentials)["PLAIN"]
            assert message.count(b"\0") == 2


def vars_of(credentials: object) -> list[bytes]:
    """Return every octet string in credentials."""
    names = getattr(type(credentials), "__match_args__", ())
    values = (getattr(credentials, name) for name in names)
    return [value for value in values if isinstance(value, bytes)]


def assert_token_reads_back(token: Bearer) -> None:
    """What we would tell a backend is what a backend would read."""
    written = bearer.write(token)
    if token.mechanism == "XOAUTH2":
        assert bearer.read_xoauth2(written) == token
    else:
        assert bearer.read_oauthbearer(written) == token


def proxy_header(octets: bytes) -> None:
    """A header is taken octet for octet, never one too many; and can be said again."""
    whole = _taken(octets)
    assert whole == _taken(octets, at_most=1)
    if whole is None:
        return
    taken, header = whole
    assert taken <= (MAX_V2 if octets.startswith(SIGNATURE) else MAX_V1)
    assert octets_wanted(octets[:taken]) == 0
    if header.addresses is not None:
        ends = header.addresses.in_one_family
        for written in (v1(header.addresses), v2(header.addresses)):
            assert octets_wanted(written) == 0
            again = parse_header(written).addresses
            assert again is not None
            assert again.in_one_family == ends


def _taken(octets: bytes, at_most: int = 10**6) -> tuple[int, ProxyHeader] | None:
    """Read a header as a driver does; None if none comes of it."""
    taken = 0
    try:
        while wanted := octets_wanted(octets[:taken]):
            if taken >= len(octets):
                return None
            taken += min(wanted, at_most, len(octets) - taken)
        return taken, parse_header(octets[:taken])
    except BrokenHeaderError:
        return None


TARGETS = (
    Target("imap-command", imap_command, WORDS["imap"]),
    Target("imap-response", imap_response, (b"* ", b"[", b"]", b"CAPABILITY ", b"OK ")),
    Target("replies", replies, (b"+OK", b"-ERR", b"250-", b"[AUTH]", b"[SYS/TEMP]")),
    Target(
        "sasl-exchange",
        sasl_exchange,
        (PLAIN, NAME, PASSWORD, TOKEN, b"PLAIN", b"LOGIN", b"XOAUTH2", b"=", b"*"),
    ),
    Target(
        "proxy-header",
        proxy_header,
        (SIGNATURE, b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"::1 ", b"192.0.2.1 "),
    ),
)
