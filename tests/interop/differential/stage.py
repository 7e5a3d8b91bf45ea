"""The auth server and the backends of both, who write down what they were told."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import trio
from attrs import define, field

from tests.interop.differential.dialogue import Dialogue
from tests.interop.differential.notation import octets, written

ENDLESSLY = 30
"""Seconds that nobody waits for."""

A_MOMENT = 0.5
"""Seconds that somebody who is slow takes."""

PAUSE = 0.1
"""Seconds between an answer and the end of its connection, so that each is seen."""

ENOUGH = 4
"""Requests of one dialogue; nobody needs more to be understood."""

LOOPBACK = "127.0.0.1"

REFUSAL = "Invalid login or password"

GREETINGS = {
    "imap": "* OK backend ready",
    "pop3": "+OK backend ready",
    "smtp": "220 backend ESMTP",
}


@define
class Record:
    """What one dialogue came to, with one of the two."""

    dialogue: Dialogue
    heard: list[str] = field(factory=list)
    asked: list[str] = field(factory=list)
    told: list[str] = field(factory=list)
    requests: int = 0

    @property
    def lines(self) -> list[str]:
        """All of it: what the client, the auth server, and the backend heard."""
        return [
            *(f"S: {line}" for line in self.heard),
            *(f"A: {line}" for line in self.asked),
            *(f"B: {line}" for line in self.told),
        ]


@define
class Stage:
    """Knows each dialogue by the addresses that are its own."""

    records: Mapping[int, Record]
    ports: Mapping[str, int]
    """Of the auth server, and of each protocol's backend."""

    async def run(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            auth = partial(trio.serve_tcp, host=LOOPBACK)
            await nursery.start(auth, self._judge, self.ports["auth"])
            for protocol in GREETINGS:
                converse = partial(self._converse, protocol)
                backend = partial(trio.serve_tcp, host="0.0.0.0")
                await nursery.start(backend, converse, self.ports[protocol])
            task_status.started()
            await trio.sleep_forever()

    # The auth server.

    async def _judge(self, stream: trio.SocketStream) -> None:
        try:
            async with stream:
                request = await _read_until(stream, b"\r\n\r\n")
                await self._answer(stream, request)
        except trio.BrokenResourceError:
            return

    async def _answer(self, stream: trio.SocketStream, request: bytes) -> None:
        lines = request.removesuffix(b"\r\n\r\n").split(b"\r\n")
        client = next(line for line in lines if line.startswith(b"Client-IP: "))
        record = self.records[_number(client.decode())]
        if record.requests == ENOUGH:
            record.asked.append("(and again, and again)")
            await trio.sleep(ENDLESSLY)
        record.asked += map(written, lines)
        answers = record.dialogue.auth or ["OK"]
        answer = answers[min(record.requests, len(answers) - 1)]
        record.requests += 1
        match answer:
            case "hang":
                await trio.sleep(ENDLESSLY)
            case "close":
                return
            case _:
                if answer.startswith("slow "):
                    await trio.sleep(A_MOMENT)
                    answer = answer.removeprefix("slow ")
                await stream.send_all(self._written_out(answer, record.dialogue))
                await trio.sleep(PAUSE)

    def _written_out(self, answer: str, dialogue: Dialogue) -> bytes:
        """Return an answer; ``OK`` sends to the dialogue's own backend, ``NO`` away."""
        if answer.startswith("raw "):
            return octets(answer.removeprefix("raw "))
        host, port = dialogue.backend_host, str(self.ports[dialogue.protocol])
        parts = answer.split(" | ")
        if parts[0] == "OK":
            where = [f"Auth-Server: {host}", f"Auth-Port: {port}"]
            parts = ["Auth-Status: OK", *where, *parts[1:]]
        elif parts[0] == "NO":
            parts[0] = f"Auth-Status: {REFUSAL}"
        if not parts[0].startswith("HTTP/"):
            parts.insert(0, "HTTP/1.0 200 OK")
        text = "\r\n".join((*parts, "", ""))
        return octets(text.replace("(host)", host).replace("(port)", port))

    # The backends.

    async def _converse(self, protocol: str, stream: trio.SocketStream) -> None:
        host, _ = stream.socket.getsockname()
        record = self._by_name() if host == LOOPBACK else self.records[_number(host)]
        session = Backend(protocol, stream, record)
        try:
            async with stream:
                await session.converse()
        except (trio.BrokenResourceError, EOFError):
            return

    def _by_name(self) -> Record:
        """Return the one whose backend is reached by the name that all share."""
        (record,) = (
            record
            for record in self.records.values()
            if any("localhost" in answer for answer in record.dialogue.auth)
        )
        return record


@define
class Backend:
    """A backend's side of one conversation."""

    protocol: str
    stream: trio.SocketStream
    record: Record
    received: bytes = b""
    in_auth: bool = False

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
        if reply.startswith("slow "):
            await trio.sleep(A_MOMENT)
            reply = reply.removeprefix("slow ")
        if reply != "nothing":
            await self.stream.send_all(octets(reply) + b"\r\n")
        return True

    async def _command(self) -> bytes:
        command = await self._line()
        while self.protocol == "imap" and (found := re.search(rb"{(\d+)}$", command)):
            await self.stream.send_all(b"+ go on\r\n")
            literal = await self._take(int(found[1]))
            command += b"\r\n" + literal + await self._line()
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


async def _read_until(stream: trio.SocketStream, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        octets = await stream.receive_some()
        if not octets:
            raise trio.BrokenResourceError
        received += octets
    return received


def _number(address: str) -> int:
    """Return whose address this is."""
    if ":" in address.removeprefix("Client-IP: "):
        return int(address.rpartition(":")[2], 16) - 1
    high, low = map(int, address.split(".")[-2:])
    return 250 * high + low - 1


def records_of(dialogues: Sequence[Dialogue]) -> dict[int, Record]:
    """Return an empty record for each."""
    return {dialogue.number: Record(dialogue) for dialogue in dialogues}
