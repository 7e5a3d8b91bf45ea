"""Several pairs at once, keys that need a passphrase, and PEM without a file."""

from pathlib import Path
from ssl import CERT_REQUIRED, PROTOCOL_TLS_SERVER, SSLContext

import pytest
from attrs import evolve
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat
from trustme import CA, KeyType

from mailssl_trio.files import Files
from mailssl_trio.tls.certificates.pairs import pairs_of
from mailssl_trio.tls.context import client_context, server_context
from mailssl_trio.tls.openssl import BENEATH_PYTHON
from mailssl_trio.tls.policy import BackendTlsPolicy, Inline, Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsProblem, TlsSettingsError
from mailssl_trio.tls.server import ServerTls
from tests.tls.certificates.issuing import issue, lock, pair_of, self_signed, write
from tests.tls.clients import client
from tests.tls.handshake import (
    HANDSHAKE_FAILURE,
    Alert,
    Declined,
    Secured,
    shake_hands,
)
from tests.tls.pairs import certificate_of, key_of


def problems(policy: TlsPolicy) -> tuple[TlsProblem, ...]:
    with pytest.raises(TlsSettingsError) as caught:
        server_context(policy, "imap")
    return caught.value.problems


def shown(server: SSLContext, to: SSLContext, name: str = "localhost") -> str:
    """Return the type of key that a client is shown."""
    outcome = shake_hands(server, to, name)
    assert isinstance(outcome, Secured), outcome
    der = outcome.client.getpeercert(binary_form=True)
    assert der is not None
    key = x509.load_der_x509_certificate(der).public_key()
    return "RSA" if isinstance(key, rsa.RSAPublicKey) else "ECDSA"


RSA, ECDSA = "RSA-PSS+SHA256:RSA+SHA256", "ECDSA+SHA256"


def who_verifies(cas: list[CA], version: str, algorithms: str) -> SSLContext:
    """Return a client that believes signatures of these algorithms only."""
    assert BENEATH_PYTHON is not None
    context = client(cas[0], version)
    for ca in cas[1:]:
        ca.configure_trust(context)
    name = "SignatureAlgorithms"
    assert BENEATH_PYTHON.configure(context, name, algorithms) is None
    return context


# Types of key.


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("order", [1, -1], ids=["RSA first", "ECDSA first"])
def test_each_client_is_shown_the_key_that_it_can_verify_with_its_own_chain(
    order: int, version: str, tmp_path: Path
) -> None:
    kinds = (KeyType.RSA, KeyType.ECDSA)[::order]
    roots = [CA(key_type=kind) for kind in kinds]
    pairs = tuple(
        pair_of(
            root.create_child_ca(kind).issue_cert("localhost", key_type=kind), tmp_path
        )
        for root, kind in zip(roots, kinds, strict=True)
    )
    server = server_context(TlsPolicy(pairs), "imap")
    assert shown(server, who_verifies(roots, version, RSA)) == "RSA"
    assert shown(server, who_verifies(roots, version, ECDSA)) == "ECDSA"


