"""A Maildir: one file a message, its flags in the file's name.

A message is written in ``tmp`` and appears in ``new`` or ``cur`` when it is whole.
What stands in the file is what the protocols serve, octet by octet, so that lines
end in CRLF here, and sizes and offsets are those of the wire.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from time import time

from attrs import frozen

from mailssl_trio.mailbox.durable import private, sync_directory, unique_name

STALE = 36 * 3600  # seconds after which nobody still writes in tmp (maildir(5))


class Flag(Enum):
    """The system flags of RFC 3501 section 2.3.2, as Maildir writes them."""

    DRAFT = "D"
    FLAGGED = "F"
    ANSWERED = "R"
    SEEN = "S"
    DELETED = "T"


Flags = frozenset[Flag]
NO_FLAGS: Flags = frozenset()


@frozen
class Entry:
    """A message's file: where it is, its unique name, and the flags it carries."""

    file: str
    """Relative to the folder: ``new/…`` or ``cur/…``."""
    name: str
    flags: Flags

    @property
    def is_new(self) -> bool:
        """Whether no session has seen it yet."""
        return self.file.startswith("new/")


def make_maildir(path: Path) -> None:
    """Make the directories of an empty folder."""
    for part in ("tmp", "new", "cur"):
        (path / part).mkdir(mode=0o700, parents=True)


def entries(path: Path) -> Iterator[Entry]:
    """List the messages of a folder; FileNotFoundError if it is gone."""
    for part in ("new", "cur"):
        for file in os.listdir(path / part):
            if not file.startswith(".") and "\n" not in file:
                name, _, letters = file.partition(":2,")
                yield Entry(f"{part}/{file}", name, _flags(letters))


def file_with_flags(entry: Entry, flags: Flags) -> str:
    """Name the file that says these flags, and what else other programs wrote there."""
    ours = {flag.value for flag in Flag}
    letters = {flag.value for flag in flags}
    letters |= set(entry.file.partition(":2,")[2]) - ours
    return f"cur/{entry.name}:2,{''.join(sorted(letters))}"


def sweep(path: Path) -> None:
    """Remove what deliveries that died have left behind."""
    for file in (path / "tmp").iterdir():
        if time() - file.stat().st_mtime > STALE:
            file.unlink(missing_ok=True)


class Draft:
    """A message while it is written; it exists for nobody until ``deliver()``."""

    def __init__(self, folder: Path) -> None:
        self.name = unique_name()
        self._path = folder / "tmp" / self.name
        self._file = open(self._path, "xb", opener=private)  # noqa: SIM115 - discard()

    def write(self, data: bytes) -> None:
        """Append to the message."""
        self._file.write(data)

    def deliver(
        self,
        folders: Iterable[Path],
        flags: Flags = NO_FLAGS,
        date: float | None = None,
    ) -> None:
        """Put the message into folders; when this returns it is there to stay.

        A message with flags is one that a client has put here, and so not new.
        """
        self._file.flush()
        if date is not None:
            os.utime(self._file.fileno(), (date, date))
        os.fsync(self._file.fileno())
        entry = Entry(f"new/{self.name}", self.name, flags)
        file = file_with_flags(entry, flags) if flags else entry.file
        for folder in folders:
            os.link(self._path, folder / file)
            sync_directory((folder / file).parent)

    def discard(self) -> None:
        """Let go of the file in ``tmp``, delivered or not."""
        self._path.unlink(missing_ok=True)
        with suppress(OSError):  # of octets that the disk had no room for
            self._file.close()


def _flags(letters: str) -> Flags:
    return frozenset(flag for flag in Flag if flag.value in letters)
