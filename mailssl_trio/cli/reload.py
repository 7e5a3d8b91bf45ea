"""``mailssl-trio reload``: the configuration is read again, and served if right."""

import signal

import click

from mailssl_trio.cli.control_client import RELOAD_PATIENCE
from mailssl_trio.cli.controlled import finding, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.orders import order, pid_option


@click.command("reload")
@pid_option
@finding
def reload(named: Named, as_json: bool) -> None:
    """Have the configuration and the certificates read again, and served if right.

    Waits until new workers serve. Exits with 78 if the configuration is wrong, all of
    which is then said, and what was served goes on; with 77 or 1 as `serve` would.

    By a pid file (--pid, or `pid` of the configuration where there is no control
    socket) it is a SIGHUP, and the log tells what has come of it.

    \b
    Example:
      $ mailssl-trio reload
      reloaded
    """
    answer = order(named, {"verb": "reload"}, (signal.SIGHUP,), RELOAD_PATIENCE)
    if answer is None:
        click.echo("SIGHUP is sent; the log tells what comes of it")
    else:
        tell(answer, "" if answer.error else "reloaded", as_json=as_json)
