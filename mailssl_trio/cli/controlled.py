"""What all commands share that reach a program that runs."""

import json
import sys
from collections import ChainMap
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import NoReturn, TypeAlias

import click

from mailssl_trio.cli.control_client import PATIENCE, Answer, ControlError, Fact, ask
from mailssl_trio.cli.finding import Named
from mailssl_trio.cli.table import printable
from mailssl_trio.config.problem import ConfigError
from mailssl_trio.config.whereabouts import Whereabouts

Command: TypeAlias = Callable[..., None]

WHERE = "say where: --control SOCKET, or --config FILE"

FILE = click.Path(path_type=Path)


def finding(command: Command) -> Command:
    """Give a command the options that say where the program is, as ``named``."""

    @click.option("--control", type=FILE, help="The program's control socket.")
    @click.option("-c", "--config", type=FILE, help="The configuration it serves.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @wraps(command)
    def found(control: Path | None, config: Path | None, **others: object) -> None:
        pid = others.pop("pid", None)
        named = Named(control, config, pid if isinstance(pid, Path) else None)
        command(named=named, **others)

    return found


def reach(named: Named, request: Fact, patience: float = PATIENCE) -> Answer:
    """Ask the program; where that cannot be, say why, and exit."""
    where = whereabouts_of(named)
    if where.control is None:
        fail(f"the program has no control socket; {WHERE}")
    try:
        return ask(where.control, request, patience)
    except ControlError as error:
        remedy = f"; is the program running? If so, {WHERE}" if error.absent else ""
        fail(f"{error}{remedy}", error.exit_code)


def whereabouts_of(named: Named) -> Whereabouts:
    """Return where the program is to be found; where nobody knows, exit."""
    try:
        return named.find()
    except ConfigError as wrong:
        fail(f"{wrong}\n{WHERE}", wrong.exit_code)


def fail(text: str, exit_code: int = 1) -> NoReturn:
    """Say why there is no answer, and exit."""
    click.echo(printable(text) if "\n" not in text else text, err=True)
    sys.exit(exit_code)


def tell(
    answer: Answer, text: str, *, as_json: bool, several: Sequence[str] = ()
) -> NoReturn:
    """Print an answer, one way or the other, and exit as it says.

    ``several`` are the facts of which there may be many, or none.
    """
    if as_json:
        indent = 2 if sys.stdout.isatty() else None  # which takes thrice as long
        click.echo(json.dumps(_whole(answer, several), indent=indent))
        sys.exit(answer.exit_code)
    if text:
        click.echo(text)
    for line in filter(None, (*answer.problems, answer.error)):
        click.echo(printable(line), err=True)
    sys.exit(answer.exit_code)


def _whole(answer: Answer, several: Sequence[str]) -> Fact:
    """Return an answer as one object."""
    lists = {f"{kind}s": answer.each(kind) for kind in (*several, "problem")}
    alone = (
        {kind: said for kind, said in fact.items() if f"{kind}s" not in lists}
        for fact in answer.facts
    )
    return {**ChainMap(*alone), **lists, **answer.last}
