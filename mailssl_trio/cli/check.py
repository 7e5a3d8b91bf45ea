"""``mailssl-trio check``: everything that is wrong with a configuration, at once."""

import json
import sys
from pathlib import Path

import click
from attrs import evolve

from mailssl_trio.config.load import load
from mailssl_trio.config.problem import ConfigError, Problem, Severity


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Take warnings for errors.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(file: Path, strict: bool, as_json: bool) -> None:
    """Check a configuration, and name every mistake in it.

    Nothing is made, opened or listened on. Exits with 0 if all is right, 78 if the
    configuration is wrong, 77 if all that is wrong is a file that may not be opened.

    \b
    Example:
      $ mailssl-trio check conf/mail.toml
      conf/mail.toml:22: mail.server[0].startls: unknown directive; did you mean …
    """
    problems = _find_problems(file)
    if strict:
        problems = [evolve(each, severity=Severity.ERROR) for each in problems]
    exit_code = max(
        (each.exit_code for each in problems if each.severity is Severity.ERROR),
        default=0,
    )
    click.echo(_as_json(problems) if as_json else _as_text(file, problems, exit_code))
    sys.exit(exit_code)


def _find_problems(file: Path) -> list[Problem]:
    try:
        return [*load(file).warnings]
    except ConfigError as wrong:
        return [*wrong.problems]


def _as_text(file: Path, problems: list[Problem], exit_code: int) -> str:
    lines = [str(problem) for problem in problems]
    return "\n".join(lines if exit_code else [*lines, f"{file}: ok"])


def _as_json(problems: list[Problem]) -> str:
    found = [
        {
            "file": str(problem.file),
            "line": problem.line,
            "path": problem.path,
            "severity": problem.severity.value,
            "text": problem.text,
            "remedy": problem.remedy,
            "exit_code": problem.exit_code,
        }
        for problem in problems
    ]
    return json.dumps({"problems": found}, indent=2)
