"""The development certificate: what is made, kept, mended and refused."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IMODE
from threading import Barrier

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from trustme import CA

from mailssl_trio.tls.certificates.development import (
    DevelopmentCertificate,
    development_certificate,
)
from mailssl_trio.tls.context import client_context, server_context
from mailssl_trio.tls.policy import BackendTlsPolicy, Pair, TlsPolicy
from mailssl_trio.tls.problems import TlsSettingsError
from tests.tls.handshake import Secured, shake_hands
from tests.tls.unprivileged import unprivileged

NAMES = ("localhost", "127.0.0.1", "::1")


def contents(files: DevelopmentCertificate) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files.ca.parent.iterdir()}


def changed(before: dict[str, bytes], files: DevelopmentCertificate) -> set[str]:
    return {name for name, data in contents(files).items() if before[name] != data}


def assert_believed(files: DevelopmentCertificate, *names: str) -> None:
    """Ask a client that knows nothing but the CA."""
    server = server_context(TlsPolicy((Pair(files.certificate, files.key),)), "imap")
    client = client_context(BackendTlsPolicy(trusted_certificate=files.ca))
    for name in names:
        assert isinstance(shake_hands(server, client, name), Secured)


@pytest.fixture(params=[0o022, 0o077], ids=["umask 022", "umask 077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def files(tmp_path: Path) -> DevelopmentCertificate:
    return development_certificate(tmp_path / "var" / "tls")


CA_FILES = {"ca.pem", "ca-key.pem"}
LEAF_FILES = {"cert.pem", "key.pem"}


def test_a_first_start_makes_what_clients_believe(
    files: DevelopmentCertificate,
) -> None:
    assert_believed(files, *NAMES)
    assert contents(files).keys() == CA_FILES | LEAF_FILES


@pytest.mark.usefixtures("umask")
def test_only_the_certificates_are_for_others(tmp_path: Path) -> None:
    directory = development_certificate(tmp_path / "tls").ca.parent
    modes = {path.name: S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert modes == {
        "ca.pem": 0o644,
        "ca-key.pem": 0o600,
        "cert.pem": 0o644,
        "key.pem": 0o600,
    }
    assert S_IMODE(directory.stat().st_mode) == 0o755


def test_a_second_start_keeps_everything(files: DevelopmentCertificate) -> None:
    before = contents(files)
    assert development_certificate(files.ca.parent) == files
    assert changed(before, files) == set()


def test_no_client_has_to_bear_a_certificate_of_more_than_397_days(
    files: DevelopmentCertificate,
) -> None:
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=397)
    assert leaf.not_valid_before_utc < datetime.now(UTC) - timedelta(hours=23)


def reissue(files: DevelopmentCertificate, ca: CA, days: float, *names: str) -> None:
    end = datetime.now(UTC) + timedelta(days=days)
    leaf = ca.issue_cert(*names, not_after=end)
    files.certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
    files.key.write_bytes(leaf.private_key_pem.bytes())


def own_ca(files: DevelopmentCertificate) -> CA:
    return CA.from_pem(files.ca.read_bytes(), files.ca_key.read_bytes())


def found_ca_for(files: DevelopmentCertificate, days: float) -> None:
    """Put a CA in place that ends so soon; trustme's own never do."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "old")])
    end = datetime.now(UTC) + timedelta(days=days)
    ski = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(end - timedelta(days=3650))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(ski, critical=False)
        .sign(key, SHA256())
    )
    files.ca.write_bytes(certificate.public_bytes(Encoding.PEM))
    files.ca_key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    reissue(files, own_ca(files), 100, *NAMES)


Age = Callable[[DevelopmentCertificate], object]


@pytest.mark.parametrize(
    ("age", "renewed"),
    [
        (lambda f: reissue(f, own_ca(f), 31, *NAMES), set()),
        (lambda f: reissue(f, own_ca(f), 29, *NAMES), LEAF_FILES),
        (lambda f: reissue(f, own_ca(f), -1, *NAMES), LEAF_FILES),
        (lambda f: reissue(f, own_ca(f), 300, *NAMES, "mx"), set()),
        (lambda f: reissue(f, own_ca(f), 300, "localhost"), LEAF_FILES),
        (lambda f: reissue(f, CA(), 300, *NAMES), LEAF_FILES),
        (lambda f: f.key.write_bytes(f.ca_key.read_bytes()), LEAF_FILES),
        (lambda f: f.certificate.write_bytes(b""), LEAF_FILES),
        (lambda f: f.key.unlink(), LEAF_FILES),
        (lambda f: f.key.chmod(0o640), LEAF_FILES),
        (lambda f: found_ca_for(f, 398), set()),
        (lambda f: found_ca_for(f, 396), CA_FILES | LEAF_FILES),
        (lambda f: f.ca.write_bytes(b"nothing"), CA_FILES | LEAF_FILES),
        (lambda f: f.ca.write_bytes(f.ca.read_bytes() * 2), set()),
        (lambda f: f.ca_key.write_bytes(f.key.read_bytes()), CA_FILES | LEAF_FILES),
        (lambda f: f.ca_key.unlink(), CA_FILES | LEAF_FILES),
        (lambda f: f.ca_key.chmod(0o644), CA_FILES | LEAF_FILES),
    ],
    ids=[
        "31 days left",
        "29 days left",
        "expired",
        "one name more",
        "names missing",
        "of a foreign CA",
        "key of another",
        "certificate empty",
        "key gone",
        "key open to the group",
        "CA outlives the next certificate",
        "CA does not",
        "CA broken",
        "CA twice in its file",
        "CA's key of another",
        "CA's key gone",
        "CA's key open to others",
    ],
)
def test_what_is_renewed(
    age: Age, renewed: set[str], files: DevelopmentCertificate
) -> None:
    age(files)
    before = dict.fromkeys(CA_FILES | LEAF_FILES, b"") | contents(files)
    development_certificate(files.ca.parent)
    assert changed(before, files) == renewed
    assert_believed(files, *NAMES)
    assert S_IMODE(files.key.stat().st_mode) == 0o600
    assert S_IMODE(files.ca_key.stat().st_mode) == 0o600


def test_other_names_are_a_reason_to_renew(files: DevelopmentCertificate) -> None:
    before = contents(files)
    development_certificate(files.ca.parent, ("mail.example.org", "10.0.0.1"))
    assert changed(before, files) == LEAF_FILES
    assert_believed(files, "mail.example.org", "10.0.0.1")


def test_a_directory_that_is_not_ours_is_a_problem_of_settings(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with unprivileged(), pytest.raises(TlsSettingsError) as caught:
        development_certificate(tmp_path)
    (problem,) = caught.value.problems
    assert problem.denied
    assert f"no development certificate can be kept in {tmp_path}" in problem.text


def test_a_file_in_the_place_of_the_directory_is_one_too(tmp_path: Path) -> None:
    (tmp_path / "tls").touch()
    with pytest.raises(TlsSettingsError, match="Not a directory"):
        development_certificate(tmp_path / "tls")


def test_starts_at_the_same_time_agree_on_one_ca(tmp_path: Path) -> None:
    starts = 8
    together = Barrier(starts)

    def start(directory: Path) -> tuple[bytes, bytes]:
        together.wait()
        files = development_certificate(directory)
        return files.ca.read_bytes(), files.key.read_bytes()

    for attempt in range(5):
        with ThreadPoolExecutor(starts) as threads:
            directory = tmp_path / str(attempt)
            assert len(set(threads.map(start, [directory] * starts))) == 1
        assert_believed(development_certificate(directory), *NAMES)
