"""What is wrong with a configuration, where, and what to do about it."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from attrs import define, field, frozen

KeyPath: TypeAlias = tuple[str | int, ...]
"""How a value is reached: ``("mail", "server", 1, "listen")``."""

MAY_NOT_OPEN = 77  # EX_NOPERM of sysexits.h
WRONG = 78  # EX_CONFIG of sysexits.h

BARE_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Severity(Enum):
    """Whether the program can start all the same."""

    ERROR = "error"
    WARNING = "warning"


@frozen
class Problem:
    """One thing that is wrong, in words for the operator."""

    file: Path
    line: int | None
    """None where the file itself is the matter."""
    path: str
    """The directive, as ``mail.server[1].listen``; "" for the whole file."""
    text: str
    remedy: str = ""
    severity: Severity = Severity.ERROR
    exit_code: int = WRONG

    def __str__(self) -> str:
        place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        mark = "warning" if self.severity is Severity.WARNING else ""
        said = f"{self.text}; {self.remedy}" if self.remedy else self.text
        return ": ".join(filter(None, (place, mark, self.path, said)))


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` holds the warnings too."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @property
    def exit_code(self) -> int:
        """What the program exits with: the gravest of all errors."""
        return max(
            problem.exit_code
            for problem in self.problems
            if problem.severity is Severity.ERROR
        )


@define
class Report:
    """The problems of one configuration file, each found a line."""

    file: Path
    lines: Mapping[KeyPath, int]
    _problems: set[Problem] = field(factory=set, init=False)

    def error(
        self, path: KeyPath, text: str, remedy: str = "", *, exit_code: int = WRONG
    ) -> None:
        """Note what keeps the program from starting."""
        self.add(self._problem(path, text, remedy, Severity.ERROR, exit_code))

    def warning(self, path: KeyPath, text: str, remedy: str = "") -> None:
        """Note what the operator should know before somebody else does."""
        self.add(self._problem(path, text, remedy, Severity.WARNING, WRONG))

    def add(self, problem: Problem) -> None:
        """Note a problem, once: what many servers inherit is wrong in one place."""
        self._problems.add(problem)

    def line(self, path: KeyPath) -> int | None:
        """Return the line of a key, or of the nearest table around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    @property
    def has_errors(self) -> bool:
        """Whether anything but warnings has been noted."""
        return any(found.severity is Severity.ERROR for found in self._problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that was noted: this file's first, each file's by line."""
        return tuple(
            sorted(
                self._problems,
                key=lambda found: (
                    found.file != self.file,
                    found.file,
                    found.line or 0,
                    str(found),
                ),
            )
        )

    def _problem(
        self,
        path: KeyPath,
        text: str,
        remedy: str,
        severity: Severity,
        exit_code: int,
    ) -> Problem:
        return Problem(
            self.file, self.line(path), dotted(path), text, remedy, severity, exit_code
        )


def dotted(path: KeyPath) -> str:
    """Write a key path as the operator reads it: ``mail.server[1].listen``."""
    return "".join(map(_step, path)).removeprefix(".")


def _step(step: str | int) -> str:
    """Write one step; a name that TOML would have quoted is quoted and escaped."""
    match step:
        case int():
            return f"[{step}]"
        case _ if BARE_NAME.fullmatch(step):
            return f".{step}"
        case _:
            return f".{quoted(step)}"


def quoted(text: str) -> str:
    """Quote a text of the operator's, harmless for a terminal and of bearable length.

    Letters of any script stay what they are.
    """
    harmless = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
    return f'"{harmless}"' if len(harmless) <= 60 else f'"{harmless[:60]}…"'
