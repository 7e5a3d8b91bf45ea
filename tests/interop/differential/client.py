"""The client of both: it says its lines, and reads each reply to its end."""

import re
import ssl
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping

import trio
from attrs import define, field

from tests.interop.differential.dialogue import Dialogue
from tests.interop.differential.notation import octets, written

PATIENCE = 3.0
"""Seconds without an octet that are silence."""

PAUSE = 0.05
"""Seconds behind a piece of a line, so that it travels alone."""

PROBES = {"imap": "z NOOP", "pop3": "NOOP", "smtp": "NOOP"}

CHALLENGE = re.compile(rb"<[^<>@\s]+@[^<>@\s]+>")


class OverError(Exception):
    """There is nothing more to hear: why, as the tables have it."""


@define
class Client:
    """One conversation, as far as it has come."""

    dialogue: Dialogue
    front: tuple[str, int]
    certificates: Mapping[str, ssl.SSLContext]
    heard: list[str] = field(factory=list)
    stream: trio.abc.Stream = field(init=False)
    received: bytes = b""
    timestamp: bytes = b""
    """The challenge of the greeting, which APOP answers."""
    challenge: bytes = b""
    """The latest one."""

    async def converse(self) -> None:
        """Hold the conversation, and write down all that is heard."""
        self.stream = await trio.open_tcp_stream(
            *self.front, local_address=self.dialogue.client
        )
        try:
            await self._converse()
        except OverError as over:
            self.heard.append(f"({over})")
        except trio.BrokenResourceError:
            self.heard.append("(closed)")
        finally:
            await trio.aclose_forcefully(self.stream)

    async def _converse(self) -> None:
        steps = self._steps()
        while steps and steps[0][0] in {"P:", "P-"}:
            await self._piece(*steps.pop(0))
        if steps and steps[0][0] == "TLS":
            await self._secure(steps.pop(0)[1])
        await self._reply("")
        for segment in _segments(steps):
            if segment[0][0] == "C:":
                await self._say([text for _, text in segment])
            else:
                await self._act(*segment[0])

    def _steps(self) -> list[tuple[str, str]]:
        steps = list(self.dialogue.steps)
        if steps and steps[-1][0] in {"END", "LEAVE"}:
            return steps
        return [*steps, ("C:", PROBES[self.dialogue.protocol])]

    async def _act(self, kind: str, text: str) -> None:
        match kind:
            case "S:":
                await self._reply("")
            case "C-" | "P:" | "P-":
                await self._piece(kind, text)
            case "TLS":
                await self._secure(text)
            case "WAIT":
                await trio.sleep(float(text))
            case "EOF":
                assert isinstance(self.stream, trio.SocketStream)
                await self.stream.send_eof()
            case "LEAVE":
                await trio.aclose_forcefully(self.stream)

    async def _say(self, texts: list[str]) -> None:
        """Say lines in one segment, and read a reply for each."""
        lines = [self._octets(text) + b"\r\n" for text in texts]
        await self.stream.send_all(b"".join(lines))
        for line in lines:
            await self._reply(line.decode("latin-1"))

    async def _piece(self, kind: str, text: str) -> None:
        await self.stream.send_all(self._octets(text))
        if kind in {"P-", "C-"}:
            await trio.sleep(PAUSE)

    def _octets(self, text: str) -> bytes:
        return octets(
            text,
            me=self.dialogue.far_client,
            me6=self.dialogue.far_client_6,
            timestamp=self.timestamp,
            challenge=self.challenge,
        )

    async def _secure(self, name: str) -> None:
        if self.received:
            self.heard.append(f"(in the clear: {written(self.received)})")
        context = self.certificates[name]
        stream = trio.SSLStream(self.stream, context, https_compatible=True)
        try:
            with trio.fail_after(PATIENCE):
                await stream.do_handshake()
        except (trio.BrokenResourceError, trio.TooSlowError):
            raise OverError("no handshake") from None
        self.stream, self.received = stream, b""
        self.heard.append("(TLS)")

    async def _reply(self, command: str) -> None:
        """Read one whole reply of the protocol's."""
        line = await self._hear()
        match self.dialogue.protocol:
            case "imap":
                while command and line.startswith(b"* ") and line[:5] != b"* BAD":
                    line = await self._hear()
            case "pop3" if lists(command) and line.startswith(b"+OK"):
                while line != b".":
                    line = await self._hear()
            case "smtp":
                while line[3:4] == b"-":
                    line = await self._hear()

    async def _hear(self) -> bytes:
        line = await self._line()
        self._look_for_challenge(line)
        self.heard.append(written(line))
        return line

    async def _line(self) -> bytes:
        while b"\n" not in self.received:
            with trio.move_on_after(PATIENCE) as patience:
                octets = await self.stream.receive_some()
            if patience.cancelled_caught:
                raise OverError(f"{written(self.received)}silence")
            if not octets:
                raise OverError(f"{written(self.received)}closed")
            self.received += octets
        line, _, self.received = self.received.partition(b"\n")
        return line.removesuffix(b"\r") if line.endswith(b"\r") else line + b"(bare LF)"

    def _look_for_challenge(self, line: bytes) -> None:
        if found := CHALLENGE.search(line):
            self.timestamp = found[0]
        elif found := CHALLENGE.search(decoded(line)):
            self.challenge = found[0]


def lists(command: str) -> bool:
    """Whether POP3 answers it with a list (RFC 2449 section 5, RFC 5034)."""
    words = command.upper().split()
    return words[:1] == ["CAPA"] or words == ["AUTH"]


def decoded(line: bytes) -> bytes:
    """Return what the last word of a line is in base64, nothing if it is not."""
    try:
        return b64decode(line.split(b" ")[-1], validate=True)
    except Base64Error:
        return b""


def _segments(steps: list[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    segment: list[tuple[str, str]] = []
    for step in steps:
        if step[0] != "C&" and segment:
            yield segment
            segment = []
        segment.append(step)
    if segment:
        yield segment
