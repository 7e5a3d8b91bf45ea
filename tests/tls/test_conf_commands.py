"""``ssl_conf_command``: OpenSSL's own words, which come last and win, but for some."""

from pathlib import Path
from ssl import OP_NO_TICKET, TLSVersion

import pytest
from attrs import evolve
from trustme import CA, KeyType

from mailssl_trio.files import Files
from mailssl_trio.tls.context import server_context
from mailssl_trio.tls.policy import Pair, TlsPolicy, VerifyClient
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from mailssl_trio.tls.server import ServerTls
from tests.tls.certificates.issuing import issue, lock, self_signed, write
from tests.tls.clients import client
from tests.tls.handshake import (
    HANDSHAKE_FAILURE,
    Alert,
    Declined,
    Secured,
    shake_hands,
)
from tests.tls.pairs import key_of
from tests.tls.test_parameters import FFDHE2048, OAKLEY768, parameters


def commanded(policy: TlsPolicy, *commands: str) -> TlsPolicy:
    pairs = (command.partition(" ") for command in commands)
    return evolve(
        policy, conf_commands=tuple((name, value) for name, _, value in pairs)
    )


def problems(policy: TlsPolicy, *commands: str) -> tuple[TlsProblem, ...]:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(commanded(policy, *commands), "imap")
    assert {p.directive for p in caught.value.problems} == {"ssl_conf_command"}
    return caught.value.problems


def problem(policy: TlsPolicy, *commands: str) -> TlsProblem:
    (only,) = problems(policy, *commands)
    return only


# They come last.


def test_a_command_wins_over_the_directives(policy: TlsPolicy) -> None:
    plain = server_context(policy, "imap")
    tickets = commanded(policy, "Options SessionTicket")
    assert plain.options & OP_NO_TICKET
    assert not server_context(tickets, "imap").options & OP_NO_TICKET
    narrow = commanded(policy, "MinProtocol TLSv1.3")
    assert plain.minimum_version == TLSVersion.TLSv1_2
    assert server_context(narrow, "imap").minimum_version == TLSVersion.TLSv1_3


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_command_says_how_many_tickets_there_are(
    number: int, policy: TlsPolicy
) -> None:
    said = commanded(policy, f"NumTickets {number}")
    assert ServerTls(said, "imap", Files()).context.num_tickets == number
    assert ServerTls(policy, "imap", Files()).context.num_tickets == 1


def test_among_commands_the_last_wins_whatever_the_case(policy: TlsPolicy) -> None:
    both = commanded(policy, "MaxProtocol TLSv1.3", "maxprotocol TLSv1.2")
    assert server_context(both, "imap").maximum_version == TLSVersion.TLSv1_2


def test_the_ciphers_of_tls_13_are_chosen_so(policy: TlsPolicy, ca: CA) -> None:
    wanted = "TLS_CHACHA20_POLY1305_SHA256"
    server = server_context(commanded(policy, f"Ciphersuites {wanted}"), "imap")
    outcome = shake_hands(server, client(ca, "TLSv1.3"))
    assert isinstance(outcome, Secured)
    assert outcome.client.cipher() == (wanted, "TLSv1.3", 256)


