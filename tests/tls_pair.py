"""Real TLS for tests in memory: a CA that lives for one test run."""

import ssl
from functools import cache

import trustme

from mailssl_trio.files import Files
from mailssl_trio.tls.policy import Inline, Pair, TlsPolicy
from mailssl_trio.tls.server import ServerTls

NAME = "mail.example.org"


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(NAME, "localhost", "127.0.0.1").configure_cert(context)
    return context


def inline(leaf: trustme.LeafCert) -> Pair:
    """Return a certificate and its key as they would stand in a configuration."""
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    return Pair(Inline(chain.decode()), Inline(leaf.private_key_pem.bytes().decode()))


def policy() -> TlsPolicy:
    return TlsPolicy((inline(authority().issue_cert(NAME)),))


@cache
def server_tls(protocol: str) -> ServerTls:
    return ServerTls(policy(), protocol, Files())


@cache
def client_side() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context
