"""Lines of JSON: the same facts, each with a key that every line has.

All of it is ASCII, so that nothing a peer says can end a line or move a terminal.
docs/logs.md explains the keys.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from mailssl_trio.escaping import as_name
from mailssl_trio.logs.formats.endings import age, failure_of
from mailssl_trio.observer import (
    Admitted,
    Ended,
    Happening,
    LoginFailed,
    ProxyRefused,
    Relayed,
    Subject,
)
from mailssl_trio.protocol.events import Goodbye
from mailssl_trio.protocol.failures import Failure

Facts: TypeAlias = Mapping[str, str | int | float | bool | None]

BY_CLIENT = frozenset({Goodbye.QUIT, Goodbye.PEER_GONE})

USUAL: Facts = {
    "event": None,
    "reason": None,
    "detail": None,
    "ended_by": None,
    "bytes_in": None,
    "bytes_out": None,
}
"""What only some events have."""


def as_json(subject: Subject, happening: Happening) -> str | None:
    """Write a line; None where there is none to write."""
    told = _told(subject, happening)
    if told is None:
        return None
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": now, **USUAL, **told, **_about(subject)})


def _told(subject: Subject, happening: Happening) -> Facts | None:
    match happening:
        case Admitted():
            return {"event": "login"}
        case LoginFailed(rejected):
            reason = subject.failure.value
            detail = rejected.text or rejected.reason.value
            return {"event": "login_failed", "reason": reason, "detail": detail}
        case Ended(goodbye, detail):
            words = f"{goodbye.value} ({detail})" if detail else goodbye.value
            side = "client" if goodbye in BY_CLIENT else "us"
            reason = failure_of(subject, happening).value
            return _disconnect(reason, words, side)
        case ProxyRefused(detail):
            return _disconnect(Failure.PROXY_HEADER_REFUSED.value, detail, "us")
        case Relayed(outcome, up, down, side):
            octets = {"bytes_in": up, "bytes_out": down}
            return {"event": "end", "detail": outcome, "ended_by": side, **octets}
        case _:
            return None


def _disconnect(reason: str, detail: str, side: str) -> Facts:
    told = {"event": "disconnect", "reason": reason, "detail": detail}
    return {**told, "ended_by": side}


def _about(subject: Subject) -> Facts:
    tls = subject.tls
    tried = subject.attempts > 0
    return {
        "session": subject.session,
        "pid": os.getpid(),
        "connection": subject.number,
        "protocol": subject.protocol,
        "client": subject.client,
        "client_port": subject.client_port,
        "server": subject.server,
        "tls": tls.version if tls else None,
        "cipher": tls.cipher if tls else None,
        "resumed": tls.resumed if tls else None,
        "server_name": tls.server_name if tls else None,
        "starttls": subject.starttls and tls is not None,
        "user": as_name(subject.login) if tried else None,
        "mechanism": subject.mechanism if tried else None,
        "attempts": subject.attempts,
        "upstream": subject.upstream or None,
        "duration": round(age(subject), 3),
    }
