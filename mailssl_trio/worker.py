"""One process: told over its channel what to serve, it serves until it must leave."""

import signal
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import trio
from attrs import define, field

from mailssl_trio.answering import answer
from mailssl_trio.auth.users_file import UsersFileError
from mailssl_trio.building import (
    Shared,
    StartError,
    build_house,
    build_mailbox,
    build_servers,
    opened_logs,
)
from mailssl_trio.channel import Channel, ChannelError, encode
from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.embedded import Mailboxes
from mailssl_trio.files import Files
from mailssl_trio.leaving import Leaving
from mailssl_trio.limits.house import House
from mailssl_trio.logs.opening import Logs
from mailssl_trio.messages import (
    Configure,
    End,
    Failed,
    HandedFile,
    Leaves,
    LoginsTold,
    Message,
    Question,
    Renew,
    Reopen,
    ReplaceTicketKeys,
    Retire,
    Sanctioned,
    Serving,
    Stop,
    handed_down,
)
from mailssl_trio.resuming import Resuming
from mailssl_trio.rlimits import limit_descriptors
from mailssl_trio.server import Server
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.tls.sessions.zone_directory import hold
from mailssl_trio.visits import Visits

PATIENCE = 60.0
"""Seconds in which the supervisor says what is to be served."""

BETWEEN_REPORTS = 0.05
"""Seconds between two messages that tell of logins."""

LAST_WORDS = 5.0
"""Seconds in which it takes what we have to say when we leave."""

IGNORED = (
    signal.SIGHUP,  # the supervisor's, and sent to all by who sends it by name
    signal.SIGUSR1,  # the same
    signal.SIGUSR2,  # nobody's
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
            await _serve(channel)
        except StartError as error:
            failure = error
            channel.send(encode(Failed(str(error), error.denied)))
        channel.finish()
        nursery.cancel_scope.deadline = trio.current_time() + LAST_WORDS
    if failure is not None:
        raise failure


async def _serve(channel: Channel) -> None:
    """Serve what the first message says. Raises StartError."""
    configure = None
    with trio.move_on_after(PATIENCE), _failures():
        configure = await channel.receive()
    if not isinstance(configure, Configure):
        raise StartError("the supervisor does not say what to serve")
    with ExitStack() as belongings:
        with _failures():
            worker = Worker.build(configure, channel, belongings)
        await worker.run()


@define
class Worker:
    """A process that knows what it serves."""

    files: Files
    channel: Channel
    log: Logs
    leaving: Leaving
    mailboxes: Mailboxes
    resuming: Resuming
    visits: Visits
    house: House
    servers: list[Server]
    threads: trio.CapacityLimiter = field(factory=partial(trio.CapacityLimiter, 1))
    """For what clients must not feel: to build a context takes milliseconds."""

    @classmethod
    def build(
        cls, configure: Configure, channel: Channel, belongings: ExitStack
    ) -> "Worker":
        """Build all of it; what must be closed at the end is in ``belongings``."""
        files = handed_down(configure.files, configure.hosts)
        directory = configure.state_directory
        config = load(configure.file, state_directory=directory, files=files)
        limit_descriptors(config.worker_rlimit_nofile)
        log = belongings.enter_context(opened_logs(config))
        warn = partial(log.write, "warn")
        zones = _hold(configure.zones, log, belongings)
        resuming = Resuming(zones, configure.ticket_keys, warn)
        belongings.callback(resuming.close)
        leaving = Leaving(config.worker_shutdown_timeout)
        mailboxes = Mailboxes(build_mailbox(config, files), log.error)
        shared = Shared(
            files,
            resuming,
            log,
            mailboxes.open,
            leaving.drain,
            house=build_house(config, configure.limiting, partial(log.write, "alert")),
        )
        return cls(
            files,
            channel,
            log,
            leaving,
            mailboxes,
            resuming,
            shared.visits,
            shared.house,
            build_servers(config, configure.doors, shared),
        )

    async def run(self) -> None:
        """Serve until the drain is over."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.leaving.obey_signals, nursery.cancel_scope)
            nursery.start_soon(self.mailboxes.run)
            nursery.start_soon(self.resuming.collect)
            nursery.start_soon(self._obey_supervisor, nursery.cancel_scope)
            nursery.start_soon(self._say_that_it_leaves)
            nursery.start_soon(self._tell_logins)
            async with trio.open_nursery() as serving:
                for server in self.servers:
                    serving.start_soon(server.run)
                self.channel.send(encode(Serving()))
            nursery.cancel_scope.cancel()
        self.log.write("notice", "exit")

    async def _obey_supervisor(self, everything: trio.CancelScope) -> None:
        """Do what it says; without it, stop."""
        try:
            while (message := await self.channel.receive()) is not None:
                if isinstance(message, Question):
                    self.channel.send(encode(answer(message, self.visits)))
                else:
                    await self._obey(message, everything)
            self.log.write("alert", "the supervisor has gone; shutting down")
        except ChannelError as error:
            self.log.write("alert", f"the supervisor is not understood: {error}")
        self.leaving.stop()

    async def _obey(self, message: Message, everything: trio.CancelScope) -> None:
        match message:
            case Renew(files):
                await self._renew(files)
            case ReplaceTicketKeys(keys):
                self.resuming.replace(keys)
            case Sanctioned(sanctions):
                self.house.standing.apply(sanctions)
            case Reopen():
                self.log.reopen()
            case Retire():
                self.leaving.retire()
                self.log.write("notice", "gracefully shutting down")
            case Stop(patient):
                self.leaving.stop(patient=patient)
            case End():
                everything.cancel()

    async def _say_that_it_leaves(self) -> None:
        await self.leaving.signalled.wait()
        self.channel.send(encode(Leaves()))

    async def _tell_logins(self) -> None:
        """Tell the supervisor of logins, at once if it has not just been told."""
        while True:
            await self.house.reports.waiting.wait()
            self.channel.send(encode(LoginsTold(*self.house.reports.take())))
            await trio.sleep(BETWEEN_REPORTS)

    async def _renew(self, changed: Iterable[HandedFile]) -> None:
        """Serve what is in these files from the next handshake on."""
        fresh = handed_down(changed)
        fresh.known = {**self.files.known, **fresh.known}
        fresh.origins = {**self.files.origins, **fresh.origins}
        try:
            await trio.to_thread.run_sync(self._rebuild, fresh, limiter=self.threads)
        except TlsSettingsError as error:
            self.log.write("error", f"certificates are not renewed: {error}")
        else:
            self.files = fresh

    def _rebuild(self, files: Files) -> None:
        """Exchange what is made of files; handshakes under way keep what they had."""
        for server in self.servers:
            if server.gateway.tls is not None:
                server.gateway.tls.renew(files)
        self.resuming.reread(files)


def _hold(zones: Path | None, log: Logs, held: ExitStack) -> Path | None:
    """Keep the zones' directory from being swept; without it, do without."""
    if zones is not None:
        try:
            held.enter_context(hold(zones))
        except OSError as error:
            log.write("alert", f"no session is shared with other workers: {error}")
            return None
    return zones


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
