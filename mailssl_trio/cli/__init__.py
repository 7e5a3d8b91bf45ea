"""The commands: each is a file beside this one, and a name in the list below."""

import click

from mailssl_trio.cli.ban import ban
from mailssl_trio.cli.bans import bans
from mailssl_trio.cli.check import check
from mailssl_trio.cli.completion import completion
from mailssl_trio.cli.group import CommandOrFile
from mailssl_trio.cli.hash_password import hash_password
from mailssl_trio.cli.import_nginx import import_nginx
from mailssl_trio.cli.kick import kick
from mailssl_trio.cli.reload import reload
from mailssl_trio.cli.reopen import reopen
from mailssl_trio.cli.serve import serve
from mailssl_trio.cli.show import show
from mailssl_trio.cli.status import status
from mailssl_trio.cli.stop import stop
from mailssl_trio.cli.unban import unban
from mailssl_trio.cli.who import who
from mailssl_trio.cli.worker import worker

COMMANDS: tuple[click.Command, ...] = (
    serve,
    check,
    show,
    import_nginx,
    hash_password,
    status,
    who,
    kick,
    bans,
    ban,
    unban,
    reload,
    reopen,
    stop,
    completion,
    worker,
)


@click.group(cls=CommandOrFile, commands=COMMANDS)
@click.version_option(package_name="mailssl-trio")
def main() -> None:
    """Stand in front of mail servers: TLS, STARTTLS and authentication.

    A file name in place of a command means `serve`.

    \b
    Example:
      mailssl-trio check conf/mail.toml
      mailssl-trio conf/mail.toml
    """
