"""One worker process as its supervisor sees it: started, told, and awaited."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import inf
from pathlib import Path
from site import getsitepackages
from typing import TypeAlias

import trio
from attrs import frozen

from mailssl_trio.channel import MAX_WORKERS_LINE, Channel, ChannelError
from mailssl_trio.messages import Failed, Leaves, Serving

START_PATIENCE = 60.0
"""Seconds in which a worker begins to serve."""

SPARE = 5.0
"""Seconds that a worker gets beyond what its drain allows, before it is killed."""

PACKAGE = "mailssl_trio"
ROOT = Path(__file__).absolute().parents[2]
"""Where this package lies: a worker must be of the same."""

FAULTS = frozenset(
    -number for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL)
)


@frozen
class Death:
    """How a worker process ended."""

    pid: int
    code: int
    """As a shell has it, but a signal's number is negative."""
    reason: str = ""
    """What it said itself, or what we had against it."""

    def __str__(self) -> str:
        how = f"exited with code {self.code}"
        if self.code < 0:
            how = f"exited on signal {-self.code}"
        said = f" ({self.reason})" if self.reason else ""
        return f"worker process {self.pid} {how}{said}"

    @property
    def is_fault(self) -> bool:
        """Whether memory may have been in disorder, shared memory included."""
        return self.code in FAULTS


Ending: TypeAlias = Death | OSError | str
"""How a worker was lost: an OSError is the end of one without a start."""


class WorkerProcess:
    """A process from its start to its end."""

    def __init__(self, began: Callable[[], None]) -> None:
        self.serving = trio.Event()
        self.gone = trio.Event()
        """It lets nobody in any more: see ``ending``."""
        self.ending: Ending = ""
        """How it ended; or that it leaves, in words."""
        self._failure: Failed | None = None
        self._began = began
        self._life = trio.CancelScope()
        """What cancels it is time, or a bug of ours: see ``_deliver_cancel``."""
        self._process: trio.Process | None = None
        self._channel: Channel | None = None

    async def run(
        self, descriptors: Iterable[int], configure: Callable[[], bytes]
    ) -> None:
        """Live from the start to the end.

        ``configure`` is asked for the first message when the process is there.
        """
        try:
            self.ending = await self._run(descriptors, configure)
        except OSError as error:
            self.ending = error
        self.gone.set()

    async def _run(
        self, descriptors: Iterable[int], configure: Callable[[], bytes]
    ) -> Death:
        ours, theirs = socket.socketpair()
        self._channel = channel = Channel(ours, max_line=MAX_WORKERS_LINE)
        failed: OSError | None = None
        async with channel.stream, trio.open_nursery() as nursery:
            with theirs:
                end = theirs.fileno()
                live = partial(self._live, nursery.cancel_scope, end, descriptors)
                try:
                    self._process = await nursery.start(live)
                except OSError as error:
                    failed = error
            if failed is None:
                channel.send(configure())
                self._end_if_asked()
                nursery.start_soon(channel.write)
                nursery.start_soon(self._listen, channel)
                nursery.start_soon(self._expect)
        if failed is not None:
            raise failed
        return self._death()

    def send(self, line: bytes) -> bool:
        """Tell the worker something; False if it does not listen and must go."""
        if self._channel is None or self._channel.send(line):
            return True
        self._terminate()
        return False

    def dismiss(self, line: bytes, patience: float) -> None:
        """Tell the worker to leave; kill it if it has not after so many seconds.

        One that does not serve yet has no clients, and needs no words.
        """
        if self.serving.is_set() and self.send(line):
            self._limit(patience)
        else:
            self._terminate()

    def _terminate(self) -> None:
        self._limit(SPARE)
        if self._process is not None:
            self._process.terminate()

    def _limit(self, patience: float) -> None:
        end = trio.current_time() + patience
        self._life.deadline = min(self._life.deadline, end)

    def _end_if_asked(self) -> None:
        if self._process is not None and self._life.deadline < inf:
            self._process.terminate()

    async def _live(
        self,
        everything: trio.CancelScope,
        end: int,
        descriptors: Iterable[int],
        *,
        task_status: trio.TaskStatus[trio.Process],
    ) -> None:
        with self._life:
            await trio.run_process(
                command(end),
                check=False,
                deliver_cancel=self._deliver_cancel,
                env=environment(),
                pass_fds=(end, *descriptors),
                process_group=0,  # Ctrl-C is for the supervisor alone
                stdin=subprocess.DEVNULL,
                task_status=task_status,
            )
        everything.cancel()

    async def _deliver_cancel(self, process: trio.Process) -> None:
        """Kill what has outlived its time; else, it is we who fail, ask it to stop."""
        if trio.current_time() < self._life.deadline:
            process.terminate()
            await trio.sleep(START_PATIENCE)
        process.kill()

    async def _listen(self, channel: Channel) -> None:
        """Hear what the worker has to say, as long as it says it properly."""
        try:
            while (message := await channel.receive()) is not None:
                match message:
                    case Serving():
                        self.serving.set()
                        self._began()
                    case Leaves():
                        self.ending = f"worker process {self._pid} was told to stop"
                        self.gone.set()
                    case Failed():
                        self._failure = message
        except ChannelError as error:
            self._failure = Failed(f"it is not understood: {error}")
            self._terminate()

    async def _expect(self) -> None:
        """End a worker that does not come to serve."""
        with trio.move_on_after(START_PATIENCE):
            return await self.serving.wait()
        self._failure = Failed(f"it did not serve within {START_PATIENCE:.0f} s")
        self._life.cancel()
        return None

    def _death(self) -> Death:
        process, reason = self._process, self._failure.text if self._failure else ""
        if process is None or process.returncode is None:
            raise RuntimeError("a worker process is looked at before its end")
        return Death(process.pid, process.returncode, reason)

    @property
    def _pid(self) -> int:
        return self._process.pid if self._process else 0


def command(end: int) -> list[str]:
    """Return the command line of a worker: nothing but where its channel is.

    ``-P``: what lies in the working directory is not ours.
    """
    development = ["-X", "dev"] if sys.flags.dev_mode else []
    options = ["-P", *development]
    return [sys.executable, *options, "-m", PACKAGE, "worker", "--channel", str(end)]


def environment(own: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return an environment in which this very package is found.

    It is by itself where it is installed; in a checkout it may be the directory that
    our own interpreter was started from.
    """
    paths = [] if str(ROOT) in getsitepackages() else [str(ROOT)]
    if not sys.flags.ignore_environment:
        paths += filter(None, [own.get("PYTHONPATH")])
    others = {name: value for name, value in own.items() if name != "PYTHONPATH"}
    return {**others, "PYTHONPATH": os.pathsep.join(paths)} if paths else others
