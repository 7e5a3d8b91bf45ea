"""Those on both sides of a gateway: a mail client, and the backend that it gets."""

import ssl
from base64 import b64decode
from contextlib import suppress

import trio
from attrs import define, field

from tests.interop.fake_backend import GREETINGS, REPLIES
from tests.tls_pair import NAME, client_side, server_side

BIG = b"x" * 900_000 + b"\r\n"
"""More than any kernel keeps for a peer who does not read."""

ENOUGH = 4096
"""Octets that a client remembers."""

ENDS = (trio.BrokenResourceError, trio.ClosedResourceError)


class GoneError(Exception):
    """The gateway has ended the connection."""


class Trickle(trio.abc.Stream):
    """A stream that is sent a few octets at a time, so that no record comes whole."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        rest = memoryview(data)
        while rest:
            await self._stream.send_all(rest[:20])
            rest = rest[20:]
            await trio.sleep(0.001)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return bytes(await self._stream.receive_some(max_bytes))

    async def aclose(self) -> None:
        await self._stream.aclose()


@define
class Client:
    """A mail client that notices how it is treated."""

    protocol: str
    wire: trio.SocketStream
    stream: trio.abc.Stream
    heard: bytes = b""
    """Since the last question."""
    last_words: bytes = b""
    is_shaking_hands: bool = False
    is_secured: bool = False
    end: str = ""
    """``clean``, or ``broken``; empty while it goes on."""
    context: ssl.SSLContext = field(factory=client_side)

    async def say(self, octets: bytes) -> None:
        with suppress(*ENDS):  # what it has said before may still be read
            await self.stream.send_all(octets)

    async def hear(self, words: bytes) -> None:
        """Listen until words have come. Raises GoneError."""
        while words not in self.heard:
            self.heard = self.heard[-ENOUGH:]
            await self._listen()

    async def ask(self, octets: bytes, answer: bytes) -> None:
        """Say something, and hear the answer. Raises GoneError."""
        self.heard = b""
        await self.say(octets)
        await self.hear(answer)

    async def start_tls(self, *, trickling: bool = False) -> None:
        """Shake hands. Raises GoneError."""
        self.is_shaking_hands = True
        below = Trickle(self.wire) if trickling else self.wire
        secured = trio.SSLStream(below, self.context, server_hostname=NAME)
        try:
            await secured.do_handshake()
        except ENDS:
            self.end = "broken"
            raise GoneError(self.heard[-100:]) from None
        self.is_shaking_hands, self.is_secured = False, True
        self.stream, self.heard, self.last_words = secured, b"", b""

    async def hear_end(self) -> None:
        """Listen until it is over."""
        try:
            while not self.end:
                await self._listen()
        except GoneError:
            pass

    async def _listen(self) -> None:
        try:
            data = bytes(await self.stream.receive_some(65_536))
        except ENDS:
            self.end = "broken"
            raise GoneError(self.heard[-100:]) from None
        if not data:
            self.end = "clean"
            raise GoneError(self.heard[-100:])
        self.heard += data
        self.last_words = (self.last_words + data)[-ENOUGH:]


async def backend(
    protocol: str, manner: str, sleep: float, stream: trio.abc.Stream
) -> None:
    """Let in who does not say ``wrong``; answer what is asked.

    ``manner`` is how TLS begins; at the word BIG much is said, and at LATER nothing is
    read for ``sleep`` seconds.
    """
    try:
        if manner == "on":
            stream = await _secured(stream)
        await stream.send_all(GREETINGS[protocol])
        await _answer(protocol, manner, sleep, stream)
    except ENDS:
        pass
    finally:
        await trio.aclose_forcefully(stream)


async def _answer(
    protocol: str, manner: str, sleep: float, stream: trio.abc.Stream
) -> None:
    received = b""
    while data := bytes(await stream.receive_some(65_536)):
        *lines, received = (received + data).split(b"\r\n")
        for line in lines:
            await stream.send_all(_reply(protocol, line))
            match line.upper().split(b" ")[-1]:
                case b"STARTTLS" | b"STLS" if manner == "starttls":
                    stream = await _secured(stream)
                case b"BIG":
                    await stream.send_all(BIG)
                case b"LATER":
                    await trio.sleep(sleep)
                case b"LOGOUT" | b"QUIT":
                    await stream.aclose()
                    return


async def _secured(stream: trio.abc.Stream) -> trio.abc.Stream:
    secured = trio.SSLStream(stream, server_side(), server_side=True)
    await secured.do_handshake()
    return secured


def _reply(protocol: str, line: bytes) -> bytes:
    if b"PROXY " in line or b"xxx" in line:
        return b""
    if is_wrong(line):
        return _refusal(protocol, line)
    return REPLIES[protocol](line + b"\r\n")


def is_wrong(line: bytes) -> bool:
    """Whether a line, or the response that it ends with, says that it is."""
    with suppress(ValueError):
        line += b64decode(line.split(b" ")[-1])
    return b"wrong" in line


def _refusal(protocol: str, line: bytes) -> bytes:
    match protocol:
        case "imap":
            return line.split(b" ")[0] + b" NO [AUTHENTICATIONFAILED] no\r\n"
        case "pop3":
            return b"-ERR [AUTH] no\r\n"
        case _:
            return b"535 5.7.8 no\r\n"
