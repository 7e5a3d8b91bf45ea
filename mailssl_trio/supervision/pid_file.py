"""The directive ``pid``: a file that names the supervisor for as long as it lives.

Whether it lives is told by a lock on the file, which the kernel frees when its holder
dies, however that comes; a number alone would soon be somebody else's. A stranger may
have the lock then, who has waited for it: he gets to keep it, and the old file.
"""

import errno
import os
from collections.abc import Callable
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from stat import S_ISREG

from mailssl_trio.building import StartError
from mailssl_trio.supervision.lock_holders import strangers

MODE = 0o644  # who we are is no secret
LONGEST = 32
"""Octets of a file that may be a pid file."""


class PidFile:
    """A pid file that is ours: nobody else's as long as it is not removed.

    Raises StartError where another program lives, where the file is something else,
    or where it may not be written.
    """

    def __init__(self, path: Path, write: Callable[[str, str], None]) -> None:
        self.path = path
        self._write = write
        self._descriptor = _open(path)
        try:
            self._leave_to_strangers()
            self._take()
        except BaseException:
            os.close(self._descriptor)
            raise

    def write(self) -> None:
        """Say who we are: now there is somebody to send signals to.

        A disk that is full is no reason to let nobody in.
        """
        try:
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            self._write("alert", f"pid: {self.path} stays empty: {error.strerror}")

    def remove(self) -> None:
        """Remove the file, unless another has been put in its place; free the lock."""
        try:
            if _is_at(self.path, self._descriptor):
                self.path.unlink(missing_ok=True)
        except OSError:  # the directory is not ours any more; an empty file is no harm
            os.ftruncate(self._descriptor, 0)
        finally:
            os.close(self._descriptor)

    def _leave_to_strangers(self) -> None:
        """Make another file where the old one is locked by whom it does not name."""
        if not S_ISREG(os.fstat(self._descriptor).st_mode):
            raise StartError(f"pid: {self.path} is not a regular file")
        if not self._names_process() or not _is_at(self.path, self._descriptor):
            return
        locked = strangers(self._descriptor)
        if locked and int(self._says()) not in locked:
            whom = ", ".join(map(str, sorted(locked)))
            self._write("warn", f"{self.path} was locked by process {whom}: replaced")
            self._replace()

    def _replace(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise StartError(
                f"pid: {self.path}: {error.strerror}", denied=True
            ) from None
        old, self._descriptor = self._descriptor, _open(self.path)
        os.close(old)

    def _says(self) -> str:
        return os.pread(self._descriptor, LONGEST + 1, 0).decode("ascii", "replace")

    def _names_process(self) -> bool:
        said = self._says()
        return said.strip().isdecimal() and len(said) <= LONGEST

    def _take(self) -> None:
        """Lock the file and empty it."""
        said = self._says()
        pid = said.strip()
        try:
            flock(self._descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            who = f"process {pid}" if pid else "a process that is about to start"
            raise StartError(f"pid: {self.path} belongs to {who}") from None
        if not _is_at(self.path, self._descriptor):
            raise StartError(f"pid: {self.path} was removed by another process")
        if said and not self._names_process():
            raise StartError(f"pid: {self.path} is no pid file")
        if pid:
            text = f"{self.path} was left by process {pid}, which holds it no more"
            self._write("notice", text)
        os.ftruncate(self._descriptor, 0)
        if os.fstat(self._descriptor).st_uid == os.geteuid():
            os.fchmod(self._descriptor, MODE)  # our umask is meant for logs


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, flags, MODE)
    except OSError as error:
        reason = error.strerror
        if error.errno == errno.ELOOP:
            reason = "it is a symbolic link"
        raise StartError(f"pid: {path}: {reason}", denied=True) from None


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether a file is still what its name leads to."""
    ours = os.fstat(descriptor)
    try:
        there = path.lstat()
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
