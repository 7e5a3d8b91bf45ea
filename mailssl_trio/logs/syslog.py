"""Syslog as a target of the logs: RFC 3164, in nginx's form.

A message is one datagram, so a daemon that has gone costs the lines that find nobody,
and nothing else. Only the thread that writes the logs comes here.
"""

import socket
import time
from contextlib import suppress

from attrs import frozen

from mailssl_trio.logs.lines import SEVERITIES, Line, host

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock",
    "authpriv", "ftp", "ntp", "audit", "alert", "cron", "local0", "local1", "local2",
    "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
"""By their numbers (RFC 3164 section 4.1.1), as nginx names them."""

PORT = 514

MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
)  # fmt: skip
"""In English, wherever we run."""

MAX_MESSAGE = 8192
"""What rsyslog and others take; lines of our logs are shorter, but for tracebacks."""

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
    """Of the lines of an access log; those of an error log have their own."""
    tag: str = "nginx"
    nohostname: bool = False

    def __str__(self) -> str:
        return self.differing_from(Syslog("", "", 0))

    def differing_from(self, usual: "Syslog") -> str:
        """Return the words that say it where others are understood."""
        differing = [
            f"{name}={value}"
            for name in ("facility", "severity", "tag")
            if (value := getattr(self, name)) != getattr(usual, name)
        ]
        nohostname = ["nohostname"] * self.nohostname
        return ",".join((f"syslog:server={self.server}", *differing, *nohostname))


class SyslogSocket:
    """Sends lines to a daemon that may be there."""

    def __init__(self, target: Syslog) -> None:
        name = "" if target.nohostname else f" {host()}"
        self._head = f"{name} {target.tag}: "
        self._facility = FACILITIES.index(target.facility) * 8
        self._target = target
        self._socket: socket.socket | None = None
        self._next_lookup = 0.0
        self._lost = 0

    @property
    def fails(self) -> bool:
        """Whether the last line was lost."""
        return self._lost > 0

    def write(self, line: Line) -> Line | None:
        """Send a line; a daemon may have begun anew, so try twice.

        Return what there is to say elsewhere, when that is new.
        """
        text = self._message(line).encode("utf-8", "backslashreplace")[:MAX_MESSAGE]
        if not (self._send(text) or self._send(text)):
            self._lost += 1
            if self._lost > 1:
                return None
            return Line("alert", f"{self._target} takes no lines, they are lost")
        lost, self._lost = self._lost, 0
        if lost:
            return Line("alert", f"{self._target} takes lines again, {lost} were lost")
        return None

    def reopen(self) -> None:
        """Go on: there is nothing that could have been moved."""

    def close(self) -> None:
        """Let go of the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _message(self, line: Line) -> str:
        """``<PRI>Mon DD HH:MM:SS host tag: line``, the day without a leading zero."""
        priority = self._facility + SEVERITIES[line.level]
        at = time.localtime(line.at)
        clock = time.strftime("%H:%M:%S", at)
        stamp = f"{MONTHS[at.tm_mon - 1]} {at.tm_mday:2} {clock}"
        return f"<{priority}>{stamp}{self._head}{line.in_a_datagram}"

    def _send(self, text: bytes) -> bool:
        try:
            if self._socket is None:
                self._socket = self._connected()
            if self._socket is None:
                return False
            self._socket.send(text)
        except BlockingIOError:  # it does not keep up
            return False
        except OSError:
            self.close()
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
