"""The auth server of both, who writes down each request, and answers by the tables."""

from collections.abc import Mapping

import trio
from attrs import frozen

from tests.interop.differential.dialogue import Dialogue
from tests.interop.differential.notation import octets
from tests.interop.differential.record import (
    A_MOMENT,
    ENDLESSLY,
    Record,
    number_at,
)

PAUSE = 0.1
"""Seconds between an answer and the end of its connection, so that each is seen."""

ENOUGH = 4
"""Requests of one dialogue; nobody needs more to be understood."""

REFUSAL = "Invalid login or password"

CLIENT = b"Client-IP: "


@frozen
class AuthServer:
    """Knows each dialogue by its client's address."""

    records: Mapping[int, Record]
    backends: Mapping[str, int]
    """The port of each protocol's backend."""

    async def serve(self, stream: trio.SocketStream) -> None:
        """Answer one request."""
        try:
            async with stream:
                request = await _read_request(stream)
                await self._answer(stream, request.split(b"\r\n"))
        except trio.BrokenResourceError:
            return

    async def _answer(self, stream: trio.SocketStream, lines: list[bytes]) -> None:
        client = next(line for line in lines if line.startswith(CLIENT))
        record = self.records[number_at(client.removeprefix(CLIENT).decode())]
        if record.requests == ENOUGH:
            record.asked.append("(and again, and again)")
            await trio.sleep(ENDLESSLY)
        answers = record.dialogue.auth or ["OK"]
        answer = answers[min(record.requests, len(answers) - 1)]
        record.ask(lines)
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
        host, port = dialogue.backend_host, str(self.backends[dialogue.protocol])
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


async def _read_request(stream: trio.SocketStream) -> bytes:
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        octets = await stream.receive_some()
        if not octets:
            raise trio.BrokenResourceError
        received += octets
    return received.removesuffix(b"\r\n\r\n")
