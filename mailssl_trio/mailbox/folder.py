"""A folder: a Maildir whose messages have UIDs.

Every method blocks, and is meant for a thread. Whoever renames or removes a message
holds the folder's lock, because a directory that is listed while a file is renamed
may show it under neither name: a message would seem gone, and come back with
another UID.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import BinaryIO

from attrs import frozen

from mailssl_trio.mailbox.durable import locked, sync_directory, unique_name
from mailssl_trio.mailbox.maildir import Entry, Flag, Flags, entries, file_with_flags
from mailssl_trio.mailbox.uids import UidIndex, fresh_validity

SETTLED = 2_000_000_000  # nanoseconds; the coarsest clock of a file system


class NoSuchFolderError(Exception):
    """The folder does not exist, or no longer."""


@frozen
class Message:
    """A message with the UID it has for ever."""

    uid: int
    entry: Entry

    @property
    def flags(self) -> Flags:
        """The flags it carried when it was listed."""
        return self.entry.flags


@frozen
class Snapshot:
    """What a folder held at one moment, by ascending UIDs."""

    validity: int
    next_uid: int
    messages: tuple[Message, ...]
    claimed: frozenset[int] = frozenset()
    """UIDs that were new and that this look has made its own (``\\Recent``)."""
    stamp: tuple[int, ...] = ()
    """By what a later look sees that nothing has changed; empty if it cannot."""


class Folder:
    """One folder on the disk; ``root`` is its owner's directory."""

    def __init__(self, path: Path, root: Path) -> None:
        self.path = path
        self.root = root
        if not (path / "cur").is_dir():
            raise NoSuchFolderError

    def look(self, before: Snapshot | None = None, *, claim: bool = False) -> Snapshot:
        """Return what is here now; ``before`` itself if that is still true."""
        stamp = self._stamp()
        if before and before.stamp == stamp:
            return before
        settled = time_ns() - max(stamp) > SETTLED
        with self._lock():
            index, messages = self._list()
            claimed = [m for m in messages if claim and m.entry.is_new]
            moved = {m.uid: self._rename(m, m.flags) for m in claimed}
        messages = [moved.get(m.uid, m) for m in messages]
        return Snapshot(
            index.validity,
            index.next,
            tuple(messages),
            frozenset(moved),
            stamp if settled and not moved else (),
        )

    def change_flags(
        self, uids: Collection[int], change: Callable[[Flags], Flags]
    ) -> dict[int, Message]:
        """Give messages other flags; return those that are there, as they are now."""
        with self._lock():
            chosen = [m for m in self._list()[1] if m.uid in uids]
            changed = {m.uid: self._rename(m, change(m.flags)) for m in chosen}
            sync_directory(self.path / "cur")
        return changed

    def remove(self, uids: Collection[int] | None, *, only_deleted: bool) -> list[int]:
        """Remove messages, all or those of ``uids``; return which were removed."""
        with self._lock():
            doomed = [
                message
                for message in self._list()[1]
                if (uids is None or message.uid in uids)
                and (Flag.DELETED in message.flags or not only_deleted)
            ]
            for message in doomed:
                (self.path / message.entry.file).unlink(missing_ok=True)
            for part in {message.entry.file[:3] for message in doomed}:
                sync_directory(self.path / part)
        return [message.uid for message in doomed]

    def copy(
        self, uids: Collection[int], to: "Folder"
    ) -> tuple[Snapshot, list[tuple[int, int]]]:
        """Copy messages, flags and dates too; return pairs of UIDs, or none at all.

        A message never changes, so its copy is another link to the same file.
        """
        with self._lock():
            chosen = [m for m in self._list()[1] if m.uid in uids]
            if len(chosen) < len(uids):
                chosen = []
            copies = {m.uid: unique_name() for m in chosen}
            to.link((self.path / m.entry.file, copies[m.uid], m.flags) for m in chosen)
        snapshot = to.look()
        uid_of = {message.entry.name: message.uid for message in snapshot.messages}
        pairs = [(old, uid_of[name]) for old, name in copies.items() if name in uid_of]
        return snapshot, pairs

    def link(self, messages: Iterable[tuple[Path, str, Flags]]) -> None:
        """Add files as messages of ours; none of them if one cannot be added."""
        linked: list[Path] = []
        try:
            for source, name, flags in messages:
                file = file_with_flags(Entry("", name, flags), flags)
                os.link(source, self.path / file)
                linked.append(self.path / file)
        except OSError:
            for path in linked:
                path.unlink(missing_ok=True)
            raise
        sync_directory(self.path / "cur")

    def open(self, message: Message) -> BinaryIO | None:
        """Open a message, under whatever flags it is now; None if it is gone."""
        for look_again in (True, False):
            try:
                return (self.path / message.entry.file).open("rb")
            except FileNotFoundError:
                current = self._find(message.uid) if look_again else None
                if current is None:
                    return None
                message = current
        return None

    def _find(self, uid: int) -> Message | None:
        return next((m for m in self.look().messages if m.uid == uid), None)

    def _list(self) -> tuple[UidIndex, list[Message]]:
        """List what is here under its UIDs; the caller holds the lock."""
        found = {entry.name: entry for entry in entries(self.path)}
        index = UidIndex.load(self.path / "uids")
        if index is None:
            index = UidIndex(fresh_validity(self.root))
            index.save(self.path / "uids")
        if index.reconcile(found.keys()):
            index.save(self.path / "uids")
        return index, [Message(uid, found[name]) for name, uid in index.uids.items()]

    def _rename(self, message: Message, flags: Flags) -> Message:
        file = file_with_flags(message.entry, flags)
        if file != message.entry.file:
            (self.path / message.entry.file).rename(self.path / file)
        return Message(message.uid, Entry(file, message.entry.name, flags))

    def _stamp(self) -> tuple[int, ...]:
        try:
            return tuple(
                (self.path / part).stat().st_mtime_ns for part in ("new", "cur")
            )
        except FileNotFoundError:
            raise NoSuchFolderError from None

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Hold the folder; NoSuchFolderError if it goes while we want it."""
        try:
            with locked(self.path / "uids.lock"):
                yield
        except FileNotFoundError:
            if self.path.is_dir():
                raise
            raise NoSuchFolderError from None
