"""The verbs about who is not let in: ``bans``, ``ban`` and ``unban``."""

import time
from ipaddress import ip_network

import trio

from mailssl_trio.limits.bans import Ban
from mailssl_trio.limits.networks import Network
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact, Request, RequestError
from mailssl_trio.supervision.control.visitor import Visitor

AN_HOUR = 3600
"""Seconds of a ban where nobody says how many."""

SAID_AT_ONCE = 500


async def bans(program: Program, _request: Request, visitor: Visitor) -> Fact:
    """Say a line for each ban, the oldest first."""
    found = tuple(program.ledger.bans)
    for first in range(0, len(found), SAID_AT_ONCE):
        some = found[first : first + SAID_AT_ONCE]
        await visitor.say(*({"ban": _fact(ban)} for ban in some))
    return {"ok": True, "found": len(found)}


async def ban(program: Program, request: Request, visitor: Visitor) -> Fact:
    """Let nobody in from a network, for so many seconds."""
    network, seconds = _network(request), request.number("seconds")
    if seconds is None:
        seconds = AN_HOUR
    if seconds <= 0:
        raise RequestError("`seconds` must be more than 0")
    made = program.ledger.bans.add(network, seconds)
    length = f"{made.seconds_left:.0f} s"
    program.log("notice", f"control: ban {network} for {length}, for {visitor.peer}")
    await visitor.say({"ban": _fact(made)})
    return {"ok": True}


async def unban(program: Program, request: Request, visitor: Visitor) -> Fact:
    """End all bans of a network, and of what lies in it."""
    network = _network(request)
    ended = 0
    while some := len(program.ledger.unban(network)):
        ended += some
        await trio.lowlevel.checkpoint()  # others have their turn, who have workers
    program.log(
        "notice", f"control: unban {network}: {ended} ended, for {visitor.peer}"
    )
    return {"ok": True, "ended": ended}


def _network(request: Request) -> Network:
    if (text := request.network("network")) is None:
        raise RequestError("whom? name a `network`")
    return ip_network(text)


def _fact(ban: Ban) -> Fact:
    return {
        "network": str(ban.network),
        "user": ban.user or None,
        "until": int(time.time() + ban.seconds_left),
        "why": ban.why,
    }
