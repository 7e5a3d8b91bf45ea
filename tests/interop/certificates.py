"""The authority that the backends' certificates come from, and one nobody trusts."""

from pathlib import Path

from attrs import frozen
from trustme import CA, KeyType


@frozen
class Pair:
    """A certificate with its key, and the authority that stands behind it."""

    ca: Path
    certificate: Path
    key: Path


def issue(directory: Path, *names: str) -> Pair:
    """Write a pair for these names, by a new authority of its own."""
    authority = CA()
    leaf = authority.issue_cert(*names, key_type=KeyType.ECDSA)
    pair = Pair(*(directory / name for name in ("ca.pem", "cert.pem", "key.pem")))
    directory.mkdir(parents=True, exist_ok=True)
    pair.ca.write_bytes(authority.cert_pem.bytes())
    pair.certificate.write_bytes(leaf.cert_chain_pems[0].bytes())
    pair.key.touch(mode=0o600)
    pair.key.write_bytes(leaf.private_key_pem.bytes())
    return pair
