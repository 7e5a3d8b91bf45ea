"""Times and sizes in nginx's notation."""

import re
from collections.abc import Mapping

SECONDS: Mapping[str, float] = {
    "y": 365 * 86400,
    "M": 30 * 86400,
    "w": 7 * 86400,
    "d": 86400,
    "h": 3600,
    "m": 60,
    "s": 1,
    "ms": 0.001,
}
"""A unit's length; in the only order in which they may be combined."""

PART = re.compile(r"([0-9]{1,10})(ms|[yMwdhms]?)\s*")
TIME = re.compile(
    "".join(
        rf"(?:[0-9]{{1,10}}{unit}{'?' if unit == 's' else ''}\s*)?" for unit in SECONDS
    )
)

SIZE = re.compile(r"([0-9]{1,10})([kKmM]?)")
OCTETS: Mapping[str, int] = {"": 1, "k": 2**10, "m": 2**20}


def parse_time(text: str) -> float:
    """Read ``1h30m``, ``500ms`` or bare seconds; ValueError if it is none of these."""
    if not text.strip() or TIME.fullmatch(text) is None:
        raise ValueError(f"not a time: {text!r}")
    return sum(int(count) * SECONDS[unit or "s"] for count, unit in PART.findall(text))


def format_time(seconds: float) -> str:
    """Write a time in the fewest words that parse_time reads as the same."""
    milliseconds = round(seconds * 1000)
    words = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, milliseconds = divmod(milliseconds, round(SECONDS[unit] * 1000))
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def parse_size(text: str) -> int:
    """Read ``10m``, ``32k`` or bare octets; ValueError if it is none of these."""
    if (found := SIZE.fullmatch(text)) is None:
        raise ValueError(f"not a size: {text!r}")
    return int(found[1]) * OCTETS[found[2].lower()]


def format_size(octets: int) -> str:
    """Write a size in the largest unit that says it exactly."""
    for unit in ("m", "k"):
        if octets and octets % OCTETS[unit] == 0:
            return f"{octets // OCTETS[unit]}{unit}"
    return str(octets)
