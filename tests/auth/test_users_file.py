"""What a users file says, and what is said of a bad one."""

import os
from ipaddress import ip_network
from pathlib import Path

import pytest

from mailssl_trio.auth.user_tables import KeyPath
from mailssl_trio.auth.users_file import UsersFileError, read_users
from mailssl_trio.transport.address import EmbeddedAddress, TcpAddress, UnixAddress

HASH = "$scrypt$ln=1,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"
PASSWORD = f'["alice@example.org"]\npassword = "{HASH}"\n'

ALICE = "alice@example.org"


def written(directory: Path, text: str) -> Path:
    file = directory / "users.toml"
    file.write_text(text)
    return file


def test_password_alone_makes_a_user(tmp_path: Path) -> None:
    users = read_users(written(tmp_path, PASSWORD))
    assert users.names == {"alice@example.org"}
    alice = users.find(b"alice@example.org")
    assert alice is not None
    assert alice.upstreams == {}
    assert alice.protocols == ("imap", "pop3", "smtp")
    assert alice.networks == ()
    assert users.find(b"Alice@example.org") is None


def test_everything_that_may_be_said_is_understood(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        PASSWORD
        + f"""
        upstream = "10.0.0.5:143"
        protocols = ["imap", "pop3"]
        networks = ["127.0.0.0/8", "::1"]

        ["grüße"]
        password = "{HASH}"
        upstream = {{ imap = "[2001:db8::1]:993", smtp = "unix:/run/submission" }}

        [bob]
        password = "{HASH}"
        upstream = "embedded"
        """,
    )
    users = read_users(file)
    alice, guest, bob = users.everybody
    assert alice.upstreams == {
        "imap": TcpAddress("10.0.0.5", 143),
        "pop3": TcpAddress("10.0.0.5", 143),
        "smtp": TcpAddress("10.0.0.5", 143),
    }
    assert alice.protocols == ("imap", "pop3")
    assert alice.networks == (ip_network("127.0.0.0/8"), ip_network("::1"))
    assert guest.upstreams == {
        "imap": TcpAddress("2001:db8::1", 993),
        "smtp": UnixAddress(Path("/run/submission")),
    }
    assert bob.upstreams["pop3"] == EmbeddedAddress()
    assert users.find("grüße".encode()) == guest
    assert users.without_upstream("imap") == ()
    assert users.without_upstream("pop3") == ("grüße",)


def test_shipped_users_log_in_with_the_words_of_the_tale() -> None:
    users = read_users(Path(__file__).parents[2] / "conf" / "users.toml")
    assert users.names == {"alice@example.org", "bob@example.org"}
    for name, password in (("alice", b"wonderland"), ("bob", b"builder")):
        user = users.find(f"{name}@example.org".encode())
        assert user is not None
        assert user.password.verify(password)


BAD: list[tuple[str, KeyPath, str, str]] = [
    (
        "",
        (),
        "no users",
        'add one: ["alice@example.org"], password = "$scrypt$…"',
    ),
    (
        "[alice]",
        ("alice",),
        "no password",
        "add one: `mailssl-trio hash-password`",
    ),
    (
        "[alice]\npassword = 1",
        ("alice", "password"),
        "a password is a string, not a number",
        "write the hash in quotes",
    ),
    (
        '[alice]\npassword = "{PLAIN}wonderland"',
        ("alice", "password"),
        "unknown password scheme {PLAIN}",
        "make a hash with `mailssl-trio hash-password` (known: $scrypt$, {SSHA}, "
        "{PBKDF2}, $pbkdf2-sha256$, $argon2id$, $2b$)",
    ),
    (
        'password = "wonderland"',
        ("password",),
        "a user is a table, not a string",
        'write it below a line like ["alice@example.org"]',
    ),
    (
        "[[alice]]",
        ("alice",),
        "a user is a table, not an array",
        'write it below a line like ["alice@example.org"]',
    ),
    (
        PASSWORD + "upstreams = 1",
        (ALICE, "upstreams"),
        "unknown key",
        "did you mean `upstream`?",
    ),
    (
        PASSWORD + "quota = 1",
        (ALICE, "quota"),
        "unknown key",
        "known are password, upstream, protocols, networks, upstream_user,"
        " upstream_password",
    ),
    (
        f'[joe]\npassword = "{HASH}"\n[joe.bloggs]\npassword = "{HASH}"',
        ("joe", "bloggs"),
        "unknown key",
        'a name with a dot needs quotes: ["joe.bloggs"]',
    ),
    (
        f'[""]\npassword = "{HASH}"',
        ("",),
        "no user can present this name",
        "write a plain name",
    ),
    (
        f'["a\\r\\nb"]\npassword = "{HASH}"',
        ("a\r\nb",),
        "no user can present this name",
        "write a plain name",
    ),
    (
        PASSWORD + "upstream = 143",
        (ALICE, "upstream"),
        "an address is a string, not a number",
        "write HOST:PORT, [IPv6]:PORT, unix:PATH or embedded",
    ),
    (
        PASSWORD + 'upstream = "10.0.0.5"',
        (ALICE, "upstream"),
        '"10.0.0.5" is no address with a port: port out of range',
        "write HOST:PORT, [IPv6]:PORT, unix:PATH or embedded",
    ),
    (
        PASSWORD + 'upstream = "::1:143"',
        (ALICE, "upstream"),
        '"::1:143" is no address with a port: '
        "neither HOST:PORT, [IPv6]:PORT, unix:PATH nor embedded",
        "write HOST:PORT, [IPv6]:PORT, unix:PATH or embedded",
    ),
    (
        PASSWORD + "upstream = {}",
        (ALICE, "upstream"),
        "names no protocol",
        "leave it out, or fill it",
    ),
    (
        PASSWORD + 'upstream = { nntp = "a:1" }',
        (ALICE, "upstream", "nntp"),
        'unknown protocol "nntp"',
        "known: imap, pop3, smtp",
    ),
    (
        PASSWORD + "upstream = { imap = true }",
        (ALICE, "upstream", "imap"),
        "an address is a string, not a boolean",
        "write HOST:PORT, [IPv6]:PORT, unix:PATH or embedded",
    ),
    (
        PASSWORD + 'protocols = "imap"',
        (ALICE, "protocols"),
        "an array of strings is needed, not a string",
        'write protocols = ["…"], or leave it out',
    ),
    (
        PASSWORD + "protocols = []",
        (ALICE, "protocols"),
        "an empty array would keep the user out",
        'write protocols = ["…"], or leave it out',
    ),
    (
        PASSWORD + 'protocols = ["imap", "IMAP"]',
        (ALICE, "protocols", 1),
        'unknown protocol "IMAP"',
        "known: imap, pop3, smtp",
    ),
    (
        PASSWORD + "networks = [2024-01-01]",
        (ALICE, "networks"),
        "an array of strings is needed, not of a date or time",
        'write networks = ["…"], or leave it out',
    ),
    (
        PASSWORD + 'networks = ["10.0.0.1/8"]',
        (ALICE, "networks", 0),
        '"10.0.0.1/8" is no network',
        "did you mean 10.0.0.0/8?",
    ),
    (
        PASSWORD + 'networks = ["::1", "localhost"]',
        (ALICE, "networks", 1),
        '"localhost" is no network',
        "write it as in 192.0.2.0/24, 192.0.2.1 or 2001:db8::/32",
    ),
]


