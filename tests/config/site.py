"""A directory with a configuration in it, and what its check says."""

import tomllib
from pathlib import Path
from textwrap import dedent

from attrs import frozen
from jsonschema import Draft202012Validator

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.config.problem import ConfigError, Problem, Severity
from mailssl_trio.config.schema import schema
from mailssl_trio.files import Files

SCHEMA = Draft202012Validator(schema())


def misfits(document: str) -> list[str]:
    """Return what an editor would underline in a document."""
    tables = tomllib.loads(document)
    return [error.message for error in SCHEMA.iter_errors(tables)]


@frozen
class Site:
    """Where a configuration lies, with all the files that it names."""

    directory: Path

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.directory / "mail.toml"

    def load(
        self, document: str, *, files: Files | None = None, **environment: str
    ) -> Config:
        """Load a document that is indented as the test is; what is right must fit."""
        document = dedent(document).lstrip("\n")
        self.file.write_text(document)
        config = load(self.file, environment=environment, files=files)
        assert misfits(document) == []
        return config

    def problems(self, document: str) -> tuple[Problem, ...]:
        """Return all that is wrong with a document, warnings included."""
        try:
            return self.load(document).warnings
        except ConfigError as wrong:
            return wrong.problems

    def errors(self, document: str) -> tuple[Problem, ...]:
        """Return what keeps a document from being used."""
        problems = self.problems(document)
        return tuple(p for p in problems if p.severity is Severity.ERROR)

    def said(self, document: str) -> list[str]:
        """Return the problems as the operator reads them, without the directory."""
        return [
            str(problem)
            .replace(f"{self.file}:", "")
            .replace(f"{self.directory}/", "")
            .strip()
            for problem in self.problems(document)
        ]
