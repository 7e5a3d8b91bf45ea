"""Orders that reach the program by its control socket, or by a signal without one."""

import os
import signal
from collections.abc import Sequence
from fcntl import LOCK_NB, LOCK_SH, flock
from pathlib import Path

import click

from mailssl_trio.cli.control_client import PATIENCE, Answer, ControlError, Fact, ask
from mailssl_trio.cli.controlled import FILE, WHERE, fail, whereabouts_of
from mailssl_trio.cli.finding import Named
from mailssl_trio.config.problem import MAY_NOT_OPEN
from mailssl_trio.supervision.lock_holders import holders

pid_option = click.option(
    "--pid", type=FILE, help="Its pid file: a signal is sent, and no answer awaited."
)


def order(
    named: Named,
    request: Fact,
    signals: Sequence[signal.Signals],
    patience: float = PATIENCE,
) -> Answer | None:
    """Have the program do something; None where a signal had to say it.

    Where the program cannot be reached, say why, and exit.
    """
    where = whereabouts_of(named)
    try:
        if where.control is not None:
            return ask(where.control, request, patience)
    except ControlError as error:
        if not error.absent or where.pid is None:
            remedy = f"; is the program running? If so, {WHERE}, or --pid FILE"
            fail(f"{error}{remedy if error.absent else ''}", error.exit_code)
    if where.pid is None:
        fail(f"the program has no control socket; {WHERE}, or --pid FILE")
    _send(where.pid, signals)
    return None


def process_number(said: bytes) -> int:
    """Return the number of one process, and not what kill(2) takes for many.

    Raises ValueError.
    """
    if (pid := int(said)) <= 1:
        raise ValueError
    return pid


def _send(file: Path, signals: Sequence[signal.Signals]) -> None:
    """Send signals to the process whose pid file it is, if that lives."""
    try:
        with file.open("rb") as opened:
            pid = process_number(opened.read(32))
            holding = holders(opened.fileno())
            flock(opened, LOCK_SH | LOCK_NB)  # it is locked as long as its owner lives
    except BlockingIOError:
        if holding and pid not in holding:
            fail(f"{file} names process {pid}, and is locked by others")
        try:
            for number in signals:
                os.kill(pid, number)
        except OSError as error:
            fail(f"process {pid}: {error.strerror}", MAY_NOT_OPEN)
    except ValueError:
        fail(f"{file} is no pid file")
    except OSError as error:
        denied = isinstance(error, PermissionError)
        text = f"{file}: {error.strerror}; is the program running?"
        fail(text, MAY_NOT_OPEN if denied else 1)
    else:
        fail(f"{file} was left by process {pid}, which does not run any more")
