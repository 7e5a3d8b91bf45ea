"""What is made for workers that are somebody else: what they write to must be theirs.

Root gives nothing away that a link could have led it to: files and directories are
opened by their own names, looked at, and then changed as what is open.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from mailssl_trio.building import StartError
from mailssl_trio.config.model import Config
from mailssl_trio.config.worker_user import WorkerUser
from mailssl_trio.logs.file import MODE

PUBLIC_DIRECTORY = 0o755
"""The state directory's: the development CA's certificate is for everybody."""

OURS_ALONE = 0o700

NO_LINK = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def entrust(config: Config) -> None:
    """Make what workers need, and let them have it. Raises StartError."""
    if config.development_certificate or _has_mailboxes(config):
        _make_public(config.state_directory)
    if (user := config.user) is None or user.uid == 0:  # root has it all
        return
    for log in config.log_files:
        if log.is_symlink():  # to /dev/stderr, or to what its owner has arranged
            continue
        with _opened(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as descriptor:
            _give(descriptor, user, log)
    if _has_mailboxes(config):
        _give_mailboxes(config.state_directory / "mail", user)


def _has_mailboxes(config: Config) -> bool:
    return any(server.users is not None for server in config.servers)


def _make_public(directory: Path) -> None:
    """Make a directory that everybody may enter, if it is not there."""
    try:
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(PUBLIC_DIRECTORY)
    except OSError as error:
        raise _refused(directory, error) from None


def _give_mailboxes(directory: Path, user: WorkerUser) -> None:
    """Let the user have the directory of mailboxes; what is in it must be his."""
    try:
        directory.mkdir(OURS_ALONE, exist_ok=True)
        with _opened(directory, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            _give(descriptor, user, directory)
            others = [
                entry.name
                for entry in os.scandir(descriptor)
                if entry.stat(follow_symlinks=False).st_uid != user.uid
            ]
    except OSError as error:
        raise _refused(directory, error) from None
    if others:
        raise StartError(
            f"{directory / others[0]} does not belong to {user.names.user}, as whom"
            f" workers run: chown -R {user.names.user} {directory}",
            denied=True,
        )


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    """Open what is no link, for a moment. Raises StartError."""
    try:
        descriptor = os.open(path, flags | NO_LINK, MODE)
    except OSError as error:
        raise _refused(path, error) from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _give(descriptor: int, user: WorkerUser, path: Path) -> None:
    """Make the user the owner, unless it is something that others have, too."""
    found = os.fstat(descriptor)
    is_one = S_ISDIR(found.st_mode) or (S_ISREG(found.st_mode) and found.st_nlink == 1)
    if is_one and found.st_uid != user.uid:
        try:
            os.fchown(descriptor, user.uid, -1)
        except OSError as error:
            raise _refused(path, error) from None


def _refused(path: Path, error: OSError) -> StartError:
    return StartError(f"{path}: {error.strerror}", denied=True)
