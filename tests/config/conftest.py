"""Certificates and users for configurations to name."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme

from mailssl_trio.auth.passwords import hash_password
from tests.config.site import Site
from tests.config.stock import stock


@pytest.fixture(scope="session")
def pairs() -> tuple[trustme.LeafCert, trustme.LeafCert]:
    """Two certificates, made once."""
    ca = trustme.CA()
    return ca.issue_cert("mail.example.org"), ca.issue_cert("other.example.org")


@pytest.fixture(scope="session")
def pem(pairs: tuple[trustme.LeafCert, trustme.LeafCert]) -> tuple[str, str]:
    """A certificate and its key, as they may stand in a configuration."""
    one, _ = pairs
    return (
        one.cert_chain_pems[0].bytes().decode(),
        one.private_key_pem.bytes().decode(),
    )


@pytest.fixture(scope="session")
def password_hash() -> str:
    """A password's hash, made once."""
    return hash_password(b"wonderland")


@pytest.fixture
def site(
    tmp_path: Path,
    pairs: tuple[trustme.LeafCert, trustme.LeafCert],
    password_hash: str,
) -> Site:
    """A directory with ``cert.pem``, ``key.pem``, ``other.pem`` and ``users.toml``."""
    one, other = pairs
    one.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    one.private_key_pem.write_to_path(tmp_path / "key.pem")
    other.private_key_pem.write_to_path(tmp_path / "other.pem")
    for name in ("key.pem", "other.pem"):
        (tmp_path / name).chmod(0o600)
    users = f'["alice@example.org"]\npassword = "{password_hash}"\n'
    (tmp_path / "users.toml").write_text(users)
    return Site(tmp_path)


@pytest.fixture(scope="session")
def in_stock() -> Mapping[str, bytes]:
    """Files of every kind, made once."""
    return stock()


@pytest.fixture
def stocked(site: Site, in_stock: Mapping[str, bytes]) -> Site:
    """The same directory, with a file of every kind in it."""
    for name, data in in_stock.items():
        (site.directory / name).touch(0o600)
        (site.directory / name).write_bytes(data)
    return site
