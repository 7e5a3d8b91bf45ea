"""The process that others know: it holds sockets and workers, and meets no client.

A *generation* of workers serves one configuration. A reload lets the next begin
before the last retires; a stop is passed on to all that are there.
"""

import os
import signal
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import trio

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import MAY_NOT_OPEN, WRONG, ConfigError
from mailssl_trio.files import Files
from mailssl_trio.leaving import STOP_SIGNALS
from mailssl_trio.messages import Configure, Door, Message, Reopen
from mailssl_trio.rlimits import raise_descriptors
from mailssl_trio.supervision.control.control import Control
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.entrusting import entrust
from mailssl_trio.supervision.generation import Generation
from mailssl_trio.supervision.judging import Disk, Judged, judge
from mailssl_trio.supervision.pid_file import PidFile
from mailssl_trio.supervision.premises import Premises
from mailssl_trio.supervision.reloading import Reloads, Wish
from mailssl_trio.supervision.served import Log, Served
from mailssl_trio.supervision.shared_limits import SharedLimits
from mailssl_trio.supervision.systemd import Systemd
from mailssl_trio.tls.problems import TlsSettingsError

NO_SIGNAL_OF_OURS = "SIGUSR2 means nothing here, it is ignored"

NOT_RECONFIGURED = "not reconfigured: what was served goes on"


