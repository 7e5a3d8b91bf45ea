"""What stands behind every contestant: an auth server, and backends that let all in.

A process of its own, so that what it costs is nobody's. It says on standard output
which ports it has. The mailbox behind an IMAP login takes ``FETCH n``, which sends n
MB, and ``APPEND n``, which takes n MB, beside NOOP and LOGOUT.
"""

import socket
import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio

MB = bytes(range(256)) * 4096
CAPABILITIES = b"CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID ENABLE IDLE AUTH=PLAIN"
ROOM = 65536

Talk = Callable[["Lines"], Awaitable[None]]


class Lines:
    """A stream that is read by the line."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._received = bytearray()

    async def line(self) -> bytes:
        """Return the next line without its end; EOFError where there is none."""
        while (end := self._received.find(b"\n")) < 0:
            await self._receive()
        line = bytes(self._received[:end]).rstrip(b"\r")
        del self._received[: end + 1]
        return line

    async def drop(self, count: int) -> None:
        """Read so many octets, and forget them."""
        while count > len(self._received):
            count -= len(self._received)
            self._received.clear()
            await self._receive()
        del self._received[:count]

    async def say(self, octets: bytes) -> None:
        """Send octets."""
        await self.stream.send_all(octets)

    async def _receive(self) -> None:
        data = await self.stream.receive_some(ROOM)
        if not data:
            raise EOFError
        self._received += data


async def imap(peer: Lines) -> None:
    """Speak as Dovecot does."""
    await peer.say(b"* OK [%b] ready\r\n" % CAPABILITIES)
    while True:
        tag, verb, *arguments = (await _command(peer)).split(b" ")
        match verb.upper(), arguments:
            case b"LOGIN" | b"AUTHENTICATE", _:
                await peer.say(b"%b OK [%b] Logged in\r\n" % (tag, CAPABILITIES))
            case b"FETCH", [count]:
                for _ in range(int(count)):
                    await peer.say(MB)
                await peer.say(b"\r\n%b OK done\r\n" % tag)
            case b"APPEND", [count]:
                await peer.drop(int(count) * len(MB))
                await peer.say(b"%b OK done\r\n" % tag)
            case b"LOGOUT", _:
                return await peer.say(b"* BYE so long\r\n%b OK done\r\n" % tag)
            case _:
                await peer.say(b"%b OK done\r\n" % tag)


async def _command(peer: Lines) -> bytes:
    """Return a command, having asked for its literals, if any."""
    command = line = await peer.line()
    while line.endswith(b"}"):
        size = line[line.rindex(b"{") + 1 : -1]
        if not size.endswith(b"+"):
            await peer.say(b"+ go on\r\n")
        await peer.drop(int(size.rstrip(b"+")))
        line = await peer.line()
        command += line
    return command


async def pop3(peer: Lines) -> None:
    """Speak as Dovecot does."""
    await peer.say(b"+OK ready\r\n")
    while (verb := (await peer.line()).split(b" ")[0].upper()) != b"QUIT":
        if verb == b"CAPA":
            await peer.say(b"+OK\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n")
        else:
            await peer.say(b"+OK\r\n")
    await peer.say(b"+OK bye\r\n")


async def smtp(peer: Lines) -> None:
    """Speak as Postfix does."""
    await peer.say(b"220 backend ESMTP\r\n")
    while (verb := (await peer.line()).split(b" ")[0].upper()) != b"QUIT":
        match verb:
            case b"EHLO":
                await peer.say(b"250-backend\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n")
            case b"AUTH":
                await peer.say(b"235 2.7.0 ok\r\n")
            case _:
                await peer.say(b"250 2.0.0 ok\r\n")
    await peer.say(b"221 2.0.0 bye\r\n")


async def auth_http(peer: Lines, ports: dict[bytes, int]) -> None:
    """Let everybody in, over a connection that is kept where it is asked for."""
    while True:
        headers = await _request(peer)
        port = ports[headers[b"auth-protocol"]]
        keep = b"keep-alive" if headers[b""].endswith(b"1.1") else b"close"
        await peer.say(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: %b\r\n"
            b"Auth-Status: OK\r\nAuth-Server: 127.0.0.1\r\nAuth-Port: %d\r\n\r\n"
            % (keep, port)
        )
        if keep == b"close":
            return


async def _request(peer: Lines) -> dict[bytes, bytes]:
    """Read a request; its first line is the header without a name."""
    headers = {b"": await peer.line()}
    while line := await peer.line():
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip()
    return headers


async def _serve(talk: Talk, stream: trio.SocketStream) -> None:
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    async with stream:
        try:
            await talk(Lines(stream))
        except (EOFError, trio.BrokenResourceError):
            return  # it has had enough


async def _main() -> None:
    ports: dict[bytes, int] = {}
    talks: dict[str, Talk] = {
        "imap": imap,
        "pop3": pop3,
        "smtp": smtp,
        "auth": partial(auth_http, ports=ports),
    }
    async with trio.open_nursery() as nursery:
        for name, talk in talks.items():
            (listener,) = await trio.open_tcp_listeners(
                0, host="127.0.0.1", backlog=4096
            )
            ports[name.encode()] = listener.socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, partial(_serve, talk), [listener])
        print(*(ports[name.encode()] for name in talks), flush=True)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(_main)
