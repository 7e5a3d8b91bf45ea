"""Where a program is that serves a configuration, be all else in it right or wrong."""

import os
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from mailssl_trio.config.control import default_path
from mailssl_trio.config.control_words import OFF
from mailssl_trio.config.directives import TopDirectives
from mailssl_trio.config.document import read_document
from mailssl_trio.config.load import where_state_is
from mailssl_trio.config.problem import ConfigError, Report
from mailssl_trio.config.structure import structure
from mailssl_trio.files import Files

DECISIVE = frozenset({"control", "pid", "state_directory"})
"""The directives that decide it."""


@frozen
class Whereabouts:
    """The files by which a running program is found."""

    control: Path | None
    pid: Path | None


def whereabouts(
    file: Path, *, environment: Mapping[str, str] = os.environ
) -> Whereabouts:
    """Return where a program is that serves this file.

    Raises ConfigError if the file cannot be read, or does not say where.
    """
    document = read_document(file, Files())
    report = Report(file, document.positions.lines)
    tables = {k: value for k, value in document.tables.items() if k != "mail"}
    top, _ = structure(tables, TopDirectives, (), report)
    if wrong := [found for found in report.problems if found.path in DECISIVE]:
        raise ConfigError(wrong)
    directory = file.absolute().parent
    pid = None if top.pid is None else directory / top.pid
    if top.control is None:
        state = where_state_is(file, top, None, environment)
        return Whereabouts(default_path(pid, state), pid)
    return Whereabouts(None if top.control == OFF else directory / top.control, pid)
