"""``mailssl-trio worker``: what ``serve`` starts, and nobody else."""

import os
import socket
import sys
from stat import S_ISSOCK

import click
import trio

from mailssl_trio.building import StartError
from mailssl_trio.worker import work

NOT_FOR_PEOPLE = "This is a worker process of `serve`, which alone can start one."


@click.command("worker", hidden=True)
@click.option("--channel", type=int, help="The socket that leads to the supervisor.")
def worker(channel: int | None) -> None:
    """Serve what the supervisor says; it is what `serve` starts."""
    if channel is None or not _is_socket(channel):
        raise click.UsageError(NOT_FOR_PEOPLE)
    end = socket.socket(fileno=channel)
    end.set_inheritable(False)
    try:
        trio.run(work, end)
    except StartError:
        sys.exit(1)  # the supervisor has been told why


def _is_socket(descriptor: int) -> bool:
    try:
        return S_ISSOCK(os.fstat(descriptor).st_mode)
    except (OSError, OverflowError):
        return False
