"""No two sockets on one address."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from mailssl_trio.config.model import Listen
from mailssl_trio.config.problem import KeyPath, Report, dotted
from mailssl_trio.config.server_table import ServerTable


def report_overlaps(tables: Sequence[ServerTable], report: Report) -> None:
    """Name both sides wherever two ``listen`` want the same address."""
    for (first, taken), (second, wanted) in combinations(_all(tables, report), 2):
        if wanted.overlaps(taken):
            by = f"{dotted(first)} in line {report.line(first)}"
            text = f"{wanted} is taken by {by}"
            if str(wanted) != str(taken):
                text = f"{wanted} and {taken} overlap, the latter is {by}"
            report.error(second, text, "give each an address and port of its own")


def _all(
    tables: Sequence[ServerTable], report: Report
) -> Iterator[tuple[KeyPath, Listen]]:
    for table in tables:
        for index, listen in enumerate(table.directives.listen):
            path = table.origin("listen")
            element = (*path, index)
            yield (element if element in report.lines else path), listen