@pytest.mark.parametrize(("document", "keys", "text", "remedy"), BAD)
def test_mistake_is_named_with_its_place_and_its_remedy(
    tmp_path: Path, document: str, keys: KeyPath, text: str, remedy: str
) -> None:
    with pytest.raises(UsersFileError) as wrong:
        read_users(written(tmp_path, document))
    (problem,) = wrong.value.problems
    assert (problem.keys, problem.text, problem.remedy) == (keys, text, remedy)
    assert problem.line is None
    assert not problem.denied


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
        [alice]
        pasword = "x"
        networks = ["10.0.0.1/8", "x"]
        [bob]
        password = "x"
        upstream = { imap = "x", pop = "a:110" }
        """,
    )
    with pytest.raises(UsersFileError) as wrong:
        read_users(file)
    assert [problem.keys for problem in wrong.value.problems] == [
        ("alice", "pasword"),
        ("alice",),
        ("alice", "networks", 0),
        ("alice", "networks", 1),
        ("bob", "password"),
        ("bob", "upstream", "imap"),
        ("bob", "upstream", "pop"),
    ]


@pytest.mark.parametrize(
    ("document", "line", "text"),
    [
        (
            b"[alice@example.org]",
            1,
            "not TOML: Expected ']' at the end of a table declaration",
        ),
        (b"\n[a]\n[a]", 3, "not TOML: Cannot declare ('a',) twice"),
        (b"a = " + b"[" * 5000, None, "not TOML: "),
        (b"a = " + b"1" * 5000, None, "not TOML: "),
        (b"[caf\xe9]", None, "not UTF-8"),
    ],
)
def test_file_that_is_no_toml_is_one_problem(
    tmp_path: Path, document: bytes, line: int | None, text: str
) -> None:
    file = tmp_path / "users.toml"
    file.write_bytes(document)
    with pytest.raises(UsersFileError) as wrong:
        read_users(file)
    (problem,) = wrong.value.problems
    assert problem.keys == ()
    assert problem.line == line
    assert problem.text.startswith(text)


def test_file_that_is_not_there_is_wrong_but_not_denied(tmp_path: Path) -> None:
    with pytest.raises(UsersFileError) as wrong:
        read_users(tmp_path / "users.toml")
    (problem,) = wrong.value.problems
    assert problem.text == "cannot be opened: No such file or directory"
    assert not problem.denied


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_file_that_may_not_be_opened_is_denied(tmp_path: Path) -> None:
    file = written(tmp_path, PASSWORD)
    file.chmod(0)
    with pytest.raises(UsersFileError) as wrong:
        read_users(file)
    (problem,) = wrong.value.problems
    assert problem.denied


@pytest.mark.parametrize(
    "secret", ["tan staaf", "$tan$staaf", "$scrypt$tan staaf", "{SSHA}tan staaf", "a{"]
)
def test_password_written_in_place_of_a_hash_is_not_repeated(
    tmp_path: Path, secret: str
) -> None:
    document = f'[alice]\npassword = "{secret}"\npasword = "{secret}"'
    with pytest.raises(UsersFileError) as wrong:
        read_users(written(tmp_path, document))
    said = [str(problem) for problem in wrong.value.problems]
    assert len(said) == 2
    assert not any("staaf" in line or "a{" in line for line in said)
