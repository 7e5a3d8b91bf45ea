"""The backends of both, who write down each command, and answer by the tables."""

import re

import trio
from attrs import define

from tests.interop.differential.notation import octets, written
from tests.interop.differential.record import A_MOMENT, ENDLESSLY, Record

GREETINGS = {
    "imap": "* OK backend ready",
    "pop3": "+OK backend ready",
    "smtp": "220 backend ESMTP",
}


@define
class Backend:
    """A backend's side of one conversation."""

    protocol: str
    stream: trio.SocketStream
    record: Record
    received: bytes = b""

    async def converse(self) -> None:
        """Greet, and answer each command."""
        greeting = dict(self.record.dialogue.backend).get("greeting")
        if not await self._say(greeting or GREETINGS[self.protocol]):
            return
        while True:
            command = await self._command()
            self.record.told.append(written(command))
            if not await self._say(self._reply(command)):
                return

    async def _say(self, reply: str) -> bool:
        match reply:
            case "hang":
                await trio.sleep(ENDLESSLY)
                return False
            case "close":
                return False
            case "nothing":
                return True
        for piece in reply.split(" ~ "):
            if piece.startswith("slow "):
                await trio.sleep(A_MOMENT)
            await self.stream.send_all(octets(piece.removeprefix("slow ")) + b"\r\n")
        return True

    async def _command(self) -> bytes:
        command = line = await self._line()
        while self.protocol == "imap" and (found := re.search(rb"{(\d+)}$", line)):
            await self.stream.send_all(b"+ go on\r\n")
            literal = await self._take(int(found[1]))
            line = await self._line()
            command += b"\r\n" + literal + line
        return command

    async def _line(self) -> bytes:
        while b"\r\n" not in self.received:
            await self._receive()
        line, _, self.received = self.received.partition(b"\r\n")
        return line

    async def _take(self, size: int) -> bytes:
        while len(self.received) < size:
            await self._receive()
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    async def _receive(self) -> None:
        octets = await self.stream.receive_some()
        if not octets:
            raise EOFError
        self.received += octets

    def _reply(self, command: bytes) -> str:
        if command.startswith(b"PROXY "):
            return "nothing"
        text = command.decode("latin-1")
        tag, _, rest = text.partition(" ")
        verb = rest if self.protocol == "imap" else text
        for what, reply in self.record.dialogue.backend:
            if verb.upper().startswith(what.upper()):
                return reply.replace("(tag)", tag)
        return self._usual(verb.upper(), tag)

    def _usual(self, verb: str, tag: str) -> str:
        match self.protocol:
            case "imap":
                word = verb.split(" ", maxsplit=1)[0]
                more = "* CAPABILITY IMAP4rev1\r\n" * (word == "CAPABILITY")
                return f"{more}{tag} OK {word} done"
            case "pop3":
                return "+OK\r\n." if verb.startswith("CAPA") else "+OK done"
        return self._smtp(verb.split(" ", maxsplit=1)[0])

    def _smtp(self, verb: str) -> str:
        match verb:
            case "XCLIENT":
                return "220 backend ESMTP"
            case "AUTH":
                return "235 2.7.0 in"
            case "EHLO":
                return "250-backend\r\n250-XCLIENT NAME ADDR LOGIN\r\n250 AUTH PLAIN"
        return f"250 {verb} done"
