"""Where the auth server and the backends stand, for as long as both are played with."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

import trio
from attrs import frozen

from tests.interop.differential.auth_server import AuthServer
from tests.interop.differential.backend import GREETINGS, Backend
from tests.interop.differential.record import Record, number_at

LOOPBACK = "127.0.0.1"

AUTH = "auth"


@frozen
class Stage:
    """The sockets of all, which stay the same for both."""

    sockets: Mapping[str, socket.socket]
    """Of the auth server, and of each protocol's backend."""

    def port(self, name: str) -> int:
        """Return where one of them listens."""
        port: int = self.sockets[name].getsockname()[1]
        return port

    async def perform(self, records: Mapping[int, Record]) -> None:
        """Serve, and write down what is heard, until cancelled."""
        backends = {protocol: self.port(protocol) for protocol in GREETINGS}
        async with trio.open_nursery() as nursery:
            judge = AuthServer(records, backends).serve
            nursery.start_soon(trio.serve_listeners, judge, [self._listener(AUTH)])
            for protocol in GREETINGS:
                backend = partial(_be_backend, protocol, records)
                listeners = [self._listener(protocol)]
                nursery.start_soon(trio.serve_listeners, backend, listeners)

    def _listener(self, name: str) -> trio.SocketListener:
        own = trio.socket.from_stdlib_socket(self.sockets[name].dup())
        return trio.SocketListener(own)


@contextmanager
def stage() -> Iterator[Stage]:
    """Take the ports, and hold them until the end."""
    with ExitStack() as closing:

        def listen(host: str) -> socket.socket:
            return closing.enter_context(socket.create_server((host, 0), backlog=100))

        backends = {protocol: listen("0.0.0.0") for protocol in GREETINGS}
        yield Stage({AUTH: listen(LOOPBACK), **backends})


async def _be_backend(
    protocol: str, records: Mapping[int, Record], stream: trio.SocketStream
) -> None:
    """Be the backend of the dialogue whose address was called."""
    host, _ = stream.socket.getsockname()
    record = _by_name(records) if host == LOOPBACK else records[number_at(host)]
    try:
        async with stream:
            await Backend(protocol, stream, record).converse()
    except (trio.BrokenResourceError, EOFError):
        return


def _by_name(records: Mapping[int, Record]) -> Record:
    """Return the one whose backend is called by the name that all addresses have."""
    (record,) = (
        record
        for record in records.values()
        if any("localhost" in answer for answer in record.dialogue.auth)
    )
    return record
