"""A file in place of a command means ``serve``."""

from contextlib import chdir
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from mailssl_trio.cli.group import CommandOrFile


@click.command("serve")
@click.argument("file")
@click.option("--example", is_flag=True)
def serve(file: str, example: bool) -> None:
    click.echo(f"serve {file} {example}")


@click.command("check")
@click.argument("file")
def check(file: str) -> None:
    click.echo(f"check {file}")


def run(
    *arguments: str, commands: tuple[click.Command, ...] = (serve, check)
) -> Result:
    return CliRunner().invoke(CommandOrFile("main", commands=commands), arguments)


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("serve", "mail.toml"), "serve mail.toml False\n"),
        (("mail.toml",), "serve mail.toml False\n"),
        (("nginx.conf",), "serve nginx.conf False\n"),
        (("conf/mail", "--example"), "serve conf/mail True\n"),
        (("check", "mail.toml"), "check mail.toml\n"),
    ],
)
def test_command_goes_before_file(arguments: tuple[str, ...], output: str) -> None:
    assert run(*arguments).output == output


def test_file_of_any_name_is_served_if_it_is_there(tmp_path: Path) -> None:
    with chdir(tmp_path):
        Path("configuration").touch()
        assert run("configuration").output == "serve configuration False\n"


def test_mistyped_command_is_not_taken_for_a_file() -> None:
    result = run("chekc", "mail.toml")
    assert result.exit_code == 2
    assert "No such command 'chekc'" in result.output


def test_file_means_nothing_where_there_is_no_serve() -> None:
    assert run("mail.toml", commands=(check,)).exit_code == 2
