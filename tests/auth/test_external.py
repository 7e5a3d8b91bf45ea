"""EXTERNAL with a file of users: a verified certificate says who it is."""

from pathlib import Path

import pytest
import trio
from attrs import evolve

from mailssl_trio.auth.passwords import parse_hash
from mailssl_trio.auth.route import LoginAttempt, Route
from mailssl_trio.auth.users import User, Users
from mailssl_trio.auth.users_authenticator import UsersAuthenticator
from mailssl_trio.auth.users_file import UsersFileError, read_users
from mailssl_trio.protocol.credentials import External, Password, Reason, Rejected
from mailssl_trio.protocol.events import TlsInfo
from mailssl_trio.protocol.introduction import Introduction
from mailssl_trio.transport.address import EmbeddedAddress, TcpAddress
from mailssl_trio.transport.upstream import Upstream
from tests.tls.certificates.test_persons import COMMON, der

REFUSED = Rejected(Reason.AUTHENTICATIONFAILED)
HASH = "$scrypt$ln=1,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"
SHARED = Upstream(TcpAddress("backend", 143))

ALICE = User("alice", parse_hash(HASH), upstream_password=b"for the backend")
BOB = User("bob", parse_hash(HASH), upstream_user=b"bob*master", upstream_password=b"m")
CAROL = User("carol", parse_hash(HASH))
DAVE = User("dave", parse_hash(HASH), {"imap": EmbeddedAddress()})
FAR = User("far", parse_hash(HASH), protocols=("smtp",), upstream_password=b"x")

ALICES = der((COMMON, "alice"))


def attempt(
    name: bytes, certificate: bytes | None = ALICES, verified: str = "SUCCESS"
) -> LoginAttempt:
    tls = TlsInfo("TLSv1.3", verified=verified, certificate=certificate)
    client = Introduction("192.0.2.7")
    return LoginAttempt(External(name), "imap", client, tls)


async def judge(attempt: LoginAttempt) -> object:
    users = Users((ALICE, BOB, CAROL, DAVE, FAR))
    return await UsersAuthenticator(users, SHARED, trio.CapacityLimiter(1)).judge(
        attempt
    )


@pytest.mark.parametrize("name", [b"", b"alice"])
async def test_whom_a_certificate_names_goes_on_with_a_password_of_ours(
    name: bytes,
) -> None:
    """RFC 4422 appendix A: an empty name leaves it to the certificate."""
    credentials = Password(b"alice", b"for the backend")
    assert await judge(attempt(name)) == Route(SHARED, credentials, judged=True)


async def test_a_backend_may_know_a_user_by_another_name() -> None:
    """As Dovecot's master login does."""
    found = await judge(attempt(b"", der((COMMON, "bob"))))
    assert found == Route(SHARED, Password(b"bob*master", b"m"), judged=True)


async def test_the_embedded_mailbox_wants_no_password() -> None:
    found = await judge(attempt(b"", der((COMMON, "dave"))))
    within = Upstream(EmbeddedAddress())
    assert found == Route(within, Password(b"dave", b""), judged=True)


async def test_who_has_no_password_for_the_backend_is_sent_to_the_administrator() -> (
    None
):
    found = await judge(attempt(b"", der((COMMON, "carol"))))
    assert found == Rejected(Reason.CONTACTADMIN)


@pytest.mark.parametrize(
    "stranger",
    [
        attempt(b"bob"),
        attempt(b"Alice"),
        attempt(b"", None, "NONE"),
        attempt(b"alice", verified="FAILED:certificate has expired"),
        attempt(b"alice", verified=""),
        attempt(b"mallory", der((COMMON, "mallory"))),
        attempt(b"", der((COMMON, "alice"), (COMMON, "bob"))),  # which of them?
        attempt(b"", der((COMMON, "far"))),  # by another protocol only
        evolve(attempt(b"alice"), tls=None),
    ],
)
async def test_whom_no_verified_certificate_names_is_nobody(
    stranger: LoginAttempt,
) -> None:
    assert await judge(stranger) == REFUSED


async def test_who_is_named_with_others_must_say_who_it_is() -> None:
    both = der((COMMON, "alice"), (COMMON, "bob"))
    found = await judge(attempt(b"alice", both))
    assert isinstance(found, Route)
    assert found.credentials.authcid == b"alice"


TABLE = f'[alice]\npassword = "{HASH}"\n'


def users_in(directory: Path, *lines: str, mode: int = 0o600) -> Users:
    file = directory / "users.toml"
    file.write_text(TABLE + "\n".join(lines))
    file.chmod(mode)
    return read_users(file)


def test_what_a_backend_is_told_stands_in_the_users_file(tmp_path: Path) -> None:
    users = users_in(
        tmp_path, 'upstream_user = "alice*master"', 'upstream_password = "pass wörd"'
    )
    (alice,) = users.everybody
    assert alice.upstream_user == b"alice*master"
    assert alice.upstream_password == "pass wörd".encode()
    assert "pass" not in repr(alice).replace("password", "")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['upstream_password = ""'], "no login can present this"),
        (['upstream_password = "a\\nb"'], "no login can present this"),
        (["upstream_password = 5"], "a string is needed, not a number"),
        (['upstream_user = "x"'], "has a name for the backend, and no password"),
        (['upstream_user = "\\u0000"', 'upstream_password = "x"'], "no login can"),
    ],
)
def test_what_no_backend_could_be_told_is_named_and_not_quoted(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    with pytest.raises(UsersFileError, match=said):
        users_in(tmp_path, *lines)


def test_a_file_of_passwords_is_for_nobody_else(tmp_path: Path) -> None:
    with pytest.raises(UsersFileError, match=r"open to every user \(mode 0604\)"):
        users_in(tmp_path, 'upstream_password = "x"', mode=0o604)
    assert users_in(tmp_path, 'upstream_password = "x"', mode=0o640)
    assert users_in(tmp_path, mode=0o644)
