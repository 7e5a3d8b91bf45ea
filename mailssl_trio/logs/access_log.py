"""The directive ``access_log``: a line for each login, and for each end."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeAlias

from attrs import frozen

from mailssl_trio.logs.formats.as_json import as_json
from mailssl_trio.logs.formats.like_dovecot import like_dovecot
from mailssl_trio.logs.formats.like_nginx import like_nginx
from mailssl_trio.logs.lines import Line, Style
from mailssl_trio.logs.syslog import Syslog
from mailssl_trio.logs.writer import LogWriter, Target
from mailssl_trio.observer import Happening, Subject


class Format(Enum):
    """How a line looks."""

    DOVECOT = "dovecot"
    NGINX = "nginx"
    JSON = "json"


STYLES: Mapping[Format, Style] = {
    Format.DOVECOT: Style.SYSLOG,
    Format.NGINX: Style.NGINX,
    Format.JSON: Style.BARE,
}

Writing: TypeAlias = Callable[[Subject, Happening], str | None]

WRITINGS: Mapping[Format, Writing] = {
    Format.DOVECOT: like_dovecot,
    Format.NGINX: like_nginx,
    Format.JSON: as_json,
}
"""Each returns None for what has no line."""

SEVERITY = "info"

USUAL_SYSLOG = Syslog("", "", 0, facility="mail", tag="mailssl_trio")
"""What a daemon is told unless the directive says otherwise."""


@frozen
class AccessLog:
    """One target of the directive ``access_log``."""

    target: Target
    format: Format = Format.DOVECOT

    def __str__(self) -> str:
        target = self.target or "stderr"
        if isinstance(target, Syslog):
            target = target.differing_from(USUAL_SYSLOG)
        return f"{target} {self.format.value}"

    @property
    def level(self) -> str:
        """The severity for a syslog daemon, and for the journal."""
        severity = self.target.severity if isinstance(self.target, Syslog) else ""
        return severity or SEVERITY


AccessChain: TypeAlias = tuple[AccessLog, ...]
"""Every target; none where there is no such log."""


class AccessLogger:
    """An observer that writes who came, who got in, and how it ended."""

    def __init__(self, writer: LogWriter, chain: AccessChain) -> None:
        self._writer = writer
        self._chain = chain
        self._writings = {one.format: WRITINGS[one.format] for one in chain}

    def tell(self, subject: Subject, happening: Happening) -> None:
        """Write a line in each format that somebody wants, if there is one to write."""
        written = {
            format_: write(subject, happening)
            for format_, write in self._writings.items()
        }
        for one in self._chain:
            if (text := written[one.format]) is not None:
                line = Line(one.level, text, STYLES[one.format])
                self._writer.put((one.target,), line)
