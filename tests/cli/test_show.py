"""``show``: of one configuration, or of the language."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailssl_trio.cli import main

SHIPPED = Path(__file__).parents[2] / "conf" / "mail.toml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["show", *arguments])


def test_configuration_is_shown_as_toml() -> None:
    result = run(str(SHIPPED))
    assert result.exit_code == 0
    assert len(tomllib.loads(result.stdout)["mail"]["server"]) == 6


def test_defaults_are_toml() -> None:
    result = run("--defaults")
    assert result.exit_code == 0
    assert tomllib.loads(result.stdout) == {"mail": {"server": [{}]}}


def test_schema_is_json() -> None:
    result = run("--schema")
    assert result.exit_code == 0
    draft = json.loads(result.stdout)["$schema"]
    assert draft == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "arguments",
    [(), (str(SHIPPED), "--defaults"), (str(SHIPPED), "--schema")],
    ids=["nothing", "file and defaults", "file and schema"],
)
def test_one_thing_is_shown_at_a_time(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Give a file, or --defaults, or --schema." in result.stderr
