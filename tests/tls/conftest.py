"""One CA, and pairs that it issued, for all tests of TLS."""

from pathlib import Path

import pytest
from attrs import evolve
from trustme import CA, KeyType, LeafCert

from mailssl_trio.tls.policy import BackendTlsPolicy, Pair, TlsPolicy


@pytest.fixture(scope="session")
def ca() -> CA:
    return CA()


@pytest.fixture(scope="session")
def leaf(ca: CA) -> LeafCert:
    names = ("localhost", "127.0.0.1", "::1")
    return ca.issue_cert(*names, key_type=KeyType.ECDSA)


@pytest.fixture
def policy(leaf: LeafCert, tmp_path: Path) -> TlsPolicy:
    """Return the settings of a server that has nothing but its pair."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    return TlsPolicy((Pair(certificate, key),))


@pytest.fixture
def old_policy(policy: TlsPolicy) -> TlsPolicy:
    """Return the settings of a server of TLS 1.2 and no other."""
    return evolve(policy, protocols=("TLSv1.2",))


@pytest.fixture
def backend(ca: CA, tmp_path: Path) -> BackendTlsPolicy:
    """Return settings that believe the CA."""
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(ca.cert_pem.bytes())
    return BackendTlsPolicy(trusted_certificate=trusted)
