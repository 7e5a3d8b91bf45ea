"""``ssl_certificate`` and ``ssl_certificate_key``."""

from collections.abc import Iterator
from pathlib import Path
from ssl import SSLError

import pytest
from attrs import frozen
from trustme import CA, KeyType

from tests.page.site import Server, Site, site
from tests.page.visit import visit, visitor

pytestmark = pytest.mark.process


@frozen
class Issued:
    """A gateway, and the CAs that stand behind its servers' certificates."""

    site: Site
    cas: dict[str, Path]

    def believed(self, name: str, ca: str) -> bool:
        """Whether a client that knows one CA believes a server."""
        try:
            visit(self.site, name, visitor(self.cas[ca]))
        except SSLError as error:
            assert error.reason == "CERTIFICATE_VERIFY_FAILED"  # noqa: PT017
            return False
        return True


def issue(directory: Path, ca: CA) -> tuple[str, str, str]:
    """Write a certificate, its key, and a file of both with the chain between."""
    leaf = ca.issue_cert("localhost", key_type=KeyType.ECDSA)
    directory.mkdir(mode=0o700)
    files = [directory / name for name in ("cert.pem", "key.pem", "all.pem")]
    for file in files:
        file.touch(mode=0o600)
    cert, key, both = files
    cert.write_bytes(leaf.cert_chain_pems[0].bytes())
    key.write_bytes(leaf.private_key_pem.bytes())
    both.write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    return str(cert), str(key), str(both)


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issued]:
    directory = tmp_path_factory.mktemp("site")
    one, other, root = CA(), CA(), CA()
    cert, key, _ = issue(directory / "one", one)
    own_cert, own_key, _ = issue(directory / "other", other)
    _, _, everything = issue(directory / "below", root.create_child_ca())
    servers: dict[str, Server] = {
        "mail's": {},
        "own": {"ssl_certificate": own_cert, "ssl_certificate_key": own_key},
        "all in one": {"ssl_certificate": everything, "ssl_certificate_key": []},
        "named twice": {
            "ssl_certificate": everything,
            "ssl_certificate_key": everything,
        },
    }
    cas = {}
    for name, ca in (("one", one), ("other", other), ("root", root)):
        cas[name] = directory / f"{name}.ca.pem"
        cas[name].write_bytes(ca.cert_pem.bytes())
    with site(
        directory, servers, ssl="on", ssl_certificate=cert, ssl_certificate_key=key
    ) as running:
        yield Issued(running, cas)


def test_file_has_the_certificate_in_pem_format_for_this_virtual_server(
    issued: Issued,
) -> None:
    """Indicates the file with the certificate in PEM format for this virtual server.

    Context: mail, server.
    """
    assert issued.believed("mail's", "one")
    assert issued.believed("own", "other")
    assert not issued.believed("own", "one")


def test_same_file_can_contain_other_certificates(issued: Issued) -> None:
    """The same file can contain other certificates.

    The client knows the root alone, and is shown what stands between.
    """
    assert issued.believed("all in one", "root")


def test_same_file_can_contain_the_key_too(issued: Issued) -> None:
    """And also the secret key in PEM format. So it is the default of the other."""
    assert issued.believed("all in one", "root")
    assert issued.believed("named twice", "root")


def test_other_file_has_the_secret_key_for_this_virtual_server(issued: Issued) -> None:
    """Indicates the file with the secret key in PEM format for this virtual server.

    A client that agrees on keys with a server has seen that it has this one.
    """
    assert issued.believed("own", "other")