def test_a_certificate_that_a_command_names_is_shown_instead(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    other = CA()
    pair = issue(other, tmp_path, "localhost")
    said = (f"Certificate {pair.certificate}", f"PrivateKey {pair.key}")
    server = server_context(commanded(policy, *said), "imap")
    assert isinstance(shake_hands(server, client(other)), Secured)


def test_a_certificate_renewed_for_the_same_key_needs_no_other(
    policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    pair = issue(ca, tmp_path, "localhost")
    shown = evolve(policy, pairs=(pair,))
    server = server_context(commanded(shown, f"Certificate {pair.certificate}"), "imap")
    assert isinstance(shake_hands(server, client(ca)), Secured)


@pytest.mark.parametrize("word", list(VerifyClient))
def test_a_chain_is_completed_from_where_a_command_says(
    word: VerifyClient, tmp_path: Path
) -> None:
    root = CA()
    between = root.create_child_ca()
    leaf = between.issue_cert("localhost")
    certificate = write(tmp_path, leaf.cert_chain_pems[0].bytes())
    pair = Pair(certificate, write(tmp_path, leaf.private_key_pem.bytes()))
    ca = write(tmp_path, root.cert_pem.bytes())
    policy = TlsPolicy((pair,), verify_client=word, client_certificate=ca)
    server = server_context(policy, "imap")
    assert isinstance(shake_hands(server, client(root)), Declined)
    said = f"ChainCAFile {write(tmp_path, between.cert_pem.bytes())}"
    server = server_context(commanded(policy, said), "imap")
    assert isinstance(shake_hands(server, client(root)), Secured)


def test_parameters_may_come_by_a_command(ca: CA, tmp_path: Path) -> None:
    policy = TlsPolicy((issue(ca, tmp_path, "localhost", key_type=KeyType.RSA),))
    said = f"DHParameters {write(tmp_path, parameters(FFDHE2048))}"
    server = server_context(commanded(policy, said), "imap")
    outcome = shake_hands(server, client(ca, "TLSv1.2", ciphers="DHE"))
    assert isinstance(outcome, Secured)


def test_their_files_are_handed_down_like_others(
    policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    pair, files = issue(ca, tmp_path, "localhost"), Files()
    said = (f"Certificate {pair.certificate}", f"PrivateKey {pair.key}")
    wanted = commanded(policy, *said)
    server_context(wanted, "imap", files)
    assert isinstance(pair.key, Path)
    pair.key.unlink()
    server = server_context(wanted, "imap", Files(files.known, on_disk=False))
    assert isinstance(shake_hands(server, client(ca)), Secured)


# What OpenSSL does not take.


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("Nonsense x", "unknown command"),
        ("Options Nonsense", "bad value"),
        ("Options ", "bad value"),
        ("MinProtocol TLSv9", "bad value"),
        ("Ciphersuites NONSENSE", "no cipher match"),
        ("CipherString nonsense", "no cipher match"),
        ("Groups P-9", "invalid argument"),
    ],
)
def test_what_openssl_does_not_take_is_said_with_its_reason(
    command: str, reason: str, policy: TlsPolicy
) -> None:
    text = problem(policy, command).text
    assert text.startswith(f'OpenSSL does not take "{command}" (')
    assert reason in text


def test_every_command_is_judged(policy: TlsPolicy) -> None:
    said = problems(policy, "Nonsense 1", "Options SessionTicket", "Nonsense 2")
    assert [p.text.split('"')[1] for p in said] == ["Nonsense 1", "Nonsense 2"]


@pytest.mark.parametrize("command", ["Options SessionTicket\0", "Opt\0ions Bugs"])
def test_no_command_ends_early(command: str, policy: TlsPolicy) -> None:
    assert "is no command" in problem(policy, command).text


# What stays closed.


@pytest.mark.parametrize(
    "command",
    [
        "Options ClientRenegotiation",
        "Options +ClientRenegotiation",
        "options clientrenegotiation",
        "Options SessionTicket,ClientRenegotiation",
        "Options UnsafeLegacyRenegotiation",
        "Options -NoRenegotiation",
        "Options Compression",
    ],
)
def test_renegotiation_and_compression_stay_off(
    command: str, policy: TlsPolicy
) -> None:
    text = problem(policy, command).text
    assert text == f'"{command}" would allow clients to renegotiate, or to compress'


@pytest.mark.parametrize(
    "command",
    [
        "CipherString ALL:aNULL:@SECLEVEL=0",
        "CipherString HIGH:eNULL:@SECLEVEL=0",
        "cipherstring COMPLEMENTOFALL:@SECLEVEL=0",
        "CipherString ADH-AES128-SHA256:@SECLEVEL=0",
        "CipherString ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0",
    ],
)
def test_ciphers_that_protect_nobody_stay_out(command: str, policy: TlsPolicy) -> None:
    text = problem(policy, command).text
    assert text.endswith("would allow ciphers without authentication or encryption")


@pytest.mark.parametrize(
    "command", ["Options -SessionTicket", "Options Bugs", "CipherString HIGH:!aNULL"]
)
def test_the_neighbours_of_these_do_not(command: str, policy: TlsPolicy) -> None:
    server_context(commanded(policy, command), "imap")


# Their files.

OF_CERTIFICATES = ("Certificate", "VerifyCAFile", "RequestCAFile", "ChainCAFile")


@pytest.mark.parametrize("name", [*OF_CERTIFICATES, "ClientCAFile"])
def test_certificates_that_are_none(
    name: str, policy: TlsPolicy, tmp_path: Path
) -> None:
    assert (
        problem(policy, f"{name} {tmp_path}/x").text == f"{tmp_path}/x does not exist"
    )
    nothing = write(tmp_path, b"nothing")
    assert problem(policy, f"{name} {nothing}").text == f"{nothing} is not PEM"


def test_a_key_open_to_everybody(policy: TlsPolicy, tmp_path: Path) -> None:
    key = write(tmp_path, self_signed().key, mode=0o604)
    assert "is open to every user" in problem(policy, f"PrivateKey {key}").text


def test_a_key_that_would_ask_the_terminal(policy: TlsPolicy, tmp_path: Path) -> None:
    key = write(tmp_path, lock(self_signed().key, b"sesame"))
    found = problem(policy, f"PrivateKey {key}")
    assert "OpenSSL would ask the terminal" in found.text
    assert "ssl_password_file" in found.remedy


def test_a_key_of_another_certificate(policy: TlsPolicy, tmp_path: Path) -> None:
    key = write(tmp_path, self_signed().key)
    text = problem(policy, f"PrivateKey {key}").text
    assert text == f'OpenSSL does not take "PrivateKey {key}" (key values mismatch)'


def test_a_certificate_of_another_key(
    policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    """OpenSSL would drop the key without a word, and refuse every client."""
    other = issue(ca, tmp_path, "localhost").certificate
    text = problem(policy, f"Certificate {other}").text
    assert text == (
        f"the key in {key_of(policy)} belongs to another certificate than {other}"
    )


def test_a_prime_that_everybody_can_break(policy: TlsPolicy, tmp_path: Path) -> None:
    file = write(tmp_path, parameters(OAKLEY768))
    assert "has 768 bits" in problem(policy, f"DHParameters {file}").text


def test_a_file_of_server_information(policy: TlsPolicy, tmp_path: Path) -> None:
    missing, nothing = tmp_path / "missing", write(tmp_path, b"nothing")
    assert "does not exist" in problem(policy, f"ServerInfoFile {missing}").text
    assert "OpenSSL does not take" in problem(policy, f"ServerInfoFile {nothing}").text


@pytest.mark.parametrize(
    "name", ["ChainCAPath", "VerifyCAPath", "RequestCAPath", "ClientCAPath"]
)
def test_directories_would_be_read_in_the_midst_of_handshakes(
    name: str, policy: TlsPolicy, tmp_path: Path
) -> None:
    found = problem(policy, f"{name} {tmp_path}")
    assert "would have OpenSSL read the disk" in found.text
    assert found.remedy.endswith(f"for {name.removesuffix('Path')}File")


# The rest.


def test_a_python_that_hides_openssl_takes_none(policy: TlsPolicy) -> None:
    with pytest.raises(TlsSettingsError, match="cannot pass commands on") as caught:
        server_context(commanded(policy, "Options Bugs"), "imap", openssl=None)
    assert "Debian's python3" in caught.value.problems[0].remedy


def test_what_was_refused_has_no_say_in_later_handshakes(
    policy: TlsPolicy, ca: CA
) -> None:
    """OpenSSL keeps reasons in a queue, where others would take them for theirs."""
    server = server_context(policy, "imap")
    problems(policy, "CipherString nonsense", "Groups P-9")
    assert isinstance(shake_hands(server, client(ca)), Secured)
    outcome = shake_hands(server, client(ca, "TLSv1.2", ciphers="aRSA"))
    assert outcome == Alert(HANDSHAKE_FAILURE)


def test_the_same_pair_is_named_once_more_by_a_command(
    policy: TlsPolicy, ca: CA, tmp_path: Path
) -> None:
    kinds = [issue(ca, tmp_path, "localhost", key_type=kind) for kind in KeyType]
    said = [
        f"{name} {file}"
        for pair in kinds
        for name, file in (("Certificate", pair.certificate), ("PrivateKey", pair.key))
    ]
    server = server_context(commanded(policy, *said), "imap")
    for ciphers in ("aRSA", "aECDSA"):
        outcome = shake_hands(server, client(ca, "TLSv1.2", ciphers=ciphers))
        assert isinstance(outcome, Secured)
    crossed = Pair(kinds[0].certificate, kinds[1].key)
    wrong = (f"Certificate {crossed.certificate}", f"PrivateKey {crossed.key}")
    assert problems(policy, *wrong)
