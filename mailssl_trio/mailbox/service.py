"""The embedded mailbox: a backend like any other, at the other end of a stream."""

from contextlib import suppress
from pathlib import Path

import trio

from mailssl_trio.mailbox.imap.session import ImapSession
from mailssl_trio.mailbox.pop3 import Pop3Session
from mailssl_trio.mailbox.smtp import SmtpSession
from mailssl_trio.mailbox.store import Store, Users
from mailssl_trio.mailbox.wire import Wire
from mailssl_trio.protocol.engine import HangUp
from mailssl_trio.protocol.events import Goodbye

LINGER = 5.0
"""Seconds that a peer has to read our last words."""


class Mailbox:
    """Mail of local users, for those whom the gateway has let in.

    Whoever holds the other end of a stream is believed to be who it says: a stream
    must be one that only the gateway can have opened, such as one of a socket pair.
    """

    def __init__(self, directory: Path, users: Users, server_name: str) -> None:
        self._store = Store(directory, server_name)
        self._users = users

    async def serve(self, stream: trio.abc.Stream, protocol: str) -> None:
        """Speak ``imap``, ``pop3`` or ``smtp`` until either side ends it."""
        wire = Wire(stream)
        session = self._session(wire, protocol)
        async with stream:
            try:
                await session.serve()
            except HangUp as end:
                if end.reason is Goodbye.PEER_GONE:
                    return
            with trio.move_on_after(LINGER), suppress(HangUp):
                await wire.flush()

    def _session(
        self, wire: Wire, protocol: str
    ) -> ImapSession | Pop3Session | SmtpSession:
        match protocol:
            case "imap":
                return ImapSession(wire, self._store)
            case "pop3":
                return Pop3Session(wire, self._store)
            case "smtp":
                return SmtpSession(wire, self._store, self._users)
            case _:
                raise ValueError(f"no mailbox speaks {protocol}")
