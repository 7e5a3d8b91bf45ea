"""A line of a log, and how it looks where it is written."""

import os
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from threading import main_thread

from attrs import field, frozen

LEVELS = {  # syslog(3), as nginx orders them
    "debug": 10,
    "info": 20,
    "notice": 25,
    "warn": 30,
    "error": 40,
    "crit": 50,
    "alert": 60,
    "emerg": 70,
}

SEVERITIES: Mapping[str, int] = {name: n for n, name in enumerate(reversed(LEVELS))}
"""By RFC 3164 section 4.1.1: 0 is the worst."""

PROGRAM = "mailssl-trio"
"""What we are called where a syslog daemon would say it."""


class Style(Enum):
    """What stands before the text of a line."""

    NGINX = "nginx"
    """Time, level and process, as nginx has it."""
    SYSLOG = "syslog"
    """Time, host and process, as a syslog daemon has it in its files."""
    BARE = "bare"


@frozen
class Line:
    """Something to be written. Of many lines, all but the first are set in."""

    level: str
    """One of nginx's."""
    text: str
    style: Style = Style.NGINX
    at: float = field(factory=time.time)

    @property
    def in_a_file(self) -> str:
        """The line with its time."""
        match self.style:
            case Style.NGINX:
                at = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(self.at))
                return f"{at} {self._level_and_process}{self.text}"
            case Style.SYSLOG:
                at = datetime.fromtimestamp(self.at).astimezone().isoformat()
                return f"{at} {host()} {PROGRAM}[{os.getpid()}]: {self.text}"
            case _:
                return self.text

    @property
    def in_a_datagram(self) -> str:
        """What a syslog daemon gets. It knows the time; nginx tells it all the same."""
        return self.in_a_file if self.style is Style.NGINX else self.text

    @property
    def in_the_journal(self) -> str:
        """What sd-daemon(3) makes of standard error: each line with its priority."""
        text = self.text
        if self.style is Style.NGINX:
            text = self._level_and_process + text
        priority = f"<{SEVERITIES[self.level]}>"
        return "\n".join(priority + line for line in text.split("\n"))

    @property
    def _level_and_process(self) -> str:
        return f"[{self.level}] {os.getpid()}#{main_thread().native_id}: "


@cache
def host() -> str:
    """Return the machine's name as syslog has it."""
    return socket.gethostname().lower()
