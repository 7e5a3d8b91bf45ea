"""``mailssl-trio hash-password``: a password becomes a line for the users file."""

import sys

import click

from mailssl_trio.auth.passwords import WRITTEN
from mailssl_trio.auth.passwords import hash_password as hashed
from mailssl_trio.auth.schemes import UnreadableHashError


@click.command("hash-password")
@click.option(
    "--scheme",
    type=click.Choice(WRITTEN),
    default=WRITTEN[0],
    show_default=True,
    help="argon2id and bcrypt need the extra [passwords].",
)
def hash_password(scheme: str) -> None:
    """Hash a password for the users file, and print the hash.

    The password is asked for twice, or read as one line from standard input if that
    is no terminal. It is never an argument: those are seen by every user of a machine,
    and kept by shells.

    \b
    Example:
      $ mailssl-trio hash-password
      Password:
      Repeat for confirmation:
      $scrypt$ln=15,r=8,p=1$3ohaRXHbw0uTBQxSyA7bDg$RMc…

    \b
    Then, in users.toml:
      ["alice@example.org"]
      password = "$scrypt$ln=15,r=8,p=1$3ohaRXHbw0uTBQxSyA7bDg$RMc…"
    """
    password = _ask() if sys.stdin.isatty() else _read_line()
    _check(password)
    try:
        click.echo(hashed(password, scheme))
    except UnreadableHashError as absent:
        raise click.ClickException(f"{absent.text}: {absent.remedy}") from None
    except ValueError as refusal:
        raise click.UsageError(str(refusal)) from None


def _ask() -> bytes:
    """Return what was typed, in the octets that the terminal sent."""
    try:
        typed: str = click.prompt(
            "Password", hide_input=True, confirmation_prompt=True, err=True
        )
    except UnicodeDecodeError:
        raise click.UsageError("what was typed is not UTF-8") from None
    return typed.encode(errors="surrogateescape")


def _read_line() -> bytes:
    """Return all of standard input, without the line end that ``echo`` adds."""
    return sys.stdin.buffer.read().removesuffix(b"\n")


def _check(password: bytes) -> None:
    """Refuse a password that no client could present."""
    if not password:
        raise click.UsageError("the password is empty")
    if any(octet in password for octet in (b"\0", b"\r", b"\n")):
        raise click.UsageError("a password is one line, without NUL, CR and LF")
