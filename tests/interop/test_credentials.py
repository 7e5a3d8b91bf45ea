"""Names and passwords that hold what no protocol likes, judged here and there."""

from collections.abc import Iterator, Mapping
from imaplib import IMAP4
from pathlib import Path

import pytest
import tomli_w

from mailssl_trio.auth.passwords import hash_password
from tests.interop.backends import Backends
from tests.interop.clients import imap, imap_of, pop3, smtp
from tests.interop.gateway import Doors, mail_table, serving
from tests.interop.people import AWKWARD, EVERYBODY, Person

pytestmark = pytest.mark.interop

JUDGES = ("users file", "backend")


@pytest.fixture(scope="module")
def judging(premises: Path, backends: Backends) -> Iterator[Doors]:
    """Run a gateway that judges everybody by a users file, ahead of real servers."""
    directory = premises / "judging"
    (directory / "conf").mkdir(parents=True)
    (directory / "conf" / "users.toml").write_text(
        tomli_w.dumps(
            {
                person.name: {"password": hash_password(person.password.encode())}
                for person in EVERYBODY
            }
        ),
        "utf-8",
    )
    doors = Doors.anywhere(directory / "var/tls/ca.pem")
    servers = backends.behind(doors, "starttls")
    with serving(directory, mail_table(*servers, users="users.toml")):
        yield doors


@pytest.fixture(params=JUDGES)
def judge(
    request: pytest.FixtureRequest, judging: Doors, relaying: Mapping[str, Doors]
) -> Doors:
    """Lead to the users file, and to Dovecot's passwd-file with no users file."""
    return judging if request.param == "users file" else relaying["on"]


@pytest.fixture(params=AWKWARD, ids=lambda person: person.name)
def person(request: pytest.FixtureRequest) -> Person:
    """Take everybody in turn."""
    somebody: Person = request.param
    return somebody


def test_imap_lets_them_in_by_authenticate(judge: Doors, person: Person) -> None:
    with imap_of(judge, person) as client:
        assert client.select()[0] == "OK"


def test_imap_lets_them_in_by_quoted_strings(judge: Doors, person: Person) -> None:
    """RFC 9051 section 9, quoted: a backslash before each quote and backslash."""
    name, password = map(quoted, person.octets)
    with imap(judge, "tls") as client:
        tag = b"login1"
        client.send(b"%b LOGIN %b %b\r\n" % (tag, name, password))
        assert read_to_tag(client, tag).startswith(tag + b" OK")


def test_imap_lets_them_in_by_literals(judge: Doors, person: Person) -> None:
    """RFC 9051 section 9, literal, in the form that does not wait."""
    name, password = person.octets
    with imap(judge, "tls") as client:
        tag = b"login2"
        client.send(
            b"%b LOGIN {%d+}\r\n%b {%d+}\r\n%b\r\n"
            % (tag, len(name), name, len(password), password)
        )
        assert read_to_tag(client, tag).startswith(tag + b" OK")


def test_pop3_lets_them_in(judge: Doors, person: Person) -> None:
    client = pop3(judge, "tls")
    client.encoding = "utf-8"
    client.user(person.name)
    assert client.pass_(person.password).startswith(b"+OK")
    client.quit()


def test_smtp_lets_them_in(judge: Doors, person: Person) -> None:
    with smtp(judge, "tls") as client:
        code, _ = client.docmd("AUTH", f"PLAIN {person.sasl_plain}")
        assert code == 235


def test_nobody_gets_in_by_a_password_that_is_nearly_right(judge: Doors) -> None:
    [person, *_] = AWKWARD
    nearly = Person(person.name, person.password.strip())
    with imap(judge, "tls") as client:
        with pytest.raises(IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(f'"{nearly.name}"', nearly.password)
        assert client.state == "NONAUTH"


def quoted(octets: bytes) -> bytes:
    """Write a quoted string."""
    return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def read_to_tag(client: IMAP4, tag: bytes) -> bytes:
    """Return the tagged line, whatever comes before it."""
    while not (line := client.readline()).startswith(tag):
        assert line
    return line
