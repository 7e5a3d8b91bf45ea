"""The verbs about those who are here: ``who`` and ``kick``."""

from mailssl_trio.channel import CONVERTER
from mailssl_trio.escaping import LONGEST_NAME, escape
from mailssl_trio.messages import (
    EndSessions,
    FindSessions,
    SessionsEnded,
    SessionsFound,
    Whom,
)
from mailssl_trio.supervision.control.asking_workers import ask_all
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact, Request, RequestError
from mailssl_trio.supervision.control.visitor import Visitor
from mailssl_trio.supervision.worker_process import WorkerProcess

SILENT = "a worker process does not answer"


async def who(program: Program, request: Request, visitor: Visitor) -> Fact:
    """Say a line for each session, and for each connection if all are wanted."""
    found = 0

    async def tell(worker: WorkerProcess, page: SessionsFound | SessionsEnded) -> None:
        nonlocal found
        if isinstance(page, SessionsFound) and page.sessions:
            found += len(page.sessions)
            said = map(CONVERTER.unstructure, page.sessions)
            facts = ({"session": {**one, "worker": worker.pid}} for one in said)
            await visitor.say(*facts)

    question = FindSessions(_whom(request), request.flag("all"))
    is_whole = await ask_all(program, visitor, question, tell)
    return _last(is_whole, {"found": found})


async def kick(program: Program, request: Request, visitor: Visitor) -> Fact:
    """End the connections that are meant, and say how many they were."""
    if (whom := _whom(request)) is None:
        raise RequestError("whom? name a `user`, a `session`, or a `network`")
    ended = 0

    async def tell(_worker: WorkerProcess, page: SessionsFound | SessionsEnded) -> None:
        nonlocal ended
        if isinstance(page, SessionsEnded):
            ended += page.count

    try:
        is_whole = await ask_all(program, visitor, EndSessions(whom), tell)
    finally:  # also where whoever asked has gone
        meant = filter(None, (whom.user, whom.session, whom.network))
        words = " ".join(dict.fromkeys(meant))[:LONGEST_NAME]
        text = f'control: kick "{escape(words)}"'
        program.log("notice", f"{text}: {ended} ended, for {visitor.peer}")
    return _last(is_whole, {"ended": ended})


def _whom(request: Request) -> Whom | None:
    user, session = request.text("user"), request.text("session")
    network = request.network("network")
    if user is session is network is None:
        return None
    return Whom(user, session, network)


def _last(is_whole: bool, fact: Fact) -> Fact:
    return {"ok": True, **fact} if is_whole else {"ok": False, **fact, "error": SILENT}
