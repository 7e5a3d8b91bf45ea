"""Those whom the gateway asks and sends its clients to: they let Joe in, and listen."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from urllib.parse import unquote_to_bytes

import trio

from tests.hostile.witness import Heard

NAME, PASSWORD = b"joe", b"secret"

REFUSAL = b"Invalid login or password"


async def listen_at(path: Path) -> list[trio.SocketListener]:
    """Listen at a path."""
    listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await listening.bind(str(path))
    listening.listen(128)
    return [trio.SocketListener(listening)]


async def serve_auth(
    stream: trio.SocketStream, directory: Path, heard: Mapping[str, Heard]
) -> None:
    """Judge one login: Joe may come in, by whatever mechanism."""
    async with stream:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            if not (data := await stream.receive_some()):
                return
            request += data
        door, headers = _read(request)
        user, secret = (unquote_to_bytes(headers[it]) for it in (b"user", b"pass"))
        heard[door].hear_login((user + b" " + secret).rstrip())
        is_joe = NAME in (user, headers.get(b"smtp-to", b"")[9:12])
        answer = _welcome(directory, door) if is_joe else b"Auth-Status: " + REFUSAL
        await stream.send_all(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n"
            + answer
            + b"\r\n\r\n"
        )


def _read(request: bytes) -> tuple[str, Mapping[bytes, bytes]]:
    first, *lines = request.rstrip().split(b"\r\n")
    pairs = (line.split(b": ", 1) if b": " in line else (line, b"") for line in lines)
    headers = {
        name.lower().removeprefix(b"auth-"): value.removesuffix(b":")
        for name, value in pairs
    }
    return first.split(b" ")[1].decode().removeprefix("/"), headers


def _welcome(directory: Path, door: str) -> bytes:
    return b"\r\n".join(
        (
            b"Auth-Status: OK",
            b"Auth-Server: unix:%b" % bytes(directory / door),
            b"Auth-User: " + NAME,
            b"Auth-Pass: " + PASSWORD,
        )
    )


async def serve_backend(stream: trio.SocketStream, protocol: str, heard: Heard) -> None:
    """Let the gateway in, and write down what its client says then."""
    backend = BACKENDS[protocol]
    async with stream:
        await stream.send_all(backend[b""])
        line = b""
        while data := await stream.receive_some(1):
            line += data
            if not line.endswith(b"\r\n"):
                continue
            verb = next(word for word in backend if word in line.upper())
            tag = line.split(b" ")[0] if protocol == "imap" else b""
            await stream.send_all(backend[verb].replace(b"TAG", tag))
            if verb in LAST:
                break
            line = b""
        while data := await stream.receive_some():
            heard.hear_relayed(data)


LAST = (b"LOGIN", b"AUTH", b"PASS", b"RCPT")
"""What a login ends with."""

BACKENDS: Mapping[str, Mapping[bytes, bytes]] = {
    "imap": {
        b"LOGIN": b"TAG OK [CAPABILITY IMAP4rev1] in\r\n",
        b"": b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
    },
    "pop3": {
        b"CAPA": b"-ERR\r\n",
        b"USER": b"+OK\r\n",
        b"PASS": b"+OK in\r\n",
        b"": b"+OK ready\r\n",
    },
    "smtp": {
        b"EHLO": b"250-backend\r\n250 AUTH PLAIN\r\n",
        b"AUTH": b"235 2.7.0 in\r\n",
        b"RCPT": b"250 2.1.5 taken\r\n",
        b"MAIL": b"250 2.1.0 from\r\n",
        b"": b"220 backend ESMTP\r\n",
    },
}


async def stand_by(
    directory: Path, heard: Mapping[str, Heard], nursery: trio.Nursery
) -> None:
    """Serve at ``auth`` in a directory, and for each door at a path of its name."""
    judge = partial(serve_auth, directory=directory, heard=heard)
    nursery.start_soon(trio.serve_listeners, judge, await listen_at(directory / "auth"))
    for door, ears in heard.items():
        protocol = door.partition("-")[0]
        serve = partial(serve_backend, protocol=protocol, heard=ears)
        backend = await listen_at(directory / door)
        nursery.start_soon(trio.serve_listeners, serve, backend)
