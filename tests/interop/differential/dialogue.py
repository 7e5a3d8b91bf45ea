"""The tables of dialogues: what a client says, and where the two may differ.

A table is a text file that reads as a conversation::

    @ starttls on; imap_auth plain cram-md5;
    == LOGIN takes a quoted password
    auth: OK | Auth-Wait: 1
    backend: LOGIN => (tag) NO not today
    C: a1 LOGIN joe "se cret"
    codes
    - S: ...
    + S: ...

``@`` holds the directives of the virtual server that the dialogues below it go to.
``auth:`` is what the auth server answers, one line a request, the last for all that
follow: ``OK`` and the backend's address, ``NO`` and the usual text, other headers as
they stand, ``raw`` octets, ``hang``, ``close``. ``backend:`` is what the backend says
to a command in place of its usual reply, in pieces where ``~`` stands between them;
``slow`` makes either wait. Steps are:

* ``C:`` a line, whose reply is read; ``C&`` one more in the same segment, with a reply
  of its own; ``C-`` octets without CRLF, which nobody answers yet
* ``S:`` one more reply is read; ``TLS`` (and ``TLS name``, with that client
  certificate) the handshake; ``P:`` octets before the greeting, ``P-`` a piece of them
* ``WAIT`` so many seconds; ``EOF`` half-closes, ``LEAVE`` closes; ``END`` leaves out
  the NOOP by which each dialogue ends, to see whether it is open

A difference is the lines that only nginx (``-``) or only we (``+``) have, below the
names in docs/differences-from-nginx.md that allow it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field

STEP = re.compile(r"(C:|C&|C-|P:|P-|S:|TLS|WAIT|EOF|LEAVE|END) ?(.*)")
NAMES = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*(?: [a-z0-9]+(?:-[a-z0-9]+)*)*")

TABLES = Path(__file__).parent / "tables"


@define
class Difference:
    """What the two do otherwise in one dialogue, and the names that allow it."""

    names: list[str]
    lines: list[str] = field(factory=list)


@define
class Dialogue:
    """One conversation, to be held with both."""

    protocol: str
    directives: str
    """Those of the virtual server it is held with."""
    title: str
    number: int
    """Which addresses it has for its own."""
    auth: list[str] = field(factory=list)
    backend: list[tuple[str, str]] = field(factory=list)
    steps: list[tuple[str, str]] = field(factory=list)
    differences: list[Difference] = field(factory=list)

    @property
    def differs(self) -> list[str]:
        """The lines in which the two differ."""
        return [line for each in self.differences for line in each.lines]

    @property
    def names(self) -> list[str]:
        """The names of the differences that it shows."""
        return [name for each in self.differences for name in each.names]

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.protocol}: {self.title}"

    @property
    def client(self) -> str:
        """Where its client comes from."""
        return f"127.1.{self._own}"

    @property
    def far_client(self) -> str:
        """Where a proxy in front says that its client comes from."""
        return f"10.1.{self._own}"

    @property
    def far_client_6(self) -> str:
        """Return the same in IPv6."""
        return f"2001:db8::{self.number + 1:x}"

    @property
    def backend_host(self) -> str:
        """Where its backend listens."""
        return f"127.2.{self._own}"

    @property
    def _own(self) -> str:
        high, low = divmod(self.number, 250)
        return f"{high}.{low + 1}"

    def read(self, line: str) -> None:
        """Take one more line of the table."""
        if line.startswith(("- ", "+ ")):
            self.differences[-1].lines.append(line)
        elif line.startswith("auth: "):
            self.auth.append(line.removeprefix("auth: "))
        elif line.startswith("backend: "):
            what, _, reply = line.removeprefix("backend: ").partition(" => ")
            self.backend.append((what, reply))
        elif step := STEP.fullmatch(line):
            self.steps.append((step[1], step[2]))
        elif NAMES.fullmatch(line):
            self.differences.append(Difference(line.split()))
        else:
            raise ValueError(f"{self.title}: what is {line!r}?")


def read_tables() -> list[Dialogue]:
    """Read all dialogues there are."""
    dialogues: list[Dialogue] = []
    for file in sorted(TABLES.glob("*.txt")):
        dialogues += _read(file, len(dialogues))
    return dialogues


def _read(file: Path, number: int) -> Iterator[Dialogue]:
    protocol = file.stem.split("-")[0]
    directives, dialogue = "", None
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("@"):
            directives = line.removeprefix("@").strip()
        elif line.startswith("== "):
            if dialogue:
                yield dialogue
                number += 1
            title = line.removeprefix("== ")
            dialogue = Dialogue(protocol, directives, title, number)
        elif line and not line.startswith("#"):
            assert dialogue, f"{file.name}: {line!r} belongs to nothing"
            dialogue.read(line)
    if dialogue:
        yield dialogue
