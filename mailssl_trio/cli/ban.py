"""``mailssl-trio ban``: nobody from a network is let in."""

import click

from mailssl_trio.cli.controlled import finding, reach, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.table import moment
from mailssl_trio.config.units import parse_time
from mailssl_trio.limits.networks import network_of


def network(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Read an address or a network."""
    try:
        return str(network_of(text))
    except ValueError:
        raise click.BadParameter(
            "write an address, or a network: 192.0.2.0/24"
        ) from None


def whole_seconds(
    _context: click.Context, _parameter: click.Parameter, text: str
) -> int:
    """Read a time of one second or more."""
    try:
        length = int(parse_time(text))
    except ValueError:
        length = 0
    if length < 1:
        raise click.BadParameter("write a time: 30m, 12h, 7d")
    return length


@click.command("ban")
@click.argument("network", metavar="CIDR", callback=network)
@click.option(
    "--for",
    "seconds",
    metavar="TIME",
    default="1h",
    show_default=True,
    callback=whole_seconds,
    help="How long: 30m, 12h, 7d.",
)
@finding
def ban(network: str, seconds: int, named: Named, as_json: bool) -> None:
    """Let nobody in from an address or a network, for a time.

    All workers know it, and a reload keeps it; a stop forgets it. Who is here may
    stay: `kick` sends him away.

    \b
    Example:
      $ mailssl-trio ban 192.0.2.0/24 --for 7d
      192.0.2.0/24 is banned until 2026-12-02 18:30:00
      $ mailssl-trio kick 192.0.2.0/24
      3 ended
    """
    request = {"verb": "ban", "network": network, "seconds": seconds}
    answer = reach(named, request)
    made = [
        f"{ban['network']} is banned until {moment(ban['until'])}"
        for ban in answer.all("ban")
    ]
    tell(answer, "\n".join(made), as_json=as_json)
