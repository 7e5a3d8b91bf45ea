"""The verb ``status``: the program, its workers, its certificates."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

import trio
from attrs import asdict

from mailssl_trio.messages import CountSessions, SessionCount
from mailssl_trio.supervision.control.asking_workers import silence
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact, Request
from mailssl_trio.supervision.control.visitor import Visitor
from mailssl_trio.supervision.generation import Generation
from mailssl_trio.supervision.judging import certificates
from mailssl_trio.supervision.worker_process import WorkerProcess
from mailssl_trio.tls.policy import Inline

PAGE = os.sysconf("SC_PAGE_SIZE")


async def status(program: Program, _request: Request, visitor: Visitor) -> Fact:
    """Say how everything is."""
    await visitor.say({"program": _program(program)})

    async def tell(generation: Generation, worker: WorkerProcess) -> None:
        count = await worker.ask(CountSessions()) if worker.serving.is_set() else None
        await visitor.say({"worker": _worker(generation, worker, count)})
        if worker.serving.is_set() and not isinstance(count, SessionCount):
            await visitor.say(silence(worker))

    async with trio.open_nursery() as nursery:
        for generation in program.generations():
            for worker in generation.workers:
                nursery.start_soon(tell, generation, worker)
    await visitor.say(*({"certificate": one} for one in _certificates(program)))
    return {"ok": True}


@cache
def _version() -> str:
    return version("mailssl-trio")


def _program(program: Program) -> Fact:
    served, last = program.served(), program.reloads.last
    config = served.judged.config if served else None
    return {
        "version": _version(),
        "pid": os.getpid(),
        "since": program.began,
        "configuration": str(config.file.absolute()) if config else None,
        "stopping": program.is_stopping(),
        "bans": len(program.ledger.bans),
        "reloads": program.reloads.done,
        "last_reload": None
        if last is None
        else {"ok": not last.problems, **asdict(last)},
    }


def _worker(generation: Generation, worker: WorkerProcess, count: object) -> Fact:
    counted = count if isinstance(count, SessionCount) else None
    state = "serving" if worker.serving.is_set() else "starting"
    return {
        "pid": worker.pid,
        "generation": generation.number,
        "state": "leaving" if generation.is_leaving else state,
        "since": int(time.time() - (trio.current_time() - worker.began)),
        "sessions": counted and counted.logged_in,
        "before_login": counted and counted.before_login,
        "memory": _memory(worker.pid),
    }


def _memory(pid: int) -> int | None:
    """Return the octets of memory that a process has, where the system says so."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    return None


def _certificates(program: Program) -> Iterator[Fact]:
    if (served := program.served()) is None:
        return
    now = datetime.now(UTC)
    for one in certificates(served.judged.config, served.judged.tls):
        source = one.pair.certificate
        yield {
            "file": None if isinstance(source, Inline) else str(source),
            "names": list(one.names),
            "expires": int(one.not_after.timestamp()),
            "days_left": (one.not_after - now).days,
        }
