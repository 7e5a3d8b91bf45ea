"""Between the supervisor and one worker: JSON lines over a socket pair.

A line is ``{"v": 1, "type": "…", …}``, octets in it are base64. Three rules let the
two ends be of different releases, as they are when a program is upgraded under a
supervisor that runs on: a line of another version is an error; a type that is not
known is passed over, as is a key of a known one; what is neither is an error.

Nobody waits for a slow reader. What is sent goes into a bounded queue, and who finds
it full is told so: the reader's loss, and nobody else's.
"""

import json
import socket
from base64 import b64decode, b64encode
from pathlib import Path

import trio
from cattrs import Converter

from mailssl_trio.lines import Lines, LineTooLongError
from mailssl_trio.messages import TYPES, Message

VERSION = 1

MAX_LINE = 256 * 2**20
"""Octets of what a worker reads: users files and CA bundles, in base64. The large
line comes first, before anybody is served; 400 KB of those that follow take 2 ms."""

MAX_WORKERS_LINE = 2**20
"""Octets of what the supervisor reads: a worker is what strangers speak to."""

QUEUED_LINES = 64

NAMES = {kind: name for name, kind in TYPES.items()}


def _converter() -> Converter:
    converter = Converter(detailed_validation=False)
    converter.register_unstructure_hook(bytes, lambda data: b64encode(data).decode())
    converter.register_structure_hook(
        bytes, lambda text, _: b64decode(text, validate=True)
    )
    converter.register_unstructure_hook(Path, str)
    converter.register_structure_hook(Path, lambda text, _: Path(text))
    return converter


CONVERTER = _converter()


class ChannelError(Exception):
    """The other end does not speak as it should; the text says how."""


def encode(message: Message) -> bytes:
    """Return a message as a line."""
    fields = CONVERTER.unstructure(message)
    said = {"v": VERSION, "type": NAMES[type(message)], **fields}
    return json.dumps(said).encode() + b"\n"


def decode(line: bytes) -> Message | None:
    """Return what a line says, None if it is of a type that is not known.

    Raises ChannelError. Never quotes the line, which may hold a private key.
    """
    try:
        match json.loads(line):
            case {"v": int(version)} if version != VERSION:
                raise ChannelError(f"version {version} is spoken, not {VERSION}")
            case {"v": int(), "type": str(name), **fields}:
                kind = TYPES.get(name)
                return None if kind is None else CONVERTER.structure(fields, kind)
    except (KeyError, TypeError, ValueError, RecursionError):
        pass
    raise ChannelError("not a message")


class Channel:
    """One end. ``write()`` must run for anything to leave."""

    def __init__(self, end: socket.socket, *, max_line: int = MAX_LINE) -> None:
        self.stream = trio.SocketStream(trio.socket.from_stdlib_socket(end))
        self._lines = Lines(self.stream, max_line)
        self._queue, self._queued = trio.open_memory_channel[bytes](QUEUED_LINES)

    def send(self, line: bytes) -> bool:
        """Queue what ``encode()`` made; False, and it is lost, if there is no room."""
        try:
            self._queue.send_nowait(line)
        except trio.WouldBlock:
            return False
        return True

    def finish(self) -> None:
        """Queue no more; ``write()`` returns when all of it is on the wire."""
        self._queue.close()

    async def write(self) -> None:
        """Put on the wire what is queued, until nobody is there to take it.

        A reader may take its time: what it holds up is its own, and bounded.
        """
        async for line in self._queued:
            try:
                await self.stream.send_all(line)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return

    async def receive(self) -> Message | None:
        """Return the next message, None when the other end has gone.

        Raises ChannelError.
        """
        try:
            while (line := await self._lines.receive()) is not None:
                if (message := decode(line)) is not None:
                    return message
        except LineTooLongError as error:
            raise ChannelError(str(error)) from None
        return None
