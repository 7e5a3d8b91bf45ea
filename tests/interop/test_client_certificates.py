"""``ssl_verify_client``, as openssl s_client sees it at every door.

The handshake never fails on a certificate. Who may not stay is told so in the words of
the protocol, where the greeting would stand.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import frozen
from trustme import CA, LeafCert

from tests.interop.gateway import SHIPPED_PORTS, Door, Doors, mail_table, serving
from tests.interop.machine import run
from tests.tls.certificates.issuing import DAY, NOW, crl_of, write

pytestmark = pytest.mark.interop

TABLE = """
certificate   on         optional   optional_no_ca

good          welcome    welcome    welcome
foreign       bad        bad        welcome
expired       bad        bad        bad
revoked       bad        bad        bad
none          required   welcome    welcome
"""

_, *MODES = TABLE.split("\n")[1].split()
ROWS = [line.split() for line in TABLE.splitlines()[3:]]
CELLS = [
    (shown, mode, outcome)
    for shown, *outcomes in ROWS
    for mode, outcome in zip(MODES, outcomes, strict=True)
]

ON = [(shown, outcome) for shown, mode, outcome in CELLS if mode == "on"]

each_version = pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])

REFUSALS = {
    "bad": {
        "imap": "* BYE SSL certificate error\n",
        "pop3": "-ERR SSL certificate error\n",
        "smtp": "421 4.7.1 SSL certificate error\n",
    },
    "required": {
        "imap": "* BYE No required SSL certificate\n",
        "pop3": "-ERR No required SSL certificate\n",
        "smtp": "421 4.7.1 No required SSL certificate\n",
    },
}
"""nginx-compatible, so that clients and people find what they know."""

WELCOMES = {
    ("imap", "tls"): "* OK [CAPABILITY ",
    ("pop3", "tls"): "+OK POP3 ready\n",
    ("smtp", "tls"): "220 localhost ESMTP ready\n",
    ("imap", "starttls"): "a OK ",
    ("pop3", "starttls"): "+OK bye\n",
    ("smtp", "starttls"): "221 2.0.0 ",
}
"""Behind STARTTLS nothing is said until the client says something."""

GOODBYES = {"imap": b"a LOGOUT\n", "pop3": b"QUIT\n", "smtp": b"QUIT\n"}


@frozen
class House:
    """A gateway that asks for certificates at each door, in each mode."""

    directory: Path
    doors: Mapping[str, Doors]
    shown: Mapping[str, tuple[str | Path, ...]]
    """What openssl is told to show."""

    def visit(self, mode: str, door: Door, shown: str, *options: str | Path) -> str:
        """Return all that openssl has to say about a visit."""
        protocol, security = door
        starttls = ("-starttls", protocol) if security == "starttls" else ()
        port = self.doors[mode].ports[door]
        said = run(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}"),
            *("-ign_eof", "-crlf", *starttls, *self.shown[shown], *options),
            stdin=GOODBYES[protocol],
            expect=None,
        )
        return said.replace("\r", "")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("certificates")
    ca = CA()
    people = {
        "good": ca.issue_cert("alice@example.org"),
        "foreign": CA().issue_cert("alice@example.org"),
        "expired": ca.issue_cert(
            "alice@example.org", not_before=NOW - 9 * DAY, not_after=NOW - DAY
        ),
        "revoked": ca.issue_cert("mallory@example.org"),
    }
    shown = {name: as_options(leaf, directory) for name, leaf in people.items()}
    doors = {mode: Doors.anywhere(directory) for mode in MODES}
    servers = [
        {**server, "ssl_verify_client": mode}
        for mode in MODES
        for server in doors[mode].servers
    ]
    settings = mail_table(
        *servers,
        proxy_pass="127.0.0.1:1",
        ssl_client_certificate=str(write(directory, ca.cert_pem.bytes())),
        ssl_crl=str(write(directory, crl_of(ca, people["revoked"]))),
        ssl_session_cache="shared:SSL:1m",
    )
    with serving(directory, {**settings, "worker_processes": 2}):
        yield House(directory, doors, {**shown, "none": ()})


def as_options(leaf: LeafCert, directory: Path) -> tuple[str | Path, ...]:
    certificate = write(directory, leaf.cert_chain_pems[0].bytes())
    return (
        "-cert",
        certificate,
        "-key",
        write(directory, leaf.private_key_pem.bytes()),
    )


@each_version
@pytest.mark.parametrize(("shown", "mode", "outcome"), CELLS)
def test_who_may_not_stay_is_told_in_place_of_the_greeting(
    shown: str, mode: str, outcome: str, version: str, house: House
) -> None:
    for door in SHIPPED_PORTS:
        assert_outcome(outcome, door, house.visit(mode, door, shown, version))


def assert_outcome(outcome: str, door: Door, said: str) -> None:
    """See what came first, and that nothing came behind a refusal."""
    protocol, _ = door
    expected = {what: words[protocol] for what, words in REFUSALS.items()}
    expected["welcome"] = WELCOMES[door]
    heard = [what for what, words in expected.items() if words in said]
    assert heard == [outcome], said
    assert "alert" not in said, said


@each_version
@pytest.mark.parametrize(("shown", "outcome"), ON)
def test_who_comes_back_with_a_session_is_judged_again(
    shown: str, outcome: str, version: str, house: House, tmp_path: Path
) -> None:
    for door in SHIPPED_PORTS:
        session = tmp_path / "-".join(door)
        house.visit("on", door, shown, version, "-sess_out", session)
        said = house.visit("on", door, shown, version, "-sess_in", session)
        assert "\nReused, " in said or outcome != "welcome"
        assert_outcome(outcome, door, said)
