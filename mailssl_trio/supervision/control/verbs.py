"""The verbs: what each takes, and what it does."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.supervision.control.bans import ban, bans, unban
from mailssl_trio.supervision.control.orders import reload, reopen, stop
from mailssl_trio.supervision.control.program import Program
from mailssl_trio.supervision.control.request import Fact, Request, Takes
from mailssl_trio.supervision.control.sessions import kick, who
from mailssl_trio.supervision.control.status import status
from mailssl_trio.supervision.control.visitor import Visitor

Does: TypeAlias = Callable[[Program, Request, Visitor], Awaitable[Fact]]
"""Says what there is to say, and returns the last line; may raise RequestError."""


@frozen
class Verb:
    """Something that can be asked for."""

    does: Does
    takes: Takes


WHOM: Takes = {"user": str, "session": str, "network": str}

VERBS: Mapping[str, Verb] = {
    "status": Verb(status, {}),
    "who": Verb(who, {**WHOM, "all": bool}),
    "kick": Verb(kick, WHOM),
    "bans": Verb(bans, {}),
    "ban": Verb(ban, {"network": str, "seconds": int}),
    "unban": Verb(unban, {"network": str}),
    "reload": Verb(reload, {}),
    "reopen": Verb(reopen, {}),
    "stop": Verb(stop, {"now": bool}),
}

TAKES: Mapping[str, Takes] = {name: verb.takes for name, verb in VERBS.items()}
