"""Reading a configuration on behalf of a command that needs it whole."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError, Problem
from mailssl_trio.files import Files


def read_configuration(
    file: Path, *, state_directory: Path | None = None, files: Files | None = None
) -> Config:
    """Return the configuration; tell of its problems and exit where it has errors.

    Everything is said on standard error. The exit code is 77 or 78.
    """
    try:
        config = load(file, state_directory=state_directory, files=files)
    except ConfigError as wrong:
        tell(wrong.problems)
        sys.exit(wrong.exit_code)
    tell(config.warnings)
    return config


def tell(problems: Iterable[Problem]) -> None:
    """Print problems on standard error, a line each."""
    for problem in problems:
        click.echo(str(problem), err=True)
