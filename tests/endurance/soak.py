"""A day of a gateway in half an hour; it may not hold more at its end than before.

Three gateways: one with the mailboxes, and two before it, the second of which is
reloaded each minute. Each minute everybody holds still, but those who idle: what a
process holds then is what it keeps.
"""

import argparse
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from statistics import median

import tomli_w
from attrs import define, field

from tests.endurance import actors
from tests.endurance.actors import Actor, Stage, await_stillness
from tests.endurance.figures import Held, held_by, print_table
from tests.endurance.gateways import Trial, running
from tests.interop.gateway import Doors, mail_table
from tests.interop.people import Person

CAST: Sequence[Callable[[Actor], None]] = (
    actors.looks,
    actors.keeps,
    actors.writes,
    actors.forgets,
    actors.resumes,
    actors.breaks_off,
    actors.injects,
    actors.idles,
    actors.idles,
    actors.idles,
)
GROWTH = 1.05
NOISE = 4
"""Threads that have nothing to do wait a while; a reload may be on its way out."""
LINES_OF_FAILURES = 20


@define
class Sample:
    """What a gateway holds while all are still."""

    second: float
    supervisor: Held
    workers: Held
    sessions: int
    """Open by what the log says: each has its tasks, and none is there without."""


@define
class Run:
    """One gateway through all of it."""

    name: str
    trial: Trial
    stage: Stage
    cast: list[Actor]
    samples: list[Sample] = field(factory=list)

    def sample(self, since: float) -> None:
        """Look what it holds."""
        trial = self.trial
        trial.log.read()
        sessions = sum(trial.log.open[pid] for pid in trial.workers)
        newest = trial.workers[-2:]  # those before them are leaving
        self.samples.append(
            Sample(
                time.monotonic() - since,
                held_by([trial.supervisor]),
                held_by(newest),
                sessions,
            )
        )


def table(doors: Doors, before: Doors | None = None) -> str:
    """Configure a gateway with mailboxes, or one that stands before another."""
    servers = [dict(server) for server in doors.servers]
    if before is not None:
        security = {"proxy_ssl_verify": False}
        for server, ((_, manner), port) in zip(
            servers, before.ports.items(), strict=True
        ):
            how = "on" if manner == "tls" else "starttls"
            server |= {"proxy_pass": f"127.0.0.1:{port}", "proxy_ssl": how, **security}
    mail = mail_table(
        *servers,
        users="users.toml",
        ssl_session_cache="shared:SSL:1m",
        **({"proxy_pass": "embedded"} if before is None else {}),
    )
    top = {"worker_processes": 2, "worker_shutdown_timeout": "10s"}
    return tomli_w.dumps({**mail, **top})


@contextmanager
def opened(directory: Path, seed: int) -> Iterator[list[Run]]:
    """Open all three, with a cast before each."""
    names = ("mailboxes", "before them", "reloaded")
    people = [Person(f"user{n}@example.org", f"password{n}") for n in range(40)]
    runs: list[Run] = []
    with ExitStack() as stack:
        for name in names:
            home = directory / name.replace(" ", "-")
            home.mkdir()
            doors = Doors.anywhere(home / "var/tls/ca.pem")
            behind = runs[0].stage.doors if runs else None
            trial = stack.enter_context(
                running(home, table(doors, behind), doors, people)
            )
            stage = Stage(doors, reloads=name == "reloaded")
            first = len(runs) * len(CAST)
            cast = [
                Actor(stage, people[first + nth], Random(f"{seed} {name} {nth}"), deed)
                for nth, deed in enumerate(CAST)
            ]
            runs.append(Run(name, trial, stage, cast))
        yield runs


