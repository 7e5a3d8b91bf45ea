"""The control socket: administrators ask here, and are answered.

It lives as long as the program does: a stop that takes its time can be watched and
hastened here, and a reload moves it where the new configuration wants it.
"""

from collections.abc import Callable
from pathlib import Path

import trio

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Config
from mailssl_trio.server import contained
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact, RequestError, parse
from mailssl_trio.supervision.control.socket_file import Peer, SocketFile
from mailssl_trio.supervision.control.verbs import TAKES, VERBS
from mailssl_trio.supervision.control.visitor import Visitor

MOST_VISITORS = 16

ANSWER_PATIENCE = 180.0
"""Seconds in which everything is said that there is to say to a request."""


class Control:
    """Those who come to the socket, and where it is."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._socket: SocketFile | None = None
        self._moved = trio.Event()
        self._visitors = 0

    def prepare(
        self, config: Config, write: Callable[[str, str], None]
    ) -> SocketFile | None:
        """Return the socket that a configuration wants: this one, or one more.

        Raises StartError, but not for a socket that nobody has asked for.
        """
        path, ours = config.control, self._socket
        if path is None:
            return None
        if ours is not None and ours.path == path and ours.is_there():
            return ours
        try:
            if config.control_is_default:
                _make(path.parent)
            return SocketFile.open(path)
        except StartError as failed:
            if not config.control_is_default:
                raise
            write("warn", f"there is no control socket: {failed}")
            return None

    def abandon(self, prepared: SocketFile | None) -> None:
        """Close what was prepared, and will not be used."""
        if prepared is not None and prepared is not self._socket:
            prepared.close()

    def move(self, prepared: SocketFile | None) -> None:
        """Serve at this socket from now on, and at no other."""
        if prepared is not self._socket:
            if self._socket is not None:
                self._socket.withdraw()
            self._socket = prepared
            self._moved.set()
            self._moved = trio.Event()

    async def run(self) -> None:
        """Serve whoever comes, until cancelled."""
        try:
            async with trio.open_nursery() as visits:
                while True:
                    moved = self._moved
                    async with trio.open_nursery() as accepting:
                        if self._socket is not None:
                            accepting.start_soon(self._accept, self._socket, visits)
                        await moved.wait()
                        accepting.cancel_scope.cancel()
        finally:
            if self._socket is not None:
                self._socket.close()

    async def _accept(self, socket: SocketFile, visits: trio.Nursery) -> None:
        listening = trio.socket.from_stdlib_socket(socket.listening)
        listener = trio.SocketListener(listening)
        await trio.serve_listeners(self._meet, [listener], handler_nursery=visits)

    async def _meet(self, stream: trio.SocketStream) -> None:
        """Serve somebody who may come, if there is room."""
        async with stream:
            with contained(self._crashed):
                visitor = Visitor(stream, Peer.of(stream.socket))
                with visitor.scope:
                    await self._receive(visitor)

    async def _receive(self, visitor: Visitor) -> None:
        if not visitor.peer.is_administrator:
            return await visitor.say(_refusal("only root and who runs the program may"))
        if self._visitors >= MOST_VISITORS:
            text = f"{MOST_VISITORS} others are being served; try again"
            return await visitor.say(_refusal(text))
        self._visitors += 1
        try:
            return await self._converse(visitor)
        finally:
            self._visitors -= 1

    async def _converse(self, visitor: Visitor) -> None:
        """Answer one request after another, until one is wrong or there are no more."""
        try:
            while (line := await visitor.hear()) is not None:
                request = parse(line, TAKES)
                does = VERBS[request.verb].does
                with trio.move_on_after(ANSWER_PATIENCE):
                    last = await does(self._program, request, visitor)
                    await visitor.say(last)
                    continue
                return
        except RequestError as wrong:
            await visitor.say(_refusal(str(wrong)))

    def _crashed(self, bug: Exception) -> None:
        self._program.log("crit", f"internal error at the control socket: {bug!r}")


def _refusal(text: str) -> Fact:
    return {"ok": False, "error": text}


def _make(directory: Path) -> None:
    """Make the directory of what we make. Raises StartError."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"control: {directory}: {error.strerror}") from None
