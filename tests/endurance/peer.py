"""A mail client of few words, which keeps what it has sent and what it has heard."""

import re
import socket
import struct
from ssl import CERT_NONE, SSLContext, create_default_context

import trio
from attrs import define, field

from tests.fuzz.dialogues import PLAIN, STARTTLS
from tests.fuzz.replies import FORMS
from tests.interop.gateway import Door

LOGIN = {
    "imap": b"login AUTHENTICATE PLAIN %b\r\n" % PLAIN,
    "pop3": b"AUTH PLAIN %b\r\n" % PLAIN,
    "smtp": b"EHLO client.example.org\r\nAUTH PLAIN %b\r\n" % PLAIN,
}
NOOP = {"imap": b"n NOOP\r\n", "pop3": b"NOOP\r\n", "smtp": b"NOOP\r\n"}
DONE = {"imap": b"n OK ", "pop3": b"+OK", "smtp": b"250 "}
QUIT = {"imap": b"q LOGOUT\r\n", "pop3": b"QUIT\r\n", "smtp": b"QUIT\r\n"}
BYE = {"imap": b"q OK ", "pop3": b"+OK", "smtp": b"221 "}
LEAVES = (trio.BrokenResourceError, trio.ClosedResourceError)


def anybody() -> SSLContext:
    """Return a client that believes whoever answers."""
    context = create_default_context()
    context.check_hostname = False
    context.verify_mode = CERT_NONE
    return context


class UnhappyError(Exception):
    """A client of good manners was not answered as it must be."""


@define
class Peer:
    """One connection of one client."""

    protocol: str
    stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]
    sent: bytearray = field(factory=bytearray)
    said: bytearray = field(factory=bytearray)
    """Both since the connection began, or since TLS came up."""
    cut: bool = False
    """Whether the connection has ended otherwise than by its end."""

    @property
    def wire(self) -> trio.SocketStream:
        """What is beneath TLS."""
        match self.stream:
            case trio.SSLStream():
                return self.stream.transport_stream
            case _:
                return self.stream

    async def say(self, octets: bytes) -> bool:
        """Send something; return whether anybody was there to take it."""
        self.sent += octets
        try:
            await self.stream.send_all(octets)
        except LEAVES:
            self.cut = True
        return not self.cut

    async def listen(self) -> bool:
        """Take what comes next; return whether anything has."""
        try:
            data = await self.stream.receive_some(65_536)
        except LEAVES:
            self.cut = True
            return False
        self.said += data
        return bool(data)

    async def hear(self, words: re.Pattern[bytes]) -> None:
        """Listen until a line begins so."""
        while not words.search(self.said):
            if not await self.listen():
                raise UnhappyError(f"{words.pattern!r} awaited: {self.said[-300:]!r}")

    async def hear_end(self) -> None:
        """Listen until nothing more comes."""
        while await self.listen():
            pass

    async def start_tls(self, tls: SSLContext) -> bool:
        """Shake hands; return whether it has come to that."""
        secured = trio.SSLStream(self.wire, tls, server_hostname="localhost")
        try:
            await secured.do_handshake()
        except LEAVES:
            self.cut = True
            return False
        self.stream = secured
        self.sent.clear()
        self.said.clear()
        return True

    async def upgrade(self, tls: SSLContext) -> bool:
        """Ask for TLS in-line, and shake hands."""
        await self.say(STARTTLS[self.protocol])
        await self.hear(re.compile(re.escape(FORMS[self.protocol].go_ahead)))
        return await self.start_tls(tls)

    def reset(self) -> None:
        """Let the kernel end it without a word."""
        now = struct.pack("ii", 1, 0)
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        self.wire.socket.close()

    async def log_in(self, door: Door, tls: SSLContext) -> None:
        """Do as every mail client does. Raises UnhappyError."""
        if door[1] == "tls":
            await self.start_tls(tls)
            await self.hear(re.compile(rb"\n"))
        else:
            await self.hear(re.compile(rb"\n"))
            await self.upgrade(tls)
        await self.say(LOGIN[self.protocol])
        pattern = FORMS[self.protocol].logged_in.pattern
        await self.hear(re.compile(rb"^" + pattern, re.MULTILINE))

    async def ask(self, question: bytes, answer: bytes) -> None:
        """Ask, and hear the answer. Raises UnhappyError."""
        self.said.clear()
        if not await self.say(question):
            raise UnhappyError("nobody takes a question")
        await self.hear(re.compile(rb"^" + re.escape(answer), re.MULTILINE))


async def connected(protocol: str, port: int) -> Peer:
    """Connect."""
    return Peer(protocol, await trio.open_tcp_stream("127.0.0.1", port))
