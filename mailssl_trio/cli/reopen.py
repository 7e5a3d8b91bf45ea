"""``mailssl-trio reopen``: log files are opened again."""

import signal

import click

from mailssl_trio.cli.controlled import finding, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.orders import order, pid_option


@click.command("reopen")
@pid_option
@finding
def reopen(named: Named, as_json: bool) -> None:
    """Have the log files opened again, which somebody has moved away.

    By a pid file (--pid, or `pid` of the configuration where there is no control
    socket) it is a SIGUSR1.

    \b
    Example:
      $ mv mail.log mail.log.1 && mailssl-trio reopen
      logs are opened again
    """
    answer = order(named, {"verb": "reopen"}, (signal.SIGUSR1,))
    if answer is None:
        click.echo("SIGUSR1 is sent; the log tells if a file cannot be opened")
    else:
        tell(answer, "" if answer.error else "logs are opened again", as_json=as_json)
