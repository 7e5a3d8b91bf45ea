"""Who has come in, in whatever way a protocol lets one in.

Whoever reaches this stream has been judged by the gateway: a user name is believed,
and the password is not looked at.
"""

from collections.abc import Awaitable, Callable

from mailssl_trio.protocol import sasl
from mailssl_trio.protocol.credentials import (
    Credentials,
    MalformedCredentialsError,
    Password,
)

MAX_LOGIN_LINE = 12_288  # RFC 4954 section 4

Ask = Callable[[bytes], Awaitable[bytes]]
"""Sends a challenge as the protocol does, and returns the line that answers it."""


async def authenticate(
    mechanism: bytes, initial: bytes | None, ask: Ask
) -> bytes | None:
    """Hold a SASL exchange (RFC 4422) as its server; return the user, if any."""
    try:
        exchange = sasl.server_exchange(mechanism)
        credentials = await _converse(exchange, initial, ask)
    except sasl.SaslError:
        return None
    match credentials:
        case Password(authcid, _, authzid) if authzid in {b"", authcid}:
            return authcid
        case _:  # nobody acts for another here (RFC 4616 section 2)
            return None


def user_named(name: bytes) -> bytes | None:
    """Return the user of a bare name; None for what can be no name."""
    try:
        return Password(name, b"").authcid or None
    except MalformedCredentialsError:
        return None


async def _converse(
    exchange: sasl.ServerExchange, initial: bytes | None, ask: Ask
) -> Credentials:
    challenge = next(exchange)
    while True:
        if initial is None:
            initial = await ask(sasl.encode(challenge))
            if initial == b"*":
                raise sasl.CancelledError
        try:
            challenge = exchange.send(sasl.decode(initial))
        except StopIteration as over:
            credentials: Credentials = over.value
            return credentials
        initial = None