@contextmanager
def playing(runs: Sequence[Run]) -> Iterator[None]:
    """Let all casts play."""
    threads = [
        threading.Thread(target=actor.play) for run in runs for actor in run.cast
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for run in runs:
            run.stage.stop.set()
        for thread in threads:
            thread.join(60)


def hold_still(runs: Sequence[Run], since: float) -> None:
    """Have all hold still, and look what is held."""
    for run in runs:
        run.stage.still.set()
    for run in runs:
        await_stillness(run.stage, run.cast)
    time.sleep(3)  # a goodbye may take two seconds
    for run in runs:
        run.sample(since)
        run.stage.still.clear()


def show(run: Run) -> None:
    """Print the last sample, and the last failure: a run may not come to its end."""
    last, failures = run.samples[-1], run.stage.failures
    print(
        f"{last.second:6.0f} s  {run.name:12} supervisor: {_figures(last.supervisor)}; "
        f"workers: {_figures(last.workers)}; {last.sessions} sessions; "
        f"{sum(run.stage.counts.values())} deeds, {len(failures)} failures"
        + "".join(f"\n{run.name}: {failure}" for failure in failures[-1:]),
        flush=True,
    )


def _figures(held: Held) -> str:
    return f"{held.descriptors} fd, {held.threads} threads, {held.pss:.1f} MB"


def growths(run: Run, warm: float) -> Iterator[tuple[str, float, float, bool]]:
    """Yield what was held first and last, and whether it has grown.

    Descriptors, threads and sessions have grown if the least of the last third is some
    more than the most of the first; memory, if its median is by 5 % more.
    """
    samples = [sample for sample in run.samples if sample.second >= warm]
    third = max(1, len(samples) // 3)
    first, last = samples[:third], samples[-third:]
    parts = first, last
    yield from _grown("supervisor", *([each.supervisor for each in p] for p in parts))
    yield from _grown("workers", *([each.workers for each in p] for p in parts))
    yield _counted("sessions", *([each.sessions for each in p] for p in parts))


def _grown(
    who: str, before: Sequence[Held], after: Sequence[Held]
) -> Iterator[tuple[str, float, float, bool]]:
    parts = before, after
    descriptors = ([held.descriptors for held in part] for part in parts)
    yield _counted(f"{who}: descriptors", *descriptors)
    yield _counted(f"{who}: threads", *([held.threads for held in p] for p in parts))
    start, end = (median(held.pss for held in part) for part in parts)
    yield f"{who}: MB", start, end, end > start * GROWTH


def _counted(
    what: str, before: Sequence[float], after: Sequence[float]
) -> tuple[str, float, float, bool]:
    return what, max(before), min(after), min(after) > max(before) + NOISE


def report(runs: Sequence[Run], warm: float) -> bool:
    """Print what was held, and what was done; return whether all is well."""
    well = True
    rows = []
    for run in runs:
        for what, before, after, grown in growths(run, warm):
            well = well and not grown
            verdict = "HAS GROWN" if grown else "flat"
            rows.append((run.name, what, before, after, verdict))
    print_table(("gateway", "what", "first third", "last third", "verdict"), rows)
    for run in runs:
        deeds = ", ".join(f"{n} {deed}" for deed, n in sorted(run.stage.counts.items()))
        print(f"{run.name}: {deeds}")
        wrongs = [*run.stage.failures, *run.trial.log.alarms]
        well = well and not wrongs
        for wrong in wrongs[:LINES_OF_FAILURES]:
            print(f"{run.name}: {wrong}")
    return well


def main() -> int:
    """Play for so many minutes, and judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    seconds = asked.minutes * 60
    period = min(60.0, max(20.0, seconds / 12))  # a reload takes ten seconds
    with tempfile.TemporaryDirectory(prefix="mailssl-") as name:
        with opened(Path(name), asked.seed) as runs:
            began = time.monotonic()
            with playing(runs):
                while time.monotonic() < began + seconds:
                    time.sleep(period)
                    hold_still(runs, began)
                    for run in runs:
                        show(run)
                    runs[-1].trial.program.signal(signal.SIGHUP)
        return int(not report(runs, min(300.0, seconds / 6)))


if __name__ == "__main__":
    sys.exit(main())
