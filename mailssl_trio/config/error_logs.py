"""Where error logs are written, with the directories that files need."""

import os
from pathlib import Path

from attrs import evolve

from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.server_table import ServerTable, Site
from mailssl_trio.log_writer import Chain, ErrorLog
from mailssl_trio.syslog import Syslog


def server_log(table: ServerTable, site: Site, report: Report) -> Chain:
    """Return the targets of one server; none where it has those of the whole."""
    return error_log(
        table.directives.error_log, table.origin("error_log"), site, report
    )


def error_log(chain: Chain, place: KeyPath, site: Site, report: Report) -> Chain:
    """Return targets with file names in full, noting those that cannot be made."""
    found: list[ErrorLog] = []
    for one in chain:
        match one.target:
            case Path() as path:
                target = site.path(path)
                check_directory(place, target, site, report)
                found.append(evolve(one, target=target))
            case Syslog(severity=severity):
                if severity:
                    report.warning(
                        place, "`severity` decides nothing: each line has its own"
                    )
                found.append(one)
            case None:
                found.append(one)
    return tuple(dict.fromkeys(found))


def check_directory(place: KeyPath, file: Path, site: Site, report: Report) -> None:
    """Note that a file could not be made for want of a directory.

    Where files are handed down, so was this judgement.
    """
    if site.files.on_disk and not os.path.isdir(file.parent):
        report.error(place, f"{file.parent} is no directory", "make it, or mend it")
