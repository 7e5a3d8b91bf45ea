"""``mailssl-trio show``: the effective configuration."""

from pathlib import Path

import click

from mailssl_trio.cli.configuration import read_configuration
from mailssl_trio.config.effective import as_toml


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print the effective configuration: inheritance applied, defaults written out.

    What is printed is a configuration that means the same.

    \b
    Example:
      mailssl-trio show conf/mail.toml > effective.toml
    """
    click.echo(as_toml(read_configuration(file)), nl=False)
