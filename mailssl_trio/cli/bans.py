"""``mailssl-trio bans``: who is not let in."""

import click

from mailssl_trio.cli.control_client import Fact
from mailssl_trio.cli.controlled import finding, reach, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.table import moment, table

HEAD = ("network", "user", "until", "why")


@click.command("bans")
@finding
def bans(named: Named, as_json: bool) -> None:
    """Show who is banned, the oldest ban first.

    Where there is a user, only he cannot log in from there.

    \b
    Example:
      $ mailssl-trio bans
      network       user  until                why
      192.0.2.7/32  -     2026-11-25 18:30:00  20 different wrong passwords
    """
    answer = reach(named, {"verb": "bans"})
    found = answer.all("ban")
    text = table(HEAD, map(_row, found)) if found else ""
    tell(answer, text, as_json=as_json, several=["ban"])


def _row(ban: Fact) -> tuple[object, ...]:
    return ban["network"], ban["user"], moment(ban["until"]), ban["why"]
