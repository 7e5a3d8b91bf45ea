"""``mailssl-trio unban``: a network is let in again."""

import click

from mailssl_trio.cli.ban import network
from mailssl_trio.cli.controlled import finding, reach, tell
from mailssl_trio.cli.finding import Named


@click.command("unban")
@click.argument("network", metavar="CIDR", callback=network)
@finding
def unban(network: str, named: Named, as_json: bool) -> None:
    """End all bans of an address or a network, and of what lies in it.

    Those who were banned begin anew: what they failed at is forgotten.

    \b
    Example:
      $ mailssl-trio unban 192.0.2.7
      1 ended
    """
    answer = reach(named, {"verb": "unban", "network": network})
    text = f"{answer.last['ended']} ended" if "ended" in answer.last else ""
    tell(answer, text, as_json=as_json)
