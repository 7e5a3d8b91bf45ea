"""``mailssl-trio import-nginx``: a configuration of nginx's in our language."""

import sys
from pathlib import Path

import click

from mailssl_trio.cli.configuration import tell
from mailssl_trio.config.nginx.importing import NoMailError
from mailssl_trio.config.nginx.importing import import_nginx as imported
from mailssl_trio.config.nginx.refusal import RefusedError
from mailssl_trio.config.nginx.versions import parse_version
from mailssl_trio.config.nginx.vocabulary import Version
from mailssl_trio.files import Files

REFUSED = 1


def _version(_ctx: click.Context, _param: click.Parameter, text: str) -> Version | None:
    try:
        return parse_version(text) if text else None
    except ValueError:
        raise click.BadParameter("write it as nginx -v does: 1.22.1") from None


@click.command("import-nginx")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--nginx-version",
    "version",
    metavar="VERSION",
    callback=_version,
    help="Take what this version took, and write out what it had by default.",
)
@click.option(
    "--prefix",
    type=click.Path(path_type=Path),
    help="Where relative names of logs and of the pid file begin (nginx -V tells).",
)
def import_nginx(file: Path, version: Version | None, prefix: Path | None) -> None:
    """Print an nginx.conf as a configuration of this program.

    What cannot be carried over is a comment where it stood, and a warning. What nginx
    itself would refuse is refused in its words; the exit code is then 1.

    \b
    Example:
      $ mailssl-trio import-nginx /etc/nginx/nginx.conf > mail.toml
      $ mailssl-trio check mail.toml
    """
    try:
        result = imported(
            file, Files(), version=version, prefix=prefix and prefix.absolute()
        )
    except RefusedError as refused:
        click.echo(f"nginx: [emerg] {refused}", err=True)
        sys.exit(REFUSED)
    except NoMailError as nothing:
        click.echo(str(nothing), err=True)
        sys.exit(REFUSED)
    tell(result.warnings)
    click.echo(result.text, nl=False)
