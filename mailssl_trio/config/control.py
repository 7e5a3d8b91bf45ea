"""The directive ``control``: where administrators find the running program."""

import os
from pathlib import Path

from attrs import frozen

from mailssl_trio.config.control_words import OFF
from mailssl_trio.config.directives import TopDirectives
from mailssl_trio.config.error_logs import check_directory
from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import Site

PLACE = ("control",)

LONGEST_PATH = 107
"""Octets in the name of a socket, as unix(7) has it."""

DEFAULT_NAME = "control.sock"
SUFFIX = ".sock"


@frozen
class ControlPath:
    """Where the control socket is, and whether anybody has said so."""

    path: Path | None
    """None: there is none."""
    is_default: bool = False


def control_path(
    top: TopDirectives, pid: Path | None, site: Site, report: Report
) -> ControlPath:
    """Return where the control socket is, noting what is wrong with the place."""
    if top.control == OFF:
        return ControlPath(None)
    if top.control is None:
        path = default_path(pid, site.state_directory)
        if _is_too_long(path):
            report.warning(
                PLACE,
                f"there is no control socket: {path} is too long for one",
                f'name one of at most {LONGEST_PATH} octets, or write "{OFF}"',
            )
            return ControlPath(None, is_default=True)
        return ControlPath(path, is_default=True)
    path = site.path(top.control)
    if _is_too_long(path):
        report.error(
            PLACE,
            f"{path} is too long for a socket",
            f"name one of at most {LONGEST_PATH} octets",
        )
    check_directory(PLACE, path, site, report)
    return ControlPath(path)


def default_path(pid: Path | None, state_directory: Path) -> Path:
    """Return where it is if nobody says anything else."""
    if pid is not None:
        return pid.with_suffix(SUFFIX)
    return state_directory / DEFAULT_NAME


def _is_too_long(path: Path) -> bool:
    return len(os.fsencode(path)) > LONGEST_PATH
