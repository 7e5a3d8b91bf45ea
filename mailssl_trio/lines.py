"""Lines of a stream, none of them longer than was agreed on."""

import trio


class LineTooLongError(Exception):
    """There is no end of a line where there should have been one by now."""


class Lines:
    """What comes from a stream, line by line."""

    def __init__(self, stream: trio.abc.ReceiveStream, longest: int) -> None:
        self._stream = stream
        self._longest = longest
        self._received = bytearray()
        self._searched = 0

    async def receive(self) -> bytes | None:
        """Return the next line without its end; None when the other end has gone.

        Raises LineTooLongError.
        """
        while (end := self._received.find(b"\n", self._searched)) < 0:
            self._searched = len(self._received)
            if self._searched > self._longest:
                raise LineTooLongError(f"a line of more than {self._longest} octets")
            try:
                data = await self._stream.receive_some()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
            if not data:
                return None
            self._received += data
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        self._searched = 0
        return line
