"""The pair of a policy as files, to damage them."""

from pathlib import Path

from mailssl_trio.tls.policy import TlsPolicy


def certificate_of(policy: TlsPolicy) -> Path:
    certificate = policy.pairs[0].certificate
    assert isinstance(certificate, Path)
    return certificate


def key_of(policy: TlsPolicy) -> Path:
    key = policy.pairs[0].key
    assert isinstance(key, Path)
    return key
