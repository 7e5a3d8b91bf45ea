"""sd_notify(3): a datagram of assignments to who has started us, if it wants any."""

import os
import socket
import time
from collections.abc import Mapping

import trio

SOCKET, WATCHDOG, WATCHDOG_PID = "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"

QUEUED = 32
PATIENCE = 5.0
"""Seconds in which a datagram is taken."""

MICRO = 1_000_000


def watchdog_seconds(environment: Mapping[str, str] = os.environ) -> float | None:
    """Return in which time a sign of life is expected, always anew; None: in none."""
    microseconds = environment.get(WATCHDOG, "")
    whose = environment.get(WATCHDOG_PID, "") or str(os.getpid())
    is_ours = microseconds.isdecimal() and whose == str(os.getpid())
    return int(microseconds) / MICRO or None if is_ours else None


def address_of(name: str) -> str:
    """Return where a socket is bound; ``@`` begins a name that is in no directory."""
    return f"\0{name[1:]}" if name.startswith("@") else name


def now() -> str:
    """Say what time it is, by the clock that starts with the system."""
    microseconds = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    return f"MONOTONIC_USEC={microseconds}"


class Notifier:
    """Tells in the order in which it is told; ``run()`` must run for that."""

    def __init__(self, name: str) -> None:
        self.failure = ""
        """Why the last datagram has not arrived."""
        self._address = address_of(name)
        self._queue, self._queued = trio.open_memory_channel[bytes](QUEUED)

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> "Notifier | None":
        """Return who tells, None where nobody wants to hear."""
        name = environment.get(SOCKET, "")
        return cls(name) if name else None

    def tell(self, *assignments: str) -> None:
        """Have assignments told; those that find no room are lost.

        That is as well: there is room again when the reader is, and then there is news.
        """
        try:
            self._queue.send_nowait("\n".join(assignments).encode())
        except trio.WouldBlock:
            self.failure = "it does not read"

    async def run(self) -> None:
        """Send what there is to tell."""
        async for datagram in self._queued:
            self.failure = await self._send(datagram)

    async def _send(self, datagram: bytes) -> str:
        """Return why it has not been taken.

        Of a socket that is connected the kernel says when its peer has room.
        """
        try:
            with (
                trio.fail_after(PATIENCE),
                trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours,
            ):
                await ours.connect(self._address)
                await ours.send(datagram)
        except OSError as error:
            return error.strerror or str(error)
        except trio.TooSlowError:
            return "it does not read"
        return ""
