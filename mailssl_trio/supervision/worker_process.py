"""One worker process as its supervisor sees it: started, told, and awaited."""

import socket
import subprocess
from collections.abc import Callable, Iterable
from functools import partial
from math import inf

import trio

from mailssl_trio.channel import MAX_WORKERS_LINE, Channel, ChannelError
from mailssl_trio.config.worker_user import WorkerUser
from mailssl_trio.messages import Answer, Failed, Leaves, LoginsTold, Question, Serving
from mailssl_trio.supervision.asking import Asking
from mailssl_trio.supervision.command import command, environment
from mailssl_trio.supervision.death import Death, Ending
from mailssl_trio.supervision.pulse import Pulse

START_PATIENCE = 60.0
"""Seconds in which a worker begins to serve."""

SPARE = 5.0
"""Seconds that a worker gets beyond what its drain allows, before it is killed."""


LAST_WORDS = 1.0
"""Seconds in which we hear what a worker said before its end."""


class WorkerProcess:
    """A process from its start to its end."""

    def __init__(
        self,
        began: Callable[[], None],
        hear: Callable[[LoginsTold], None],
        user: WorkerUser | None = None,
    ) -> None:
        self.serving = trio.Event()
        self.gone = trio.Event()
        """It lets nobody in any more: see ``ending``."""
        self.ending: Ending = ""
        """How it ended; or that it leaves, in words."""
        self.began = trio.current_time()
        self._failure: Failed | None = None
        self._heard = trio.Event()
        """There is nothing more that it will say."""
        self._began = began
        self._hear = hear
        self._user = user
        """Who it is; None: who we are. It is never anybody else."""
        self.pulse = Pulse(self.ask)
        self._life = trio.CancelScope()
        """What cancels it is time, or a bug of ours: see ``_deliver_cancel``."""
        self._process: trio.Process | None = None
        self._channel: Channel | None = None
        self._asking = Asking(self.send)

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
            if self._user is not None and isinstance(error, PermissionError):
                who = self._user.names.user
                self.ending = PermissionError(f"{who} may not run {error.filename}")
        self.gone.set()

    async def _run(
        self, descriptors: Iterable[int], configure: Callable[[], bytes]
    ) -> Death:
        ours, theirs = socket.socketpair()
        channel = Channel(ours, max_line=MAX_WORKERS_LINE)
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
                self._channel = channel  # for what is said from now on
                self._end_if_asked()
                nursery.start_soon(channel.write)
                nursery.start_soon(self._listen, channel)
                nursery.start_soon(self._expect)
                nursery.start_soon(self._watch)
        if failed is not None:
            raise failed
        return self._death()

    def send(self, line: bytes) -> bool:
        """Tell the worker something; False if it does not listen and must go."""
        if self._channel is None or self._channel.send(line):
            return True
        self._terminate()
        return False

    async def ask(self, question: Question) -> Answer | None:
        """Return what the worker answers; None if it does not, or not in time."""
        return await self._asking.ask(question)

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
        user = self._user
        with self._life:
            await trio.run_process(
                command(end),
                check=False,
                deliver_cancel=self._deliver_cancel,
                env=environment(),
                extra_groups=None if user is None else user.groups,
                group=None if user is None else user.gid,
                user=None if user is None else user.uid,
                pass_fds=(end, *descriptors),
                process_group=0,  # Ctrl-C is for the supervisor alone
                stdin=subprocess.DEVNULL,
                task_status=task_status,
            )
        with trio.move_on_after(LAST_WORDS):
            await self._heard.wait()
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
                        self.ending = f"worker process {self.pid} was told to stop"
                        self.gone.set()
                    case Failed():
                        self._failure = message
                    case Answer():
                        self._asking.hear(message)
                    case LoginsTold():
                        self._hear(message)
        except ChannelError as error:
            self._failure = Failed(f"it is not understood: {error}")
            self._terminate()
        self._heard.set()

    async def _expect(self) -> None:
        """End a worker that does not come to serve."""
        with trio.move_on_after(START_PATIENCE):
            return await self.serving.wait()
        self._failure = Failed(f"it did not serve within {START_PATIENCE:.0f} s")
        self._limit(0)
        return None

    async def _watch(self) -> None:
        """End a worker whose loop stands still."""
        await self.serving.wait()
        await self.pulse.stops()
        seconds = f"{self.pulse.standstill:.0f} s"
        self._failure = Failed(f"its loop has stood still for {seconds}")
        self._limit(0)

    def _death(self) -> Death:
        process, reason = self._process, self._failure.text if self._failure else ""
        if process is None or process.returncode is None:
            raise RuntimeError("a worker process is looked at before its end")
        return Death(process.pid, process.returncode, reason)

    @property
    def pid(self) -> int:
        """The number of the process; 0 before its start."""
        return self._process.pid if self._process else 0
