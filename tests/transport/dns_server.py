"""A DNS server that says what a test has told it to, over UDP."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import trio
from attrs import Factory, define

SILENCE, REFUSED, GARBAGE = "silence", "refused", "garbage"
"""What stands in place of records."""


@define
class DnsServer:
    """Records by question, ``NAME TYPE``; who is not there is NXDOMAIN."""

    records: Mapping[str, str]
    """Each as in a zone's file, a line for each record."""
    port: int = 0
    asked: list[str] = Factory(list)
    was_asked: trio.Event = Factory(trio.Event)

    def answer(self, datagram: bytes) -> bytes | None:
        """Answer a question, or not."""
        query = dns.message.from_wire(datagram)
        (question,) = query.question
        asked = f"{question.name} {question.rdtype.name}"
        self.asked.append(asked)
        self.was_asked.set()
        reply = dns.message.make_response(query)
        match self.records.get(asked):
            case None:
                names = [each.partition(" ")[0] for each in self.records]
                if str(question.name) not in names:
                    reply.set_rcode(dns.rcode.NXDOMAIN)
            case "silence":
                return None
            case "garbage":
                return datagram[:2] + b"\xff" * 20
            case "refused":
                reply.set_rcode(dns.rcode.REFUSED)
            case lines:
                for line in lines.splitlines():
                    name, ttl, _, kind, data = line.split(None, 4)
                    record = dns.rrset.from_text(name, int(ttl), "IN", kind, data)
                    reply.answer.append(record)
        return reply.to_wire()


@asynccontextmanager
async def dns_server(records: Mapping[str, str]) -> AsyncIterator[DnsServer]:
    """Answer questions on a port of loopback."""
    server = DnsServer(records)
    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as listening:
        await listening.bind(("127.0.0.1", 0))
        server.port = listening.getsockname()[1]

        async def serve() -> None:
            while True:
                datagram, whence = await listening.recvfrom(4096)
                if (reply := server.answer(datagram)) is not None:
                    await listening.sendto(reply, whence)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            yield server
            nursery.cancel_scope.cancel()
