"""``mailssl-trio stop``: the program ends."""

import signal

import click

from mailssl_trio.cli.controlled import finding, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.orders import order, pid_option

IN_GOOD_ORDER = (signal.SIGTERM,)
AT_ONCE = (signal.SIGTERM, signal.SIGINT)
"""The second one; of two alike, one might get lost."""


@click.command("stop")
@click.option("--now", is_flag=True, help="Cut logged-in sessions at once.")
@pid_option
@finding
def stop(now: bool, named: Named, as_json: bool) -> None:
    """Have the program end: clients before login are told, sessions get their time.

    That is `worker_shutdown_timeout`, or 30 s. Does not wait for the end; meanwhile
    `status`, `who` and `stop --now` are answered.

    By a pid file (--pid, or `pid` of the configuration where there is no control
    socket) it is a SIGTERM.

    \b
    Example:
      $ mailssl-trio stop
      stopping in good order
    """
    signals = AT_ONCE if now else IN_GOOD_ORDER
    answer = order(named, {"verb": "stop", "now": now}, signals)
    text = "stopping at once" if now else "stopping in good order"
    if answer is None:
        click.echo(text)
    else:
        tell(answer, "" if answer.error else text, as_json=as_json)
