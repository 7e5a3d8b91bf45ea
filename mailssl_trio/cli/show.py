"""``mailssl-trio show``: the effective configuration, or the language it is in."""

import json
from collections.abc import Callable
from pathlib import Path

import click

from mailssl_trio.cli.configuration import read_configuration
from mailssl_trio.config.defaults import defaults
from mailssl_trio.config.effective import as_toml
from mailssl_trio.config.schema import schema


def schema_as_json() -> str:
    """Return the schema as it is printed, and as it lies beside conf/mail.toml."""
    return json.dumps(schema(), indent=1) + "\n"


LANGUAGE: dict[str, Callable[[], str]] = {
    "defaults": defaults,
    "schema": schema_as_json,
}


@click.command("show")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--secrets", is_flag=True, help="Write out what is secret.")
@click.option(
    "--defaults",
    "language",
    flag_value="defaults",
    help="Print every directive with its default, a sentence, and where it may stand.",
)
@click.option(
    "--schema",
    "language",
    flag_value="schema",
    help="Print the language as JSON Schema, for editors.",
)
def show(file: Path | None, secrets: bool, language: str | None) -> None:
    """Print the effective configuration: inheritance applied, defaults written out.

    What is printed is a configuration that means the same. A key that stands in the
    file itself, behind data:, is hidden, and so is the value of an auth_http_header;
    that is refused when it is read again. With --secrets they are there.

    --defaults and --schema tell of all configurations, and take no file.

    \b
    Example:
      mailssl-trio show conf/mail.toml > effective.toml
      (umask 077; mailssl-trio show --secrets conf/mail.toml > effective.toml)
      mailssl-trio show --defaults | less
    """
    if (file is None) is (language is None):
        raise click.UsageError("Give a file, or --defaults, or --schema.")
    if file is None:
        click.echo(LANGUAGE[str(language)](), nl=False)
        return
    effective = as_toml(read_configuration(file), secrets=secrets)
    click.echo(effective, nl=False)
