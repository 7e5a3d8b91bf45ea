"""``mailssl-trio who``: everybody who is logged in."""

from collections.abc import Mapping

import click

from mailssl_trio.cli.control_client import Fact
from mailssl_trio.cli.controlled import finding, reach, tell
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.table import moment, table
from mailssl_trio.limits.networks import network_of

HEAD = (
    "user",
    "protocol",
    "TLS",
    "client",
    "server",
    "upstream",
    "since",
    "session",
)


@click.command("who")
@click.argument("whom", metavar="[USER|SESSION|CIDR]", required=False)
@click.option("--all", "everybody", is_flag=True, help="Show those before login, too.")
@finding
def who(whom: str | None, everybody: bool, named: Named, as_json: bool) -> None:
    """Show who is logged in: all, those of a user, or those of a network.

    Sessions of workers that leave are among them. What clients chose is escaped.

    \b
    Example:
      $ mailssl-trio who 192.0.2.0/24
      user               protocol  TLS      client             server …
      alice@example.org  imap      TLSv1.3  192.0.2.7:50312    198.51.100.1:993 …
    """
    request = {"verb": "who", "all": everybody, **(whom_is_meant(whom) if whom else {})}
    answer = reach(named, request)
    sessions = sorted(answer.all("session"), key=_order)
    text = table(HEAD, map(_row, sessions)) if sessions else ""
    tell(answer, text, as_json=as_json, several=["session"])


def whom_is_meant(word: str) -> Mapping[str, str]:
    """Return what a word means: a network, or the name of a user or session."""
    try:
        network_of(word)
    except ValueError:
        return {"user": word, "session": word}
    return {"network": word}


def _order(session: Fact) -> tuple[bool, str, int]:
    began = session["began"]
    is_nobody = session["logged_in"] is None
    return is_nobody, str(session["user"]), began if isinstance(began, int) else 0


def _row(session: Fact) -> tuple[object, ...]:
    has_logged_in = session["logged_in"] is not None
    return (
        session["user"] if has_logged_in else None,
        session["protocol"],
        session["tls"],
        _address(session["client"], session["client_port"]),
        session["server"],
        session["upstream"] if has_logged_in else None,
        moment(session["logged_in"] if has_logged_in else session["began"]),
        session["session"],
    )


def _address(host: object, port: object) -> str:
    if not port:
        return str(host)
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
