"""Whoever speaks at the control socket: heard line by line, and told in time."""

import trio

from mailssl_trio.lines import Lines, LineTooLongError
from mailssl_trio.supervision.control.request import (
    MAX_LINE,
    Fact,
    RequestError,
    written,
)
from mailssl_trio.supervision.control.socket_file import Peer

REQUEST_PATIENCE = 10.0
"""Seconds in which a request comes, the first one or another."""
READING_PATIENCE = 10.0
"""Seconds in which some lines are taken. Who is slow holds up nobody else."""


class Visitor:
    """One connection to the control socket."""

    def __init__(self, stream: trio.SocketStream, peer: Peer) -> None:
        self.peer = peer
        self.scope = trio.CancelScope()
        """All that is done for it."""
        self._stream = stream
        self._lines = Lines(stream, MAX_LINE)
        self._speaking = trio.Lock()

    async def hear(self) -> bytes | None:
        """Return a request; None if there is none. Raises RequestError."""
        with trio.move_on_after(REQUEST_PATIENCE):
            try:
                return await self._lines.receive()
            except LineTooLongError as error:
                raise RequestError(str(error)) from None
        return None

    async def say(self, *facts: Fact) -> None:
        """Say some lines; who does not take them is done with."""
        try:
            async with self._speaking:
                with trio.move_on_after(READING_PATIENCE):
                    return await self._stream.send_all(written(facts))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self.scope.cancel()
        return await trio.lowlevel.checkpoint()