def test_a_client_of_the_other_key_is_refused_where_there_is_one(
    policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(policy, "imap")
    outcome = shake_hands(server, who_verifies([ca], "TLSv1.3", RSA))
    assert outcome == Alert(HANDSHAKE_FAILURE)


def test_old_ciphers_choose_the_key_too(ca: CA, tmp_path: Path) -> None:
    pairs = tuple(issue(ca, tmp_path, "localhost", key_type=k) for k in KeyType)
    server = server_context(TlsPolicy(pairs), "imap")
    for ciphers, kind in (("aRSA", "RSA"), ("aECDSA", "ECDSA")):
        assert shown(server, client(ca, "TLSv1.2", ciphers=ciphers)) == kind


# Names. What leads where is in test_choice.py; here is what else the pairs share.


def test_the_first_pair_is_shown_unless_others_are_asked_for(
    ca: CA, tmp_path: Path
) -> None:
    first, second = (issue(ca, tmp_path, name) for name in ("a.example", "b.example"))
    policy = TlsPolicy((first, second))
    default = server_context(policy, "imap")
    other = server_context(policy, "imap", pairs=(second,))
    assert isinstance(shake_hands(default, client(ca), "a.example"), Secured)
    assert isinstance(shake_hands(default, client(ca), "b.example"), Declined)
    assert isinstance(shake_hands(other, client(ca), "b.example"), Secured)


@pytest.mark.parametrize("wrong", [0, 1])
def test_every_pair_is_judged_although_one_is_shown(
    wrong: int, ca: CA, tmp_path: Path
) -> None:
    pairs = [issue(ca, tmp_path, name) for name in ("a.example", "b.example")]
    pairs[wrong] = evolve(pairs[wrong], key=pairs[1 - wrong].key)
    (problem,) = problems(TlsPolicy(tuple(pairs)))
    assert problem.directive == "ssl_certificate_key"
    assert problem.text == (
        f"pair {wrong + 1}: the key in {pairs[wrong].key} belongs to another"
        f" certificate than {pairs[wrong].certificate}"
    )


def test_a_pair_that_cannot_be_read_does_not_vanish(ca: CA, tmp_path: Path) -> None:
    good, broken = issue(ca, tmp_path, "a.example"), write(tmp_path, b"nothing")
    policy = TlsPolicy((good, Pair(broken, broken)))
    (problem, *_) = problems(policy)
    assert problem.text == f"pair 2: {broken} is not PEM"
    with pytest.raises(TlsSettingsError, match=r"pair 2: .* is not PEM"):
        ServerTls(policy, "imap", Files())


def test_the_same_pair_twice_is_a_mistake(policy: TlsPolicy) -> None:
    (problem,) = problems(evolve(policy, pairs=policy.pairs * 2))
    assert problem.text == "pair 2 is the same as pair 1"


def test_the_key_of_one_type_does_not_pass_for_that_of_another(
    ca: CA, tmp_path: Path
) -> None:
    """In one context for both OpenSSL would find nothing wrong."""
    first, second = (issue(ca, tmp_path, "localhost", key_type=k) for k in KeyType)
    (problem,) = problems(TlsPolicy((first, evolve(second, key=first.key))))
    assert "pair 2: the key in " in problem.text
    assert "belongs to another certificate" in problem.text


@pytest.mark.parametrize(
    "names",
    [
        b"garbage",  # which OpenSSL does not take either
        b"\x30\x08\x82\x06m\xfcller",  # which it does, since it does not look
    ],
)
def test_names_that_nobody_can_read_are_a_problem(
    names: bytes, policy: TlsPolicy, tmp_path: Path
) -> None:
    extension = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, names)
    made = self_signed(extension=extension)
    pair = Pair(write(tmp_path, made.certificate), write(tmp_path, made.key))
    (problem,) = problems(evolve(policy, pairs=(pair,)))
    assert problem.directive == "ssl_certificate"
    assert "holds names or dates that cannot be read" in problem.text


# Keys behind a passphrase.

LOCKED_WITH_NOTHING = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhOa4L+1Bw4XgICA+gw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEL0HBlePHM40+Qs4/I7O1UcEgZCp
3rwfFewXIvp/m4VYdjo8zMMUd9+G5bQwx6DG3XCnjy7rwcl95K4HJNAl8eg1C5tZ
DwDf1a7/IVa7zF2HChKh2aT6ECVBJlp4pChD5emVWDo2i9kwQMb5OFch6DbYfJVr
dIjTqw7G/zJhCBWSTA2HLDYRno1cQI9+rXj9XatvQDjau8t1dZWEOq0HIiWuuRk=
-----END ENCRYPTED PRIVATE KEY-----
"""  # openssl pkcs8 -topk8 -passout pass:
ITS_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBjDCCATOgAwIBAgIUDyPTokQSdAo59VXxBaSXogjv/yUwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFZW1wdHkwIBcNMjYxMTI1MTQyNjIzWhgPMjEyNjExMDExNDI2
MjNaMBAxDjAMBgNVBAMMBWVtcHR5MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
80Xm1z1t0cbX+crl+YOmKiq0AKU3+MvtNx1U/Q/Mo46cxdy7xTI6Qiz7eMUNtude
iQwivitftlcVqopUuNVP8aNpMGcwHQYDVR0OBBYEFN5L1F9WzzoUrthueaymkigF
JAwuMB8GA1UdIwQYMBaAFN5L1F9WzzoUrthueaymkigFJAwuMA8GA1UdEwEB/wQF
MAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0MAoGCCqGSM49BAMCA0cAMEQCIAt3
ahM58Sn2+HU489FSUO3vqBg/yc5VbGjSiHpWdzroAiBRNF2cRtxNtpddLi5PzbWW
3tmoXb69hgnV7WK4vJZDlQ==
-----END CERTIFICATE-----
"""


