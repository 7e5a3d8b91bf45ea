"""The page about installing: every command of ours on it is one."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mailssl_trio.cli import main

DOCS = Path(__file__).parents[2] / "docs"

BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> Iterator[list[str]]:
    """Yield what is said to our program, without what a shell does about it."""
    for block in BLOCK.findall((DOCS / "installing.md").read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            program, *words = shlex.split(line.partition(" > ")[0])
            if program.endswith("mailssl-trio"):
                yield words


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_command_is_one(words: list[str]) -> None:
    context = click.Context(main, info_name="mailssl-trio")
    _, command, arguments = main.resolve_command(context, words)
    assert command is not None
    command.make_context(words[0], arguments, parent=context)


def test_pages_that_it_leads_to_are_there() -> None:
    text = (DOCS / "installing.md").read_text()
    for page in re.findall(r"\]\(([^)]+)\)", text):
        assert (DOCS / page).is_file()
