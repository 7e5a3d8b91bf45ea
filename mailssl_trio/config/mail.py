"""The table ``[mail]`` and the servers in it."""

from collections.abc import Iterator, Mapping

from mailssl_trio.config.directives import MailDirectives
from mailssl_trio.config.problem import Report
from mailssl_trio.config.server_table import ServerTable, inherit
from mailssl_trio.config.structure import structure

NO_SERVER = "write [[mail.server]] with a `listen` for each virtual server"


def read_servers(mail: object, report: Report) -> tuple[ServerTable, ...]:
    """Read ``[mail]``, or what stands in its place, and return its servers."""
    match mail:
        case dict():
            return tuple(_servers(mail, report))
        case None:
            report.error((), "no [mail]", NO_SERVER)
        case _:
            report.error(("mail",), "not a table", "write [mail] on a line of its own")
    return ()


def _servers(mail: Mapping[str, object], report: Report) -> Iterator[ServerTable]:
    shared = {name: value for name, value in mail.items() if name != "server"}
    _, right = structure(shared, MailDirectives, ("mail",), report)
    match mail.get("server", []):
        case []:
            report.error(("mail",), "there is no server", NO_SERVER)
        case list() as tables:
            for index, own in enumerate(tables):
                if isinstance(own, dict):
                    yield inherit(index, own, right, frozenset(shared), report)
                else:
                    report.error(("mail", "server", index), "not a table", NO_SERVER)
        case _:
            report.error(("mail", "server"), "not an array of tables", NO_SERVER)