def locked(policy: TlsPolicy, passphrase: bytes, lines: bytes) -> TlsPolicy:
    """Lock the key of a policy, and write a file of passphrases."""
    key = key_of(policy)
    key.write_bytes(lock(key.read_bytes(), passphrase))
    return evolve(policy, password_file=write(key.parent, lines))


@pytest.mark.parametrize(
    "lines",
    [
        b"sesame",
        b"sesame\n",
        b"sesame\r\n",
        b"\n\nwrong\nsesame\nwrong",
        b"wrong\r\n\r\nsesame\r\n",
        b"x" * 4095 + b"\nsesame\n",
        b"\0\n\xff\nsesame",
    ],
)
def test_passphrases_are_tried_a_line_each(
    lines: bytes, policy: TlsPolicy, ca: CA
) -> None:
    server = server_context(locked(policy, b"sesame", lines), "imap")
    assert isinstance(shake_hands(server, client(ca)), Secured)


@pytest.mark.parametrize("encoding", [PrivateFormat.TraditionalOpenSSL])
def test_keys_are_opened_in_the_old_encoding_too(
    encoding: PrivateFormat, policy: TlsPolicy, ca: CA
) -> None:
    key = key_of(policy)
    key.write_bytes(lock(key.read_bytes(), b"sesame", encoding))
    file = write(key.parent, b"wrong\nsesame\n")
    server = server_context(evolve(policy, password_file=file), "imap")
    assert isinstance(shake_hands(server, client(ca)), Secured)


def test_each_of_several_keys_has_its_own(ca: CA, tmp_path: Path) -> None:
    leaves = [ca.issue_cert("localhost", key_type=kind) for kind in KeyType]
    pairs = tuple(
        Pair(
            write(tmp_path, leaf.cert_chain_pems[0].bytes()),
            write(tmp_path, lock(leaf.private_key_pem.bytes(), passphrase)),
        )
        for leaf, passphrase in zip(leaves, (b"one", b"other"), strict=True)
    )
    file = write(tmp_path, b"one\nother\n")
    server = server_context(TlsPolicy(pairs, password_file=file), "imap")
    for ciphers, kind in (("aRSA", "RSA"), ("aECDSA", "ECDSA")):
        assert shown(server, client(ca, "TLSv1.2", ciphers=ciphers)) == kind


@pytest.mark.parametrize("lines", [b"", b"\n", b"\r\n\n"])
def test_a_file_without_a_passphrase_stands_for_the_empty_one(
    lines: bytes, policy: TlsPolicy, ca: CA
) -> None:
    key_of(policy).write_text(LOCKED_WITH_NOTHING)
    certificate_of(policy).write_text(ITS_CERTIFICATE)
    file = write(key_of(policy).parent, lines)
    server = server_context(evolve(policy, password_file=file), "imap")
    assert isinstance(shake_hands(server, client(None)), Secured)


@pytest.mark.parametrize("lines", [b"barley\n", b"barley\nrye\n", b""])
def test_a_passphrase_that_does_not_fit_is_said_and_not_shown(
    lines: bytes, policy: TlsPolicy
) -> None:
    (problem,) = problems(locked(policy, b"sesame", lines))
    assert problem.directive == "ssl_certificate_key"
    assert "is encrypted, and no passphrase of ssl_password_file fits" in problem.text
    assert "barley" not in repr(problem)


