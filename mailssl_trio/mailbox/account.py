"""One user's folders: a Maildir++ whose root is INBOX.

Folders come into being whole: built aside, then renamed to what they are called.
So does the account itself, with its welcome message, whoever comes first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from mailssl_trio.mailbox.durable import (
    locked,
    sync_directory,
    unique_name,
    write_atomically,
)
from mailssl_trio.mailbox.folder import Folder, NoSuchFolderError
from mailssl_trio.mailbox.maildir import Draft, make_maildir, sweep
from mailssl_trio.mailbox.names import (
    SEPARATOR,
    folder_directory,
    folder_of_directory,
    superiors,
    user_directory,
)
from mailssl_trio.mailbox.uids import UidIndex, fresh_validity
from mailssl_trio.mailbox.welcome import welcome_message

DELETED = "deleted-"


class FolderExistsError(Exception):
    """There is a folder of that name already."""


class Account:
    """What one user has; ``open()`` makes it at the first time."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, directory: Path, user: bytes, server_name: str) -> "Account":
        """Return a user's account; BadNameError for a name none can have."""
        root = directory / user_directory(user)
        if not root.exists():
            _build(root, user, server_name)
        return cls(root)

    def sweep(self) -> None:
        """Remove what was left by those who died at work."""
        for dead in self.root.glob(f"{DELETED}*"):
            rmtree(dead, ignore_errors=True)
        for name in self.names():
            sweep(self._path(name))

    def names(self) -> list[str]:
        """Return the names of all folders."""
        directories = (path.parent.name for path in self.root.glob(".*/cur"))
        return ["INBOX", *sorted(folder_of_directory(name) for name in directories)]

    def folder(self, name: str) -> Folder:
        """Return a folder; NoSuchFolderError if there is none."""
        return Folder(self._path(name), self.root)

    def create(self, name: str) -> None:
        """Make a folder, and those above it (RFC 3501 section 6.3.3)."""
        with self._lock():
            if self._path(name).exists():
                raise FolderExistsError
            for missing in (*superiors(name), name):
                if not self._path(missing).exists():
                    self._create(missing)

    def delete(self, name: str) -> None:
        """Remove a folder with all that is in it; what is below it stays."""
        with self._lock():
            doomed = self.root / (DELETED + unique_name())
            self.folder(name).path.rename(doomed)
            sync_directory(self.root)
        rmtree(doomed)

    def rename(self, old: str, new: str) -> None:
        """Give a folder, and all below it, another name (RFC 3501 section 6.3.5)."""
        with self._lock():
            moving = [
                name
                for name in self.names()
                if name == old or name.startswith(old + SEPARATOR)
            ]
            if not moving:
                raise NoSuchFolderError
            targets = {name: new + name.removeprefix(old) for name in moving}
            if any(self._path(target).exists() for target in targets.values()):
                raise FolderExistsError
            for missing in superiors(new):
                if not self._path(missing).exists():
                    self._create(missing)
            for name, target in targets.items():
                self._path(name).rename(self._path(target))
            sync_directory(self.root)

    def subscriptions(self) -> list[str]:
        """Return the names the user has subscribed to."""
        try:
            return (self.root / "subscriptions").read_text("ascii").splitlines()
        except FileNotFoundError:
            return ["INBOX"]

    def subscribe(self, name: str) -> None:
        """Add a name to the subscriptions, whether there is such a folder or not."""
        with self._lock():
            self._write_subscriptions({*self.subscriptions(), name})

    def unsubscribe(self, name: str) -> None:
        """Take a name out of the subscriptions."""
        with self._lock():
            self._write_subscriptions({*self.subscriptions()} - {name})

    def _write_subscriptions(self, names: set[str]) -> None:
        text = "".join(f"{name}\n" for name in sorted(names))
        write_atomically(self.root / "subscriptions", text.encode("ascii"))

    def _create(self, name: str) -> None:
        building = self.root / f"{DELETED}unborn-{unique_name()}"
        make_maildir(building)
        UidIndex(fresh_validity(self.root)).save(building / "uids")
        building.rename(self._path(name))
        sync_directory(self.root)

    def _path(self, name: str) -> Path:
        return self.root / folder_directory(name)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with locked(self.root / "folders.lock"):
            yield


def _build(root: Path, user: bytes, server_name: str) -> None:
    """Make an account; if another made it meanwhile, theirs is as good."""
    building = root.parent / f".unborn-{unique_name()}"
    make_maildir(building)
    draft = Draft(building)
    draft.write(welcome_message(user, server_name))
    draft.deliver([building])
    draft.discard()
    try:
        building.rename(root)
    except OSError:
        rmtree(building)
        if not root.is_dir():
            raise
    sync_directory(root.parent)
