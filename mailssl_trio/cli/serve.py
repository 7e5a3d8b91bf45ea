"""``mailssl-trio serve``: run in the foreground, until a signal ends it."""

import os
import sys
from functools import partial
from importlib.resources import files
from pathlib import Path

import click
import trio

from mailssl_trio.building import StartError
from mailssl_trio.cli.configuration import read_configuration
from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config, Listen, VirtualServer
from mailssl_trio.config.problem import MAY_NOT_OPEN
from mailssl_trio.files import Files
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.rlimits import write_no_core_files
from mailssl_trio.supervision.judging import Judged
from mailssl_trio.supervisor import Supervisor

PACKAGE = Path(str(files("mailssl_trio")))
IN_THE_WHEEL, IN_THE_CHECKOUT = PACKAGE / "example", PACKAGE.parent / "conf"
SHIPPED = IN_THE_WHEEL if IN_THE_WHEEL.exists() else IN_THE_CHECKOUT
"""The directory of the configuration that comes along, and of its users."""

NOT_FOR_OTHERS = 0o027
"""What the umask takes at least: logs say who reads his mail, and from where."""

STARTTLS_WORDS = {
    StartTlsMode.OFF: "in the clear",
    StartTlsMode.ON: "in the clear, or by STARTTLS",
    StartTlsMode.ONLY: "by STARTTLS only",
}


@click.command("serve")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--example", is_flag=True, help="Serve the configuration that comes along."
)
def serve(file: Path | None, example: bool) -> None:
    """Serve in the foreground; Ctrl-C, or SIGTERM, ends it in good order.

    SIGHUP has it read the configuration again, and serve that if it is right.

    Exits with 0 when stopped, 78 if the configuration is wrong, 77 if a port, key or
    file may not be opened, 1 if a port is taken.

    \b
    Example:
      $ mailssl-trio serve conf/mail.toml
      $ mailssl-trio serve --example
    """
    if (file is None) is not example:
        raise click.UsageError("Give the file to serve, or --example.")
    files = Files()
    directory = None if file else _example_state_directory()
    file = file or SHIPPED / "mail.toml"
    config = read_configuration(file, state_directory=directory, files=files)
    reload = partial(_load, file, directory)
    os.umask(os.umask(0o777) | NOT_FOR_OTHERS)
    write_no_core_files()
    try:
        trio.run(Supervisor(reload, announce).run, config, files)
    except StartError as failed:
        click.echo(f"{config.file}: {failed}", err=True)
        sys.exit(MAY_NOT_OPEN if failed.denied else 1)


def _example_state_directory() -> Path | None:
    """What the example makes goes where the user stands, or where systemd says."""
    return None if "STATE_DIRECTORY" in os.environ else Path("var").resolve()


def _load(file: Path, state_directory: Path | None, files: Files) -> Config:
    return load(file, state_directory=state_directory, files=files)


def announce(started: Judged) -> None:
    """Say which address speaks what; that nobody reads it is no reason to end."""
    try:
        _say(started)
    except OSError:  # and what is left unsaid must not fail again at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(started: Judged) -> None:
    for server in started.config.servers:
        for listen in server.listens:
            click.echo(f"{server.protocol} on {listen} {_security(server, listen)}")
    if started.development is not None:
        authority = _shortest(started.development.ca)
        click.echo(f"development CA: {authority}")
        for command in _commands(started.config, authority):
            click.echo(f"try: {command}")
    click.echo("ready; Ctrl-C ends it")


def _security(server: VirtualServer, listen: Listen) -> str:
    return "by TLS" if listen.ssl else STARTTLS_WORDS[server.policy.starttls]


def _commands(config: Config, authority: Path) -> list[str]:
    """A command to paste: read the INBOX through the first IMAP port with TLS."""
    return [
        f"curl --cacert {authority} --user {_somebody(server)} "
        f"'imaps://localhost:{listen.port}/INBOX;MAILINDEX=1'"
        for server in config.servers
        for listen in server.listens
        if server.protocol == "imap" and listen.ssl and listen.port
    ][:1]


def _somebody(server: VirtualServer) -> str:
    """Name the shipped user where the users are the shipped ones, else nobody."""
    shipped = (SHIPPED / "users.toml").read_bytes()
    is_shipped = server.users is not None and server.users.read_bytes() == shipped
    return "alice@example.org:wonderland" if is_shipped else "NAME"


def _shortest(path: Path) -> Path:
    """Return the path as the user would type it."""
    try:
        return path.relative_to(Path.cwd())
    except ValueError:
        return path
