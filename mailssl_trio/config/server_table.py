"""One ``[[mail.server]]`` and what it inherits: the union of two tables."""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen

from mailssl_trio.config.directives import ServerDirectives
from mailssl_trio.config.pem_sources import Named
from mailssl_trio.config.problem import KeyPath, Report
from mailssl_trio.config.structure import structure
from mailssl_trio.files import Files
from mailssl_trio.protocol.server_session import StartTlsMode
from mailssl_trio.tls.policy import Inline, Source


@frozen
class Site:
    """Where the configuration lies, and where the program keeps what it makes."""

    file: Path
    directory: Path
    state_directory: Path
    files: Files

    def path(self, name: str | Path) -> Path:
        """Return a file that the configuration names, relative to itself."""
        return self.directory / name

    def source(self, name: Named) -> Source:
        """Return where PEM comes from: such a file, or the configuration itself."""
        return name if isinstance(name, Inline) else self.path(name)


@frozen
class ServerTable:
    """The directives that hold for one server, and where each of them was set."""

    index: int
    directives: ServerDirectives
    own: frozenset[str]
    inherited: frozenset[str]

    @property
    def place(self) -> KeyPath:
        """The server itself."""
        return ("mail", "server", self.index)

    def is_set(self, name: str) -> bool:
        """Whether somebody wrote it, be the value right or wrong."""
        return name in self.own or name in self.inherited

    def is_inherited(self, name: str) -> bool:
        """Whether ``[mail]`` decides it."""
        return name in self.inherited and name not in self.own

    def origin(self, name: str) -> KeyPath:
        """Return where a directive was set, or would be set."""
        return ("mail", name) if self.is_inherited(name) else (*self.place, name)


def inherit(
    index: int,
    own: Mapping[str, object],
    mail: Mapping[str, object],
    inherited: frozenset[str],
    report: Report,
) -> ServerTable:
    """Read a server's table: what it does not set itself comes from ``[mail]``.

    ``mail`` is what is right there, ``inherited`` the names of all that is there.
    """
    place: KeyPath = ("mail", "server", index)
    directives, _ = structure({**mail, **own}, ServerDirectives, place, report)
    table = ServerTable(index, directives, frozenset(own), inherited)
    return _settle_tls(table, report)


def _settle_tls(table: ServerTable, report: Report) -> ServerTable:
    """TLS from the start or by STARTTLS: what is nearer wins, on one level neither."""
    directives = table.directives
    if not directives.ssl or directives.starttls is StartTlsMode.OFF:
        return table
    if table.is_inherited("ssl") is table.is_inherited("starttls"):
        starttls = table.origin("starttls")
        report.error(
            table.origin("ssl"),
            f"conflicts with `starttls` in line {report.line(starttls)}",
            "keep `ssl` for TLS from the start, or `starttls` for TLS in-line",
        )
        return table
    if table.is_inherited("ssl"):
        return evolve(table, directives=evolve(directives, ssl=False))
    starttls_off = evolve(directives, starttls=StartTlsMode.OFF)
    return evolve(table, directives=starttls_off)
