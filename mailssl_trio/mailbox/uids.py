"""Unique identifiers (RFC 3501 section 2.3.1.1): a small file beside the messages.

A UID is told to a client only after the file that says so is durable, and the next
one is written there too, so that none is ever given twice.
"""

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from time import time

from attrs import define, field

from mailssl_trio.mailbox.durable import locked, write_atomically

FORMAT = "mailssl-uids-1"


@define
class UidIndex:
    """Which message has which UID."""

    validity: int
    next: int = 1
    uids: dict[str, int] = field(factory=dict)
    """By the unique name of the message, in ascending order of UIDs."""

    @classmethod
    def load(cls, path: Path) -> "UidIndex | None":
        """Read an index; None if there is none, or none that can be believed."""
        try:
            head, *lines = path.read_text("utf-8", "surrogateescape").split("\n")
            known_format, validity, following = head.split(" ")
            pairs = (line.split(" ", 1) for line in lines if line)
            uids = {name: int(uid) for uid, name in pairs}
        except (FileNotFoundError, ValueError):
            return None
        index = cls(int(validity), int(following), uids)
        return index if known_format == FORMAT and index.is_sound() else None

    def save(self, path: Path) -> None:
        """Write the index whole; the caller holds the folder's lock."""
        lines = [f"{FORMAT} {self.validity} {self.next}"]
        lines += [f"{uid} {name}" for name, uid in self.uids.items()]
        text = "\n".join(lines) + "\n"
        write_atomically(path, text.encode("utf-8", "surrogateescape"))

    def is_sound(self) -> bool:
        """Whether UIDs ascend and the next one is above them all."""
        uids = [0, *self.uids.values(), self.next]
        return all(low < high for low, high in pairwise(uids))

    def reconcile(self, names: Collection[str]) -> bool:
        """Give newcomers their UIDs, forget who left; say whether that changed us."""
        newcomers = sorted(name for name in names if name not in self.uids)
        leavers = self.uids.keys() - names
        for name in leavers:
            del self.uids[name]
        for name in newcomers:
            self.uids[name] = self.next
            self.next += 1
        return bool(newcomers or leavers)


def fresh_validity(root: Path) -> int:
    """Return a UIDVALIDITY no folder of this user has had, greater than all before."""
    path = root / "uidvalidity"
    with locked(root / "uidvalidity.lock"):
        last = int(path.read_text()) if path.exists() else 0
        validity = max(last + 1, int(time()))
        write_atomically(path, f"{validity}\n".encode())
    return validity
