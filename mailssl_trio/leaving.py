"""Why a worker leaves, and what it leaves to whom: the paces of its drain."""

import signal
from math import inf

import trio

from mailssl_trio.transport.drain import Drain, Pace

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

DEFAULT_SHUTDOWN_TIMEOUT = 30.0
"""Seconds that logged-in sessions get at a stop where ``worker_shutdown_timeout`` is
unset."""

UNFINISHED = 5.0
"""Seconds in which a handshake or a login that has begun may end, at a reload."""

LAST_WORDS = 1.0
"""Seconds of ``worker_shutdown_timeout`` that are left to say so to who must end."""

SILENCE = 1.0
"""Seconds without a word that make a client a silent one, at a reload."""


def stopping_time(configured: float | None, *, patient: bool = False) -> float:
    """Return the seconds that logged-in sessions get at a stop."""
    if configured is not None:
        return configured
    return inf if patient else DEFAULT_SHUTDOWN_TIMEOUT


class Leaving:
    """A drain that begins once, and may then only be hastened."""

    def __init__(self, configured: float | None) -> None:
        self.drain = Drain()
        self.signalled = trio.Event()
        self._configured = configured

    def retire(self) -> None:
        """Leave to others who comes; those who are here may stay."""
        if not self.drain.begun:
            sessions = stopping_time(self._configured, patient=True)
            unfinished = min(UNFINISHED, max(0.0, sessions - LAST_WORDS))
            self.drain.begin(Pace(sessions, unfinished, SILENCE))

    def stop(self, *, patient: bool = False) -> None:
        """End: at once for those before login, soon for all others."""
        self.drain.begin(Pace(stopping_time(self._configured, patient=patient)))

    async def obey_signals(
        self,
        everything: trio.CancelScope,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Stop at the first signal, end at the second.

        SIGQUIT leaves sessions their time where ``worker_shutdown_timeout`` is unset.
        What the supervisor says does not count: systemd sends its signal to all
        processes at once, and that must not be the second.
        """
        with trio.open_signal_receiver(*STOP_SIGNALS) as signals:
            task_status.started()
            number = await anext(signals)
            self.stop(patient=number == signal.SIGQUIT)
            self.signalled.set()
            await anext(signals)
            everything.cancel()
