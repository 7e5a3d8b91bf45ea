"""``mailssl-trio show``: the effective configuration."""

from pathlib import Path

import click

from mailssl_trio.cli.configuration import read_configuration
from mailssl_trio.config.effective import as_toml


@click.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--secrets", is_flag=True, help="Write out what is secret.")
def show(file: Path, secrets: bool) -> None:
    """Print the effective configuration: inheritance applied, defaults written out.

    What is printed is a configuration that means the same. A key that stands in the
    file itself, behind data:, is hidden, and so is the value of an auth_http_header;
    that is refused when it is read again. With --secrets they are there.

    \b
    Example:
      mailssl-trio show conf/mail.toml > effective.toml
      (umask 077; mailssl-trio show --secrets conf/mail.toml > effective.toml)
    """
    effective = as_toml(read_configuration(file), secrets=secrets)
    click.echo(effective, nl=False)
