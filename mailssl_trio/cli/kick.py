"""``mailssl-trio kick``: sessions are ended by name."""

import click

from mailssl_trio.cli.controlled import finding, reach, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.who import whom_is_meant


@click.command("kick")
@click.argument("whom", metavar="USER|SESSION|CIDR")
@finding
def kick(whom: str, named: Named, as_json: bool) -> None:
    """End the sessions of a user, one session, or all that come from a network.

    Who has not logged in yet is told why. Nothing keeps anybody from coming back.

    \b
    Example:
      $ mailssl-trio kick alice@example.org
      2 ended
      $ mailssl-trio kick lhJr0B7BQVWQ
      1 ended
    """
    answer = reach(named, {"verb": "kick", **whom_is_meant(whom)})
    text = f"{answer.last['ended']} ended" if "ended" in answer.last else ""
    tell(answer, text, as_json=as_json)
