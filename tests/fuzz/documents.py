"""What operators write and name: configurations, users, keys, certificates."""

import tomllib
from contextlib import suppress
from pathlib import Path

from mailssl_trio.auth.passwords import parse_hash
from mailssl_trio.auth.schemes import UnreadableHashError
from mailssl_trio.auth.user_tables import UsersProblem
from mailssl_trio.auth.users_file import UsersFileError, parse_users
from mailssl_trio.config.nginx.importing import NoMailError, import_nginx
from mailssl_trio.config.nginx.lexer import LONGEST, Statements
from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.nginx.statements import End
from mailssl_trio.config.positions import scan
from mailssl_trio.config.units import format_time, parse_size, parse_time
from mailssl_trio.files import Content, Files
from mailssl_trio.tls.certificates.certificate import certificate_of
from mailssl_trio.tls.certificates.der import element
from mailssl_trio.tls.certificates.facts import certificate_facts
from mailssl_trio.tls.certificates.pem import CERTIFICATES, parts
from mailssl_trio.tls.certificates.persons import persons_in
from mailssl_trio.tls.policy import Pair
from mailssl_trio.tls.sessions.ticket_keys import TicketKey, as_texts, from_texts
from mailssl_trio.transport.address import TcpAddress, parse_address
from tests.fuzz.target import Target

FILE = Path("/etc/mail.conf")


def users_file(octets: bytes) -> None:
    """A users file is users, or all that is wrong with it, without quoting a hash."""
    text = octets.decode("utf-8", "replace")
    with suppress(tomllib.TOMLDecodeError, ValueError, RecursionError):
        tables = tomllib.loads(text)
        try:
            users = parse_users(tables)
        except UsersFileError as error:
            problems = error.problems
        else:
            problems = ()
            assert [user.name for user in users.everybody] == list(tables)
            assert not any("password=" in repr(user) for user in users.everybody)
        _assert_no_secret(tables, problems)


def _assert_no_secret(
    tables: dict[str, object], problems: tuple[UsersProblem, ...]
) -> None:
    told = "\n".join(f"{problem.text} {problem.remedy}" for problem in problems)
    for table in tables.values():
        if isinstance(table, dict):
            for key in ("password", "upstream_password"):
                secret = table.get(key)
                if isinstance(secret, str) and len(secret) > 40:
                    assert secret not in told


def password_hash(octets: bytes) -> None:
    """A hash is read, bounded in what it costs, or refused without being quoted."""
    text = octets.decode("utf-8", "replace")
    try:
        read = parse_hash(text)
    except UnreadableHashError as refusal:
        told = refusal.text + refusal.remedy
    else:
        told = repr(read)
        assert read.cost
    assert len(text) < 20 or text not in told


def nginx_syntax(octets: bytes) -> None:
    """Statements come one by one, or the first thing that is wrong has its line."""
    text = octets.decode("utf-8", "replace")
    lines = text.count("\n") + 1
    statements, last = Statements(text, "x", None), 0
    with suppress(RefusedError):
        while True:
            statement = statements.next()
            assert last <= statement.place.line <= lines
            last = statement.place.line
            if isinstance(statement, End) and statement.of_file:
                break
            if not isinstance(statement, End):
                assert statement.words
                assert all(len(word) < LONGEST for word in statement.words)


def nginx_import(octets: bytes) -> None:
    """What is imported is TOML, with a line of the origin for each of its lines."""
    files = Files({FILE: Content(octets, 0o644)}, on_disk=False)
    with suppress(RefusedError, NoMailError, UnicodeDecodeError, FileNotFoundError):
        imported = import_nginx(FILE, files)
        assert tomllib.loads(imported.text)["mail"]
        assert len(imported.origins) >= imported.text.count("\n")
        most = octets.count(b"\n") + 1
        assert all(line is None or line <= most for line in imported.origins)


def toml_positions(octets: bytes) -> None:
    """Every key of a document that is TOML has its line; and no document stops it."""
    text = octets.decode("utf-8", "replace").replace("\r\n", "\n")
    positions = scan(text)
    lines = text.count("\n") + 1
    assert all(1 <= line <= lines for line in positions.lines.values())
    with suppress(tomllib.TOMLDecodeError, ValueError, RecursionError):
        tables = tomllib.loads(text.replace("\r", "\0"))  # no line ends anew
        assert not positions.repeated, positions.repeated
        _assert_found(tables, (), positions.lines)


def _assert_found(value: object, path: tuple[str | int, ...], lines: object) -> None:
    match value:
        case dict():
            children = list(value.items())
        case list():
            children = list(enumerate(value))
        case _:
            children = []
    for key, child in children:
        assert (*path, key) in lines, (*path, key)  # type: ignore[operator]
        _assert_found(child, (*path, key), lines)


