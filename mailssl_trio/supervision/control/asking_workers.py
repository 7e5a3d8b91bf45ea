"""Asking all workers at once, page by page: those that leave are asked, too."""

from collections.abc import Awaitable, Callable

import trio
from attrs import evolve

from mailssl_trio.messages import (
    EndSessions,
    FindSessions,
    SessionsEnded,
    SessionsFound,
)
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact
from mailssl_trio.supervision.control.visitor import Visitor
from mailssl_trio.supervision.worker_process import WorkerProcess


def workers(program: Program) -> list[WorkerProcess]:
    """Return those that have clients, or may have."""
    return [
        worker
        for generation in program.generations()
        for worker in generation.workers
        if worker.serving.is_set()
    ]


def silence(worker: WorkerProcess) -> Fact:
    """Say that a worker has not answered."""
    return {"problem": f"worker process {worker.pid} does not answer"}


async def ask_all(
    program: Program,
    visitor: Visitor,
    question: FindSessions | EndSessions,
    tell: Callable[[WorkerProcess, SessionsFound | SessionsEnded], Awaitable[None]],
) -> bool:
    """Ask every worker until it has nothing more to tell; False if one is silent."""
    silent: list[WorkerProcess] = []

    async def ask(worker: WorkerProcess) -> None:
        after: int | None = 0
        while after is not None:
            answer = await worker.ask(evolve(question, after=after))
            if not isinstance(answer, SessionsFound | SessionsEnded):
                silent.append(worker)
                return await visitor.say(silence(worker))
            await tell(worker, answer)
            after = answer.after
        return None

    async with trio.open_nursery() as nursery:
        for worker in workers(program):
            nursery.start_soon(ask, worker)
    return not silent
