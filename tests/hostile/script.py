r"""The notation of the hostile tables: what a client does, and what it must be told.

A script is a text of lines, each with what it means in front:

==================  ==========================================================
``C: text``         the client says this line
``C~ text``         the same without a line end, with ``\r``, ``\0``, ``\xNN``
``C* 900 text``     the same, 900 times
``C! TLS``          the client shakes hands, which must succeed
``C! offers http``  the client shakes hands for this protocol: an alert refuses it
``C! EOF``          the client will say no more, and still hears
``C! leaves``       the client closes the connection
``C! resets``       the client tears it down
``C! waits 5``      the client says nothing for so many seconds
``C! floods text``  the client says this for ever, with the same escapes, and hears
                    nothing, until it is thrown out
``S: text``         the gateway says this line
``S~ pattern``      the gateway says a line that this pattern fits
``S* 900 text``     the gateway says this line, 900 times
``S! closes``       the gateway closes, at once
``S! alerts``       the gateway closes, with a TLS alert at most
``S! pattern``      the gateway closes, and all that it says until then is like this
``S! in time …``    the same, when the client's time is over, no sooner and no later
``J: name secret``  whoever judges logins was asked about these, in this order
``B~ octets``       what the backend has heard behind the login
``B* 900 octets``   the same, 900 times
==================  ==========================================================

In ``C`` and ``J`` lines ``base64(text)`` stands for the base64 of the text, which may
hold escapes. Lines of the client that follow each other are sent in one piece.

Nothing may be said beyond the script, nobody be asked beyond it, and where the script
does not end the connection, the gateway must still understand the next command.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from attrs import frozen

BASE64 = re.compile(r"base64\((.*?)\)")
ESCAPE = re.compile(rb"\\(?:x[0-9a-fA-F]{2}|[rntab0\\])")


@frozen
class Say:
    """The client says this."""

    octets: bytes


@frozen
class Flood:
    """The client says this until it is thrown out."""

    octets: bytes


@frozen
class Act:
    """The client does something else."""

    what: str


@frozen
class Offer:
    """The client offers a protocol by ALPN (RFC 7301) that is not spoken here."""

    protocol: str


@frozen
class Wait:
    """The client lets time pass."""

    seconds: float


@frozen
class Hear:
    """The gateway says these octets."""

    octets: bytes


@frozen
class HearLike:
    """The gateway says a line of this form."""

    pattern: bytes


@frozen
class End:
    """The gateway closes, and what it says until then is of this form."""

    pattern: bytes = b""
    in_time: bool = False


@frozen
class Judged:
    """Somebody was asked about a login."""

    login: bytes


@frozen
class Relayed:
    """The backend has heard this behind a login."""

    octets: bytes


Deed: TypeAlias = Say | Flood | Offer | Wait | Act
Step: TypeAlias = Deed | Hear | HearLike | End | Judged | Relayed

ALERT = rb"(?:\x15\x03[\x00-\x04]\x00[\x02-\x40].{2,64})?"
"""A TLS alert, in the clear or not (RFC 8446 section 6), or nothing at all."""


def read_script(text: str) -> tuple[Step, ...]:
    """Read a script; what the client says without a pause is one step."""
    steps: list[Step] = []
    for line in filter(None, map(str.lstrip, text.splitlines())):
        step = _step(line[:2], line[3:])
        if isinstance(step, Say) and steps and isinstance(last := steps[-1], Say):
            steps[-1] = Say(last.octets + step.octets)
        else:
            steps.append(step)
    return tuple(steps)


def _step(sign: str, text: str) -> Step:
    if sign not in SIGNS:
        raise ValueError(f"no line of a script begins with {sign}")
    return SIGNS[sign](text)


def _act(text: str) -> Step:
    word, _, rest = text.partition(" ")
    match word:
        case "waits":
            return Wait(float(rest))
        case "floods":
            return Flood(octets(rest))
        case "offers":
            return Offer(rest)
        case "TLS" | "EOF" | "leaves" | "resets":
            return Act(text)
    raise ValueError(f"no client does this: {text}")


def _end(text: str) -> End:
    match text:
        case "closes":
            return End()
        case "alerts":
            return End(ALERT)
        case _ if text.startswith("in time"):
            return End(_like(text.removeprefix("in time").strip()), in_time=True)
        case _:
            return End(_like(text))


def _like(pattern: str) -> bytes:
    return pattern.encode().replace(b"ALERT", ALERT)


def octets(text: str) -> bytes:
    """Return what a text with escapes stands for."""
    return ESCAPE.sub(_unescaped, text.encode())


def _unescaped(escape: re.Match[bytes]) -> bytes:
    return escape[0].decode("unicode_escape").encode("latin-1")


def _with_base64(text: str) -> str:
    return BASE64.sub(lambda found: b64encode(octets(found[1])).decode(), text)


def _repeated(text: str) -> bytes:
    count, _, repeated = text.partition(" ")
    return int(count) * octets(repeated)


def _lines(text: str) -> bytes:
    count, _, line = text.partition(" ")
    return int(count) * (line.encode() + b"\r\n")


SIGNS: Mapping[str, Callable[[str], Step]] = {
    "C:": lambda text: Say(_with_base64(text).encode() + b"\r\n"),
    "C~": lambda text: Say(octets(_with_base64(text))),
    "C*": lambda text: Say(_repeated(text)),
    "C!": _act,
    "S:": lambda text: Hear(text.encode() + b"\r\n"),
    "S~": lambda text: HearLike(text.encode()),
    "S*": lambda text: Hear(_lines(text)),
    "S!": _end,
    "J:": lambda text: Judged(octets(_with_base64(text))),
    "B~": lambda text: Relayed(octets(text)),
    "B*": lambda text: Relayed(_repeated(text)),
}
"""What stands in front of a line, and what the line then means."""


def spoken(steps: tuple[Step, ...]) -> Iterator[bytes]:
    """Yield what the client says, piece by piece."""
    return (step.octets for step in steps if isinstance(step, Say))
