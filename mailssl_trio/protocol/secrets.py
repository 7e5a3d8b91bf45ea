"""What must not be told again: credentials, in every form in which they travel."""

import re
from collections.abc import Iterator

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import Bearer, Credentials, Password

WITHHELD = "(withheld: it quotes the credentials)"


def quotes(said: bytes, credentials: Credentials) -> bool:
    """Whether somebody says the secret part of credentials; some do so in capitals."""
    heard = said.lower()
    return any(
        secret.lower() in heard for secret in filter(None, _secrets(credentials))
    )


def _secrets(credentials: Credentials) -> Iterator[bytes]:
    match credentials:
        case Password(_, password):
            yield from _in_sasl(credentials)
            yield re.sub(rb'["\\]', rb"\\\g<0>", password)  # in quotes
            yield password
        case Bearer(_, token):
            yield from _in_sasl(credentials)
            yield token


def _in_sasl(credentials: Password | Bearer) -> Iterator[bytes]:
    for *_, last in sasl.client_mechanisms(credentials).values():
        yield sasl.encode(last)