class Supervisor:
    """What lives as long as the program does."""

    def __init__(
        self, load: Callable[[Files], Config], announce: Callable[[Judged], None]
    ) -> None:
        self._load = load
        self._announce = announce
        self._premises = Premises()
        self._limits = SharedLimits(self._write)
        self._disk = Disk()
        self._served: Served | None = None
        self._generations: set[Generation] = set()
        self._systemd = Systemd()
        self._reloads = Reloads()
        self._duties = trio.CancelScope()
        """Everything but the generations: a stop cancels it."""
        self._control = Control(
            Program(
                served=lambda: self._served,
                generations=lambda: self._generations,
                reloads=self._reloads,
                ledger=self._limits.ledger,
                is_stopping=lambda: self._duties.cancel_called,
                stop=partial(self._stop, patient=False),
                reopen=self.reopen,
            )
        )

    async def run(self, config: Config, files: Files) -> None:
        """Serve until a signal ends it; raise StartError before anything is served."""
        failure: StartError | None = None
        async with trio.open_nursery() as everything:
            await everything.start(self._obey_signals, everything)
            everything.start_soon(self._systemd.run, self._generations, self._warn)
            everything.start_soon(self._control.run)
            everything.start_soon(self._limits.spread, self._tell)
            async with trio.open_nursery() as self._workers:
                with self._duties:
                    try:
                        await self._go_on(await self._start(config, files))
                    except StartError as error:
                        failure = error
            everything.cancel_scope.cancel()
        if self._served is not None:
            self._served.log.write("notice", "exit")
            self._served.close()
        self._premises.close()
        self._limits.close()
        if failure is not None:
            raise failure

    async def _obey_signals(
        self,
        errands: trio.Nursery,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Note what is asked for; pass on what stops."""
        others = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
        with trio.open_signal_receiver(*others, *STOP_SIGNALS) as signals:
            task_status.started()
            async for number in signals:
                match number:
                    case signal.SIGHUP:
                        self._reloads.ask()
                    case signal.SIGUSR1:
                        errands.start_soon(self.reopen)
                    case signal.SIGUSR2:
                        self._warn(NO_SIGNAL_OF_OURS)
                    case _:
                        self._stop(patient=number == signal.SIGQUIT)

    async def reopen(self) -> None:
        """Have all go on in the log files that have the names by now."""
        if (served := self._served) is None:
            return
        try:  # what is missing is made for workers who might not
            await self._disk.ask(partial(entrust, served.judged.config))
        except StartError as failed:
            served.log.write("error", str(failed))
        served.log.reopen()
        self._tell(Reopen())

    def _tell(self, message: Message) -> None:
        for generation in self._generations:
            generation.tell(message)

    def _stop(self, *, patient: bool) -> None:
        self._duties.cancel()
        patience = [each.stop(patient=patient) for each in self._generations]
        self._systemd.stops(max(patience, default=0.0))
        self._premises.keep(())

    async def _start(self, config: Config, files: Files) -> Served:
        try:
            judged = await self._disk.ask(lambda: judge(config, files))
        except TlsSettingsError as error:
            raise StartError(str(error)) from None
        served = await self._serve(judged)
        for line in self._premises.useless():
            served.log.write("warn", line)
        self._announce(judged)
        return served

    async def _go_on(self, served: Served) -> None:
        """Keep what is served up to date, and exchange it when that is asked for."""
        while True:
            self._systemd.serves(self._generations, served)
            async with trio.open_nursery() as upkeep:
                upkeep.start_soon(served.keep_fresh, self._disk, self._premises.keyring)
                upkeep.start_soon(self._premises.collect, served.judged.config)
                await self._reloads.asked()
                upkeep.cancel_scope.cancel()
            served = await self._reload(served, self._reloads.begin())

    async def _reload(self, served: Served, wish: Wish) -> Served:
        """Serve what the configuration says by now; or what it said, if it is wrong."""
        write = served.log.write
        write("notice", "reconfiguring")
        self._systemd.reloads()
        files = served.judged.files.afresh()
        try:
            judged = await self._disk.ask(lambda: judge(self._load(files), files))
            for warning in judged.config.warnings:
                write("warn", str(warning))
            served = await self._serve(judged)
        except ConfigError as wrong:
            self._refuse(wish, write, wrong.problems, wrong.exit_code)
        except TlsSettingsError as wrong:
            self._refuse(wish, write, (wrong,), WRONG)
        except StartError as failed:
            self._refuse(wish, write, (failed,), MAY_NOT_OPEN if failed.denied else 1)
        else:
            self._reloads.settle(wish)
        return served

    def _refuse(
        self,
        wish: Wish,
        write: Callable[[str, str], None],
        problems: Collection[object],
        exit_code: int,
    ) -> None:
        """Say why a reload comes to nothing."""
        for problem in problems:
            write("error", str(problem))
        write("error", NOT_RECONFIGURED)
        self._reloads.settle(wish, problems, exit_code)

    async def _serve(self, judged: Judged) -> Served:
        """Serve this in place of what is served, or raise StartError.

        Everything that may fail comes before anything is changed.
        """
        before = self._served
        with ExitStack() as undo:
            log = Log(judged.config)
            undo.callback(log.close)
            pid, pid_file = judged.config.pid, None
            if pid is not None and _is_there(pid):  # perhaps somebody else's
                pid_file = self._claim(pid, log, undo)
            configure = await self._prepare(judged, log)
            undo.callback(self._premises.keep, self._doors)
            if pid is not None and pid_file is None:  # who sees it may connect at once
                pid_file = self._claim(pid, log, undo)
            socket = self._control.prepare(judged.config, log.write)
            undo.callback(self._control.abandon, socket)
            generation = await self._begin(judged, configure, log)
            undo.pop_all()
        self._control.move(socket)
        self._served = served = Served(judged, generation, log, pid_file)
        served.begin()
        if before is not None:
            before.retire(served)
        return served

    def _claim(self, path: Path, log: Log, undo: ExitStack) -> PidFile:
        """Take the pid file, if it is not ours already."""
        before = self._served.pid_file if self._served else None
        if before is not None and before.path == path:
            return before
        pid_file = PidFile(path, log.write)
        undo.callback(pid_file.remove)
        return pid_file

    @property
    def _doors(self) -> tuple[Door, ...]:
        """Those by which clients come now."""
        return self._served.generation.configure.doors if self._served else ()

    async def _prepare(self, judged: Judged, log: Log) -> Configure:
        """Open what is not open yet; clients may queue from now on."""
        if refusal := raise_descriptors(judged.config.worker_rlimit_nofile):
            log.write("alert", f"worker_rlimit_nofile: {refusal}")
        return await self._premises.prepare(judged)

    async def _begin(
        self, judged: Judged, configure: Configure, log: Log
    ) -> Generation:
        """Have a generation serve, next to another if there is one."""
        await trio.lowlevel.checkpoint()  # none begins after a stop
        generation = Generation(
            judged.config,
            configure,
            log.write,
            self._premises.distrust_memory,
            self._limits,
        )
        self._generations.add(generation)
        self._workers.start_soon(self._run, generation)
        await generation.settled.wait()
        if generation.failure is not None:
            generation.retire()
            self._premises.keep(self._doors)
            raise StartError(generation.failure.text)
        self._premises.keep(configure.doors)
        return generation

    def _warn(self, text: str) -> None:
        self._write("warn", text)

    def _write(self, level: str, text: str) -> None:
        if self._served is not None:
            self._served.log.write(level, text)

    async def _run(self, generation: Generation) -> None:
        await generation.run()
        self._generations.remove(generation)


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)
