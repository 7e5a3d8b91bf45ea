"""The worker processes of one configuration, as many as it asks for, kept alive."""

from collections.abc import Callable
from itertools import count

import trio
from attrs import evolve

from mailssl_trio.channel import encode
from mailssl_trio.config.model import Config
from mailssl_trio.leaving import stopping_time
from mailssl_trio.limits.counts import Place
from mailssl_trio.messages import Configure, End, Failed, Message, Retire, Stop
from mailssl_trio.supervision.death import Death, Ending
from mailssl_trio.supervision.pulse import Pulse
from mailssl_trio.supervision.shared_limits import SharedLimits
from mailssl_trio.supervision.worker_process import SPARE, WorkerProcess

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
"""Seconds before another worker takes the place of one that has died: none the first
time, and then ever more."""

LONGEST_ABSENCE = 2.0
"""The most of them where it had come to serve. Clients wait at its door, and whoever
kills workers, one after the other, must not get it shut for long."""

RESPITE = 60.0
"""Seconds of life that make a worker's death the first again."""

NUMBERS = count(1)
"""Of generations: the first, and one more for each reload."""


def words(ending: Ending) -> str:
    """Say how it came that a worker is gone."""
    if isinstance(ending, OSError):
        return f"no worker process can be started: {ending}"
    return str(ending)


def pause_after(deaths: int, *, has_served: bool) -> float:
    """Return the seconds until a worker is replaced whose place saw so many deaths."""
    if deaths <= 1:
        return 0.0
    longest = LONGEST_ABSENCE if has_served else LONGEST_PAUSE
    return min(FIRST_PAUSE * 2.0 ** min(deaths - 2, 32), longest)


class Generation:
    """Workers of one configuration, from their start to the end of the last."""

    def __init__(
        self,
        config: Config,
        configure: Configure,
        write: Callable[[str, str], None],
        distrust_memory: Callable[[], None],
        limits: SharedLimits,
    ) -> None:
        self.config = config
        self.configure = configure
        """What a worker is told that starts now."""
        self.number = next(NUMBERS)
        self.settled = trio.Event()
        """All of them serve, or one of them cannot: see ``failure``."""
        self.failure: Failed | None = None
        self._write = write
        self._distrust_memory = distrust_memory
        self._limits = limits
        self._workers: set[WorkerProcess] = set()
        self._left = trio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Keep workers alive until they are to leave and have left."""
        async with trio.open_nursery() as processes:
            for _ in range(self.config.worker_processes):
                processes.start_soon(self._keep_one, processes)

    @property
    def workers(self) -> tuple[WorkerProcess, ...]:
        """Those that live, in the order of their start."""
        return tuple(sorted(self._workers, key=lambda worker: worker.began))

    @property
    def is_leaving(self) -> bool:
        """Whether its workers let nobody in any more."""
        return self._left.is_set()

    def tell(self, message: Message) -> None:
        """Tell all workers something."""
        line = encode(message)
        for worker in self._workers:
            if not worker.send(line):
                self._write("alert", "a worker process does not listen; it is stopped")

    def retire(self) -> None:
        """Take no more clients; let those who are there finish."""
        self._left.set()
        timeout = self.config.worker_shutdown_timeout
        line, patience = encode(Retire()), stopping_time(timeout, patient=True)
        for worker in self._workers:
            worker.dismiss(line, patience + SPARE)

    @property
    def pulses(self) -> list[Pulse]:
        """Those of the workers that have come to serve."""
        return [each.pulse for each in self._workers if each.serving.is_set()]

    def stop(self, *, patient: bool) -> float:
        """Have everything end, in so many seconds at most; asked again, at once."""
        self._left.set()
        line, patience = encode(End()), 0.0
        if not self._stopping:
            timeout = self.config.worker_shutdown_timeout
            patience = stopping_time(timeout, patient=patient)
            line = encode(Stop(patient))
        self._stopping = True
        for worker in self._workers:
            worker.dismiss(line, patience + SPARE)
        return patience + SPARE

    async def _keep_one(self, processes: trio.Nursery) -> None:
        """Have one worker that lets clients in, and another when it is gone."""
        deaths = 0
        while not self._left.is_set():
            began = trio.current_time()
            worker = WorkerProcess(self._began, self._limits.hear, self.config.user)
            processes.start_soon(self._live, worker)
            await worker.gone.wait()
            if self._left.is_set() or not self._is_accepted(worker.ending):
                return
            lived = trio.current_time() - began
            deaths = 1 if lived > RESPITE else deaths + 1
            pause = pause_after(deaths, has_served=worker.serving.is_set())
            when = f"in {pause:.1f} s" if pause else "at once"
            self._write("alert", f"{words(worker.ending)}; another starts {when}")
            with trio.move_on_after(pause):
                await self._left.wait()

    async def _live(self, worker: WorkerProcess) -> None:
        """Have a worker from its start to its end."""
        with self._limits.lent(self.config) as place:
            descriptors = {door.descriptor for door in self.configure.doors}
            if place is not None:
                descriptors.add(place.descriptor)
            self._workers.add(worker)
            await worker.run(descriptors, lambda: encode(self._configure(place)))
            self._workers.remove(worker)
        if isinstance(worker.ending, Death) and worker.ending.is_fault:
            self._distrust_memory()

    def _configure(self, place: Place | None) -> Configure:
        return evolve(self.configure, limiting=self._limits.of_worker(place))

    def _began(self) -> None:
        """Notice that a worker serves; perhaps it is the last of all."""
        serving = [worker for worker in self._workers if worker.serving.is_set()]
        if len(serving) == self.config.worker_processes:
            self.settled.set()

    def _is_accepted(self, ending: Ending) -> bool:
        """Whether an end is a mishap, not a start that has failed."""
        if self.settled.is_set():
            return self.failure is None
        self.failure = Failed(words(ending))
        self.settled.set()
        return False
