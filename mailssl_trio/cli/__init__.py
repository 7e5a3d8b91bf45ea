"""The commands: each is a file beside this one, and a name in the list below."""

import click

from mailssl_trio.cli.group import CommandOrFile

COMMANDS = (
    "serve",
    "check",
    "show",
    "import-nginx",
    "hash-password",
    "status",
    "who",
    "kick",
    "bans",
    "ban",
    "unban",
    "reload",
    "reopen",
    "stop",
    "completion",
    "worker",
)


@click.group(cls=CommandOrFile, names=COMMANDS)
@click.version_option(package_name="mailssl-trio")
def main() -> None:
    """Stand in front of mail servers: TLS, STARTTLS and authentication.

    A file name in place of a command means `serve`.

    \b
    Example:
      mailssl-trio check conf/mail.toml
      mailssl-trio conf/mail.toml
    """
