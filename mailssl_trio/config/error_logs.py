"""Where logs are written, with the directories that files need."""

import os
from pathlib import Path

from attrs import evolve

from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.logs.access_log import AccessChain
from mailssl_trio.logs.syslog import Syslog
from mailssl_trio.logs.writer import Chain, Target


def server_log(table: ServerTable, site: Site, report: Report) -> Chain:
    """Return the targets of one server; none where it has those of the whole."""
    return error_log(
        table.directives.error_log, table.origin("error_log"), site, report
    )


def server_access_log(
    table: ServerTable, site: Site, report: Report
) -> AccessChain | None:
    """Return the targets of one server; None where it has those of the whole."""
    chain = table.directives.access_log
    if chain is None:
        return None
    return access_log(chain, table.origin("access_log"), site, report)


def error_log(chain: Chain, place: KeyPath, site: Site, report: Report) -> Chain:
    """Return targets with file names in full, noting those that cannot be made."""
    for one in chain:
        if isinstance(one.target, Syslog) and one.target.severity:
            report.warning(place, "`severity` decides nothing: each line has its own")
    whole = (
        evolve(one, target=_target(one.target, place, site, report)) for one in chain
    )
    return tuple(dict.fromkeys(whole))


def access_log(
    chain: AccessChain, place: KeyPath, site: Site, report: Report
) -> AccessChain:
    """Return targets with file names in full, noting those that cannot be made."""
    whole = (
        evolve(one, target=_target(one.target, place, site, report)) for one in chain
    )
    return tuple(dict.fromkeys(whole))


def _target(target: Target, place: KeyPath, site: Site, report: Report) -> Target:
    if not isinstance(target, Path):
        return target
    file = site.path(target)
    check_directory(place, file, site, report)
    return file


def check_directory(place: KeyPath, file: Path, site: Site, report: Report) -> None:
    """Note that a file could not be made for want of a directory.

    Where files are handed down, so was this judgement.
    """
    if site.files.on_disk and not os.path.isdir(file.parent):
        report.error(place, f"{file.parent} is no directory", "make it, or mend it")