def test_a_key_that_needs_none_does_not_mind_a_file_of_them(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    file = write(tmp_path, b"sesame\n")
    server_context(evolve(policy, password_file=file), "imap")


@pytest.mark.parametrize(
    ("lines", "mode", "text"),
    [
        (b"x" * 4096, 0o600, "line 1 of "),
        (b"sesame\n" + b"x" * 5000 + b"\n", 0o600, "line 2 of "),
        (b"sesame\n", 0o644, "is open to every user (mode 0644)"),
    ],
)
def test_files_of_passphrases_that_will_not_do(
    lines: bytes, mode: int, text: str, policy: TlsPolicy
) -> None:
    wrong = locked(policy, b"sesame", lines)
    assert wrong.password_file is not None
    wrong.password_file.chmod(mode)
    (problem,) = problems(wrong)
    assert problem.directive == "ssl_password_file"
    assert text in problem.text


def test_a_file_of_passphrases_that_is_missing_is_one_problem(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    wrong = evolve(locked(policy, b"sesame", b""), password_file=tmp_path / "missing")
    (problem,) = problems(wrong)
    assert problem.directive == "ssl_password_file"
    assert problem.text.endswith("missing does not exist")


def test_how_pairs_are_read_does_not_print_what_opens_them(policy: TlsPolicy) -> None:
    pairs, _problems = pairs_of(locked(policy, b"sesame", b"sesame\n"), Files())
    assert pairs.passphrases == (b"sesame",)
    assert "sesame" not in repr(pairs)


# PEM in the configuration itself.


def inline(policy: TlsPolicy) -> Pair:
    return Pair(
        Inline(certificate_of(policy).read_text()), Inline(key_of(policy).read_text())
    )


def test_pem_may_stand_in_the_configuration(policy: TlsPolicy, ca: CA) -> None:
    server = server_context(evolve(policy, pairs=(inline(policy),)), "imap")
    assert isinstance(shake_hands(server, client(ca)), Secured)


@pytest.mark.parametrize(
    ("certificate", "key", "text"),
    [
        ("nonsense", "", "data:… is not PEM"),
        ("", "nonsense", "data:… is not PEM"),
        ("", "swap", "the key in data:… belongs to another certificate than data:…"),
    ],
)
def test_and_is_never_shown_when_it_is_wrong(
    certificate: str, key: str, text: str, policy: TlsPolicy
) -> None:
    pair = inline(policy)
    if certificate:
        pair = evolve(pair, certificate=Inline(certificate))
    if key:
        wrong = self_signed().key.decode() if key == "swap" else key
        pair = evolve(pair, key=Inline(wrong))
    (problem,) = problems(evolve(policy, pairs=(pair,)))
    assert problem.text == text
    assert "nonsense" not in repr(problem)
    assert "BEGIN" not in repr(problem)


# Files that were handed down.


def test_a_context_is_built_of_what_was_read_before_and_not_of_the_disk(
    policy: TlsPolicy, ca: CA
) -> None:
    files = Files()
    server_context(policy, "imap", files)
    certificate_of(policy).unlink()
    key_of(policy).write_bytes(b"half wri")
    handed_down = Files(files.known, on_disk=False)
    server = server_context(policy, "imap", handed_down)
    assert isinstance(shake_hands(server, client(ca)), Secured)
    with pytest.raises(TlsSettingsError, match="does not exist"):
        server_context(policy, "imap", Files(on_disk=False))


def test_nothing_of_it_stays_open(policy: TlsPolicy) -> None:
    def open_now() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    server_context(policy, "imap")
    before = open_now()
    server_context(policy, "imap")
    assert open_now() == before


# What we show to backends.


def test_a_backend_that_asks_is_shown_our_certificate(ca: CA, tmp_path: Path) -> None:
    server = SSLContext(PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(server)
    ca.configure_trust(server)
    server.verify_mode = CERT_REQUIRED
    known = BackendTlsPolicy(verify=False, pair=issue(ca, tmp_path, "gateway.example"))
    outcome = shake_hands(server, client_context(known))
    assert isinstance(outcome, Secured)
    peer = outcome.server.getpeercert()
    assert peer is not None
    assert peer["subjectAltName"] == (("DNS", "gateway.example"),)
    unknown = client_context(evolve(known, pair=None, protocols=("TLSv1.2",)))
    assert isinstance(shake_hands(server, unknown), Alert)


def test_what_is_wrong_with_it_has_its_own_names(
    policy: TlsPolicy, tmp_path: Path
) -> None:
    pair = Pair(tmp_path / "missing", write(tmp_path, lock(self_signed().key, b"x")))
    shown = BackendTlsPolicy(verify=False, pair=pair)
    with pytest.raises(TlsSettingsError) as caught:
        client_context(shown)
    (problem,) = caught.value.problems
    assert problem.directive == "proxy_ssl_certificate"
    shown = evolve(shown, pair=evolve(pair, certificate=certificate_of(policy)))
    with pytest.raises(TlsSettingsError) as caught:
        client_context(shown)
    (problem,) = caught.value.problems
    assert problem.directive == "proxy_ssl_certificate_key"
    assert "is encrypted, and nobody is asked for the passphrase" in problem.text


def test_one_file_for_both_is_complained_of_once(tmp_path: Path) -> None:
    file = tmp_path / "pair.pem"
    file.write_text("nothing")
    (found,) = problems(TlsPolicy((Pair(file, file),)))
    assert found.directive == "ssl_certificate"
