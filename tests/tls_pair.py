"""Real TLS for tests in memory: a CA that lives for one test run."""

import ssl
from functools import cache

import trustme

NAME = "mail.example.org"


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def server_side() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(NAME, "localhost", "127.0.0.1").configure_cert(context)
    return context


@cache
def client_side() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context
