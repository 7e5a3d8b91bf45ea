"""The process that others know: it holds sockets and workers, and meets no client.

A *generation* of workers serves one configuration. A reload lets the next begin
before the last retires; a stop is passed on to all that are there.
"""

import signal
from collections.abc import Callable
from contextlib import ExitStack

import trio

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.files import Files
from mailssl_trio.generation import Generation
from mailssl_trio.judging import Disk, Judged, judge
from mailssl_trio.messages import Configure, HandedFile
from mailssl_trio.pid_file import PidFile
from mailssl_trio.served import Log, Served
from mailssl_trio.sockets import Sockets
from mailssl_trio.stopping import STOP_SIGNALS
from mailssl_trio.tls.problems import TlsSettingsError
from mailssl_trio.watching import Watch

POLL = 1.0
"""Seconds between two looks at the files of certificates."""


class Supervisor:
    """What lives as long as the program does."""

    def __init__(
        self, load: Callable[[Files], Config], announce: Callable[[Judged], None]
    ) -> None:
        self._load = load
        self._announce = announce
        self._sockets = Sockets()
        self._generations: set[Generation] = set()
        self._served: Served | None = None
        self._disk = Disk()
        self._alone = trio.Lock()
        """Held by who changes what is served."""
        self._reload_asked = trio.Event()
        self._duties = trio.CancelScope()
        """Everything but the generations: a stop cancels it."""

    async def run(self, config: Config, files: Files) -> None:
        """Serve until a signal ends it; raise StartError before anything is served."""
        failure: StartError | None = None
        async with trio.open_nursery() as everything:
            await everything.start(self._obey_signals)
            async with trio.open_nursery() as self._workers:
                with self._duties:
                    try:
                        await self._start(config, files)
                    except StartError as error:
                        failure = error
                    else:
                        await self._go_on()
            everything.cancel_scope.cancel()
        self._close()
        if failure is not None:
            raise failure

    async def _obey_signals(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Note that a reload is asked for; pass on what stops."""
        with trio.open_signal_receiver(signal.SIGHUP, *STOP_SIGNALS) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    self._reload_asked.set()
                    continue
                self._duties.cancel()
                for generation in self._generations:
                    generation.stop(signal.Signals(number))
                self._sockets.keep(())

    async def _start(self, config: Config, files: Files) -> None:
        try:
            judged = await self._disk.ask(lambda: judge(config, files))
        except TlsSettingsError as error:
            raise StartError(str(error)) from None
        await self._serve(judged)
        self._announce(judged)

    async def _go_on(self) -> None:
        async with trio.open_nursery() as duties:
            duties.start_soon(self._reload_when_asked)
            duties.start_soon(self._renew_when_files_change)

    async def _reload_when_asked(self) -> None:
        while True:
            await self._reload_asked.wait()
            self._reload_asked = trio.Event()
            async with self._alone:
                await self._reload()

    async def _renew_when_files_change(self) -> None:
        while True:
            await trio.sleep(POLL)
            async with self._alone:
                if self._served is not None:
                    await self._served.renew(self._disk)

    async def _reload(self) -> None:
        """Serve what the configuration says by now; or what it said, if it is wrong."""
        self._write("notice", "reconfiguring")
        try:
            await self._serve(await self._disk.ask(self._judge_anew))
        except ConfigError as wrong:
            for problem in wrong.problems:
                self._write("error", str(problem))
        except (StartError, TlsSettingsError) as failed:
            self._write("error", str(failed))
        else:
            return
        self._write("error", "not reconfigured: what was served goes on")

    def _judge_anew(self) -> Judged:
        files = self._served.judged.files.afresh() if self._served else Files()
        return judge(self._load(files), files)

    async def _serve(self, judged: Judged) -> None:
        """Serve a configuration in place of another, or raise StartError.

        Everything that may fail comes before anything is changed.
        """
        config, before = judged.config, self._served
        with ExitStack() as undo:
            log = Log(config)
            undo.callback(log.close)
            pid_file = before.pid_file if before else None
            if config.pid is None:
                pid_file = None
            elif pid_file is None or pid_file.path != config.pid:
                pid_file = PidFile(config.pid, log.write)
                undo.callback(pid_file.remove)
            generation = await self._begin(judged, log)
            undo.pop_all()
        watch = Watch(judged.tls.known)
        self._served = Served(judged, generation, log, pid_file, watch)
        if pid_file is not None:
            pid_file.write()
        if before is not None:
            before.retire(self._served)

    async def _begin(self, judged: Judged, log: Log) -> Generation:
        """Have a new generation serve, next to the old one. Raises StartError."""
        before = self._served.generation.configure.doors if self._served else ()
        config, files = judged.config, judged.files
        doors = await self._sockets.open(config.servers)
        configure = Configure(
            config.file,
            config.state_directory,
            HandedFile.of(files, files.known),
            doors,
        )
        await trio.lowlevel.checkpoint()  # none begins after a stop
        generation = Generation(config, configure, log.write, self._distrust_memory)
        self._workers.start_soon(self._run, generation)
        self._generations.add(generation)
        await generation.settled.wait()
        if generation.failure is not None:
            generation.retire()
            self._sockets.keep(before)
            raise StartError(generation.failure.text, denied=generation.failure.denied)
        self._sockets.keep(doors)
        return generation

    async def _run(self, generation: Generation) -> None:
        await generation.run()
        self._generations.remove(generation)

    def _distrust_memory(self) -> None:
        """Throw the shared zones away: what wrote to them may have been mad."""

    def _write(self, level: str, message: str) -> None:
        if self._served is not None:
            self._served.log.write(level, message)

    def _close(self) -> None:
        self._sockets.keep(())
        if self._served is not None:
            self._write("notice", "exit")
            self._served.close()
