"""The way from a gateway to the embedded mailbox: one end of a socket pair."""

import socket
from contextlib import ExitStack
from functools import partial
from typing import TypeAlias

import trio

from mailssl_trio.logs.error_log import ErrorLogger
from mailssl_trio.mailbox.service import Mailbox
from mailssl_trio.observer import Crashed, Subject
from mailssl_trio.server import contained

_Conversation: TypeAlias = tuple[trio.SocketStream, str]


class Mailboxes:
    """Opens the embedded mailbox as if it were a backend on the network."""

    def __init__(self, mailbox: Mailbox, log: ErrorLogger) -> None:
        self.mailbox = mailbox
        self.log = log
        self._begin, self._begun = trio.open_memory_channel[_Conversation](0)

    async def open(self, protocol: str) -> socket.socket:
        """Return our end of a conversation that has just begun."""
        ours, theirs = socket.socketpair()
        with ExitStack() as undo:
            undo.callback(ours.close)
            undo.callback(theirs.close)
            stream = trio.SocketStream(trio.socket.from_stdlib_socket(theirs))
            await self._begin.send((stream, protocol))
            undo.pop_all()
        return ours

    async def run(self) -> None:
        """Hold the mailbox's ends of all conversations, each in a task."""
        async with trio.open_nursery() as conversations:
            async for stream, protocol in self._begun:
                conversations.start_soon(self._serve, stream, protocol)

    async def _serve(self, stream: trio.SocketStream, protocol: str) -> None:
        subject = Subject(0, protocol, "gateway", 0, "embedded")
        async with stream:
            with contained(partial(self._crashed, subject)):
                await self.mailbox.serve(stream, protocol)

    def _crashed(self, subject: Subject, bug: Exception) -> None:
        self.log.tell(subject, Crashed(bug))
