"""Two sides of a TLS handshake, in memory, and what comes of it."""

from contextlib import suppress
from ssl import MemoryBIO, SSLContext, SSLError, SSLObject, SSLSession, SSLWantReadError
from typing import TypeAlias

from attrs import frozen

ALERT, HANDSHAKE = 21, 22  # RFC 8446 section 5.1, and in every version before

HANDSHAKE_FAILURE = 40  # RFC 8446 section 6, as all of these
UNKNOWN_CA = 48
PROTOCOL_VERSION = 70
NO_APPLICATION_PROTOCOL = 120


@frozen
class Secured:
    """Both sides are content."""

    client: SSLObject
    server: SSLObject


@frozen
class Alert:
    """The server refused, and said why."""

    number: int


@frozen
class Declined:
    """The client refused what the server proposed."""

    reason: str


Outcome: TypeAlias = Secured | Alert | Declined


def shake_hands(
    server: SSLContext,
    client: SSLContext,
    name: str = "localhost",
    session: SSLSession | None = None,
) -> Outcome:
    """Let a client call a server by a name; return what came of it."""
    to_server, to_client = MemoryBIO(), MemoryBIO()
    accepting = server.wrap_bio(to_server, to_client, server_side=True)
    connecting = client.wrap_bio(
        to_client, to_server, server_hostname=name, session=session
    )
    while True:
        try:
            return _secured(connecting, accepting)
        except SSLWantReadError:
            pass
        except SSLError as error:
            return Declined(error.reason or str(error))
        try:
            accepting.do_handshake()
        except SSLWantReadError:
            pass
        except SSLError:
            return _alert(to_client.read())


def _secured(connecting: SSLObject, accepting: SSLObject) -> Secured:
    connecting.do_handshake()
    accepting.do_handshake()
    with suppress(SSLWantReadError):
        connecting.read(1)  # TLS 1.3 sends its tickets behind the handshake
    return Secured(connecting, accepting)


def _alert(sent: bytes) -> Alert:
    kind, _level, number = sent[-7], sent[-2], sent[-1]
    assert kind == ALERT, sent.hex(" ")
    return Alert(number)
