"""The verbs that tell the program what to do: ``reload``, ``reopen`` and ``stop``."""

import trio

from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact, Request, RequestError
from mailssl_trio.supervision.control.visitor import Visitor

RELOAD_PATIENCE = 150.0
"""Seconds for a reload: the disk may take 60, and so may the new workers."""


async def reload(program: Program, request: Request, visitor: Visitor) -> Fact:
    """Have the configuration read again, and say what has come of it."""
    if program.is_stopping():
        raise RequestError("the program is stopping")
    program.log("notice", f"control: {request.verb}, for {visitor.peer}")
    wish = program.reloads.ask()
    with trio.move_on_after(RELOAD_PATIENCE):
        await wish.over.wait()
    if not wish.over.is_set():
        return {"ok": False, "error": "the reload is not over yet; the log will tell"}
    outcome = wish.outcome
    if not outcome.problems:
        return {"ok": True}
    await visitor.say(*({"problem": problem} for problem in outcome.problems))
    error = "not reconfigured: what was served goes on"
    return {"ok": False, "error": error, "exit_code": outcome.exit_code}


async def reopen(program: Program, request: Request, visitor: Visitor) -> Fact:
    """Have the log files opened again."""
    program.log("notice", f"control: {request.verb}, for {visitor.peer}")
    await program.reopen()
    return {"ok": True}


async def stop(program: Program, request: Request, visitor: Visitor) -> Fact:
    """Have everything end: in good order, or at once."""
    now = request.flag("now")
    how = "stop at once" if now else "stop"
    program.log("notice", f"control: {how}, for {visitor.peer}")
    await visitor.say({"stopping": "at once" if now else "in good order"})
    program.stop()
    if now:
        program.stop()
    return {"ok": True}
