"""Syslog as a target of the error log: RFC 3164, in nginx's form.

A message is one datagram, so a daemon that has gone costs the lines that find nobody,
and nothing else. Only the thread that writes the log comes here.
"""

import logging
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from attrs import frozen

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock",
    "authpriv", "ftp", "ntp", "audit", "alert", "cron", "local0", "local1", "local2",
    "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
"""By their numbers (RFC 3164 section 4.1.1), as nginx names them."""

PORT = 514

SEVERITIES: Mapping[str, int] = {
    "emerg": 70,
    "alert": 60,
    "crit": 50,
    "error": 40,
    "warn": 30,
    "notice": 25,
    "info": 20,
    "debug": 10,
}
"""From 0 on (RFC 3164 section 4.1.1), with the levels of the log."""
_BY_LEVEL = {level: n for n, level in enumerate(SEVERITIES.values())}

MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
)  # fmt: skip
"""In English, wherever we run."""

MAX_MESSAGE = 2048 + 512  # a line of the log, and what stands before it

SECONDS_BETWEEN_LOOKUPS = 10.0
"""A name that is not found would hold up every line."""


@frozen
class Syslog:
    """Where a daemon listens, and what is said of each line."""

    server: str
    """``HOST[:PORT]`` or ``unix:/path``."""
    host: str
    """A name, an address, or the path."""
    port: int
    """0 for a path."""
    facility: str = "local7"
    severity: str = ""
    """What nginx takes here and does not use: each line has its own."""
    tag: str = "nginx"
    nohostname: bool = False

    def __str__(self) -> str:
        words = [f"syslog:server={self.server}"]
        if self.facility != "local7":
            words.append(f"facility={self.facility}")
        if self.severity:
            words.append(f"severity={self.severity}")
        if self.tag != "nginx":
            words.append(f"tag={self.tag}")
        return ",".join(words + ["nohostname"] * self.nohostname)


class SyslogHandler(logging.Handler):
    """Sends lines to a daemon that may be there."""

    def __init__(self, target: Syslog) -> None:
        super().__init__()
        host = "" if target.nohostname else f" {socket.gethostname().lower()}"
        self._head = f"{host} {target.tag}: "
        self._facility = FACILITIES.index(target.facility) * 8
        self._target = target
        self._socket: socket.socket | None = None
        self._next_lookup = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line, or lose it; a daemon may have begun anew, so try twice."""
        text = self._message(record).encode("utf-8", "backslashreplace")
        for _ in range(2):
            if self._send(text[:MAX_MESSAGE]):
                return

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        super().close()

    def _message(self, record: logging.LogRecord) -> str:
        """``<PRI>Mon DD HH:MM:SS host tag: line``, the day without a leading zero."""
        priority = self._facility + _BY_LEVEL[record.levelno]
        at = time.localtime(record.created)
        clock = time.strftime("%H:%M:%S", at)
        stamp = f"{MONTHS[at.tm_mon - 1]} {at.tm_mday:2} {clock}"
        return f"<{priority}>{stamp}{self._head}{self.format(record)}"

    def _send(self, text: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = self._connected()
            if self._socket is not None:
                self._socket.send(text)
        except BlockingIOError:  # it does not keep up
            return True
        except OSError:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
            return False
        return True

    def _connected(self) -> socket.socket | None:
        """Return a socket that sends there; None if the name is not to be asked yet.

        Raises OSError if nobody is there.
        """
        if self._target.port == 0:
            return _open(socket.AF_UNIX, self._target.host)
        if (now := time.monotonic()) < self._next_lookup:
            return None
        try:
            found = socket.getaddrinfo(
                self._target.host, self._target.port, type=socket.SOCK_DGRAM
            )
        except OSError:
            self._next_lookup = now + SECONDS_BETWEEN_LOOKUPS
            raise
        family, _, _, _, address = found[0]
        return _open(family, address)


def _open(family: int, address: object) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    try:
        opened.connect(address)  # type: ignore[arg-type]  # of whichever family
    except OSError:
        with suppress(OSError):
            opened.close()
        raise
    return opened
