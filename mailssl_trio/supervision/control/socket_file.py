"""The socket in the file system by which the program is asked and told.

Nobody may come to it but root and who we are: its mode is 0600 before it has a name.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from stat import S_ISSOCK

from attrs import frozen
from trio.socket import SocketType

from mailssl_trio.building import StartError

MODE = 0o600
BACKLOG = 16

CREDENTIALS = struct.Struct("3i")
"""``struct ucred`` of unix(7): process, user, group."""


@frozen
class Peer:
    """Whoever is at the other end of a Unix socket."""

    pid: int
    uid: int

    @classmethod
    def of(cls, connected: socket.socket | SocketType) -> "Peer":
        """Ask the kernel."""
        size = CREDENTIALS.size
        said = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        pid, uid, _gid = CREDENTIALS.unpack(said)
        return cls(pid, uid)

    def __str__(self) -> str:
        return f"uid {self.uid} (process {self.pid})"

    @property
    def is_administrator(self) -> bool:
        """Whether it is root, or who we are."""
        return self.uid in {0, os.geteuid()}


@frozen(eq=False)
class SocketFile:
    """A socket that listens, and the file that is its name."""

    path: Path
    listening: socket.socket
    file: tuple[int, int]
    """Device and inode."""

    @classmethod
    def open(cls, path: Path) -> "SocketFile":
        """Listen there; StartError if that may not be, or somebody else does."""
        with _explained(path), ExitStack() as undo:
            listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            undo.callback(listening.close)
            listening.setblocking(False)
            os.fchmod(listening.fileno(), MODE)  # of the file that bind() makes
            with _alone_in(path.parent, path):
                _clear(path)
                listening.bind(os.fspath(path))
                made = cls(path, listening, _identity(path))
                undo.callback(made.close)
                if path.lstat().st_mode & 0o777 & ~MODE:
                    raise StartError(f"control: {path} cannot be kept from others")
                listening.listen(BACKLOG)
            undo.pop_all()
        return made

    def is_there(self) -> bool:
        """Whether its name still leads to it."""
        with suppress(OSError):
            return _identity(self.path) == self.file
        return False

    def withdraw(self) -> None:
        """Let nobody come any more, and leave no file behind that is ours."""
        if self.is_there():
            with suppress(OSError):
                self.path.unlink()

    def close(self) -> None:
        """Listen no more. Nobody must be waiting for who comes."""
        self.withdraw()
        self.listening.close()


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        denied = error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}
        text = f"control: {path}: {error.strerror or error}"
        raise StartError(text, denied=denied) from None


@contextmanager
def _alone_in(directory: Path, path: Path) -> Iterator[None]:
    """Have nobody else of our kind look there at the same moment."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    descriptor = os.open(directory, flags)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
        yield
    except BlockingIOError:
        text = f"control: {path}: another program is about to start there"
        raise StartError(text) from None
    finally:
        os.close(descriptor)


def _clear(path: Path) -> None:
    """Remove a socket that nobody listens at; StartError for anything else."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not S_ISSOCK(found.st_mode):
        raise StartError(f"control: {path} is there, and is no socket")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as visitor:
        visitor.setblocking(False)
        answer = visitor.connect_ex(os.fspath(path))
        if answer != errno.ECONNREFUSED:
            who = f"process {Peer.of(visitor).pid}" if answer == 0 else "somebody else"
            raise StartError(f"control: {path} belongs to {who}")
    path.unlink()


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
