"""One process: told over its channel what to serve, it serves until it must leave."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import trio
from attrs import frozen

from mailssl_trio.auth.users_file import UsersFileError
from mailssl_trio.building import (
    StartError,
    build_mailbox,
    build_servers,
    opened_error_log,
)
from mailssl_trio.channel import Channel, ChannelError, encode
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.embedded import Mailboxes
from mailssl_trio.error_log import ErrorLogger
from mailssl_trio.files import Files
from mailssl_trio.messages import (
    Configure,
    Failed,
    Retire,
    Serving,
    handed_down,
)
from mailssl_trio.server import Server
from mailssl_trio.stopping import Stop
from mailssl_trio.tls.problems import TlsSettingsError

PATIENCE = 60.0
"""Seconds in which the supervisor says what is to be served."""

LAST_WORDS = 5.0
"""Seconds in which it takes what we have to say when we leave."""

IGNORED = (
    signal.SIGHUP,  # the supervisor's, and sent to all by who sends it by name
    signal.SIGTTOU,  # a terminal must not stop us for what we write to it
)


async def work(end: socket.socket) -> None:
    """Serve what the supervisor says, until it or a signal ends it.

    Raises StartError if that cannot be served; the supervisor knows by then.
    """
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    channel = Channel(end)
    failure: StartError | None = None
    async with channel.stream, trio.open_nursery() as nursery:
        nursery.start_soon(channel.write)
        try:
            worker = await _configured(channel)
            await worker.run()
        except StartError as error:
            failure = error
            channel.send(encode(Failed(str(error), error.denied)))
        channel.finish()
        nursery.cancel_scope.deadline = trio.current_time() + LAST_WORDS
    if failure is not None:
        raise failure


async def _configured(channel: Channel) -> "Worker":
    """Wait for the first message. Raises StartError."""
    message = None
    with trio.move_on_after(PATIENCE), _failures():
        message = await channel.receive()
    if not isinstance(message, Configure):
        raise StartError("the supervisor does not say what to serve")
    files = handed_down(message.files)
    with _failures():
        config = load(
            message.file, state_directory=message.state_directory, files=files
        )
    return Worker(message, config, files, channel)


@frozen
class Worker:
    """A process that knows what it is to serve."""

    configure: Configure
    config: Config
    files: Files
    channel: Channel

    async def run(self) -> None:
        """Serve until the drain is over. Raises StartError."""
        stop = Stop(self.config.worker_shutdown_timeout)
        with opened_error_log(self.config) as log:
            with _failures():
                mailboxes = Mailboxes(build_mailbox(self.config, self.files), log)
                servers = self._servers(log, mailboxes, stop)
            async with trio.open_nursery() as nursery:
                await nursery.start(stop.obey_signals, nursery.cancel_scope)
                nursery.start_soon(mailboxes.run)
                nursery.start_soon(self._obey_supervisor, stop, log)
                async with trio.open_nursery() as serving:
                    for server in servers:
                        serving.start_soon(server.run)
                    self.channel.send(encode(Serving()))
                nursery.cancel_scope.cancel()
            log.write("notice", "exit")

    def _servers(
        self, log: ErrorLogger, mailboxes: Mailboxes, stop: Stop
    ) -> list[Server]:
        return build_servers(
            self.config,
            self.files,
            self.configure.doors,
            log,
            mailboxes.open,
            stop.drain,
        )

    async def _obey_supervisor(self, stop: Stop, log: ErrorLogger) -> None:
        """Do what it says; without it, stop."""
        try:
            while (message := await self.channel.receive()) is not None:
                match message:
                    case Retire():
                        log.write("notice", "gracefully shutting down")
                        stop.retire()
            log.write("alert", "the supervisor has gone")
        except ChannelError as error:
            log.write("alert", f"the supervisor is not understood: {error}")
        stop.stop()


@contextmanager
def _failures() -> Iterator[None]:
    """Put into StartError what may be wrong with what is to be served."""
    try:
        yield
    except (ConfigError, TlsSettingsError, UsersFileError, ChannelError) as error:
        raise StartError(str(error)) from None
    except OSError as error:
        denied = isinstance(error, PermissionError)
        raise StartError(str(error), denied=denied) from None