def units(octets: bytes) -> None:
    """Times, sizes and addresses are what they say, or ValueError."""
    text = octets.decode("utf-8", "replace")
    with suppress(ValueError):
        seconds = parse_time(text)
        assert seconds >= 0
        assert abs(parse_time(format_time(seconds)) - seconds) < 0.001
    with suppress(ValueError):
        assert parse_size(text) >= 0
    with suppress(ValueError):
        address = parse_address(text, 143)
        if address != TcpAddress("unix", 143):  # which reads as a path
            assert parse_address(str(address), 143) == address


def der(octets: bytes) -> None:
    """Elements lie one behind the other, within what is there."""
    at = 0
    with suppress(ValueError):
        while at < len(octets):
            _, content, end = element(octets, at)
            assert at < end <= len(octets)
            assert content == octets[end - len(content) : end]
            at = end


def certificates(octets: bytes) -> None:
    """What is said of a certificate, damaged or not, stays in one line."""
    with suppress(ValueError):
        list(parts(octets, CERTIFICATES))
    files = Files({FILE: Content(octets, 0o644)}, on_disk=False)
    if found := certificate_of(Pair(FILE, FILE), files):
        assert str(found)
    with suppress(ValueError):
        octets = next(parts(octets, CERTIFICATES), octets)
    facts = certificate_facts(octets)
    for text in (facts.subject, facts.issuer, facts.serial, facts.fingerprint):
        assert text.isprintable()
        assert text.isascii()
    assert all(persons_in(octets))


def ticket_key(octets: bytes) -> None:
    """A key is 48 or 80 octets, reads back the same, and shows no secret."""
    try:
        key = TicketKey.parse(octets)
    except ValueError:
        assert len(octets) not in {48, 80}
        return
    assert bytes(key) == octets
    assert from_texts(as_texts([key])) == (key,)
    assert repr(key) == f"TicketKey(name={key.name!r})"


WORDS_OF_TOML = (
    b"[[", b"]]", b"[", b"]", b"{", b"}", b'"""', b"'''", b"= ", b"\n", b"#", b"a.b",
    b'"', b"1979-05-27", b"true", b"inf", b"\\u0000", b"listen", b"[mail]\n",
)  # fmt: skip
WORDS_OF_NGINX = (
    b"mail {", b"server {", b"}", b";", b"listen 143;", b"ssl on;", b"$x", b"${x}",
    b"include x;", b"#", b"'", b'"', b"\\", b"http {", b"_by_lua_block {", b"--[[",
    b"auth_http localhost:9000/x;", b"protocol imap;", b"ssl_certificate x;",
)  # fmt: skip
WORDS_OF_USERS = (
    b"password", b"upstream", b"protocols", b"networks", b"upstream_password",
    b"upstream_user", b'["alice@example.org"]\n', b'"imap"', b'"10.0.0.0/8"',
)  # fmt: skip
WORDS_OF_HASHES = (
    b"$scrypt$", b"ln=15,r=8,p=1$", b"{SSHA}", b"{PBKDF2}$1$", b"$pbkdf2-sha256$",
    b"$argon2id$v=19$m=65536,t=3,p=4$", b"$2b$12$", b"$2y$31$", b"$5$", b"{CRYPT}",
)  # fmt: skip

WORDS_OF_UNITS = (b"ms", b"1h", b"30m", b"10k", b"unix:", b"[::1]:", b"xn--", b".")
WORDS_OF_DER = (b"\x30\x82", b"\x02\x01", b"\x30\x80", b"\x84\xff\xff\xff\xff")
WORDS_OF_CERTIFICATES = (b"\x06\x03\x55\x04\x03", b"\x0c\x03", b"-----", *WORDS_OF_DER)

OPERATORS_OWN = 20.0
"""Seconds for a key of ten thousand parts, which nobody but an operator can write."""

TARGETS = (
    Target("users-file", users_file, (*WORDS_OF_USERS, *WORDS_OF_HASHES)),
    Target("password-hash", password_hash, WORDS_OF_HASHES),
    Target("nginx-syntax", nginx_syntax, WORDS_OF_NGINX),
    Target("nginx-import", nginx_import, WORDS_OF_NGINX),
    Target("toml-positions", toml_positions, WORDS_OF_TOML, OPERATORS_OWN),
    Target("units", units, WORDS_OF_UNITS),
    Target("der", der, WORDS_OF_DER),
    Target("certificates", certificates, WORDS_OF_CERTIFICATES),
    Target("ticket-key", ticket_key),
)
