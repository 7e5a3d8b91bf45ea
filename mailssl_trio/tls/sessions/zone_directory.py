"""The directory of the shared zones: in memory, ours alone, and gone when we are.

Sessions are secrets that must not reach a disk, so it lies on a file system that is
memory. (Memory may be swapped out, there as in any process.) It is made when the
program starts and removed when it ends. Where a program was killed, the next one of
the same user takes away what it left: nobody who is alive lets go of his lock.
"""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from errno import ENOENT, EPERM
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path
from tempfile import mkdtemp

PREFIX = "mailssl-trio-"
IN_MEMORY = frozenset({"tmpfs", "ramfs"})
MOUNTS = Path("/proc/self/mountinfo")
SHARED_MEMORY = "/dev/shm"


class ZoneDirectoryError(Exception):
    """There is no place for shared zones; ``remedy`` says what to do about it."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


@contextmanager
def zone_directory(
    places: Iterable[Path] | None = None, owner: int | None = None
) -> Iterator[Path]:
    """Make the directory, in the first place that will do, and remove it at the end.

    ``owner`` is the user whose it becomes, if not ours. Raises ZoneDirectoryError.
    Sweeps what killed programs have left in the places, which by default are the
    system's. Reads and writes in memory only.
    """
    if places is None:
        places = usual_places(os.environ)
    with ExitStack() as held:
        directory = _made(list(places), os.geteuid() if owner is None else owner, held)
        try:
            yield directory
        finally:
            shutil.rmtree(directory, ignore_errors=True)  # the rest is for a sweep


@contextmanager
def hold(directory: Path) -> Iterator[None]:
    """Use the directory: while anybody does, no sweep takes it.

    Raises OSError if it is gone, or not ours.
    """
    with ExitStack() as held:
        _lock(directory, LOCK_SH, held)
        yield


def sweep(place: Path, owner: int | None = None) -> None:
    """Remove the directories of this user, or of ``owner``, that nobody holds."""
    with suppress(OSError):
        for name in os.listdir(place):
            if name.startswith(PREFIX):
                with suppress(OSError), ExitStack() as held:
                    _lock(place / name, LOCK_EX, held, owner)
                    shutil.rmtree(place / name)


def usual_places(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where the directory may be: systemd.exec(5) comes first."""
    runtime = environment.get("RUNTIME_DIRECTORY", "").split(":")
    user = environment.get("XDG_RUNTIME_DIR", "")
    return tuple(Path(name) for name in (*runtime, SHARED_MEMORY, user) if name)


def is_in_memory(place: Path) -> bool:
    """Whether a directory is on a file system that is memory: proc(5), mountinfo."""
    with suppress(OSError):
        device = os.stat(place).st_dev
        number = f"{os.major(device)}:{os.minor(device)}"
        for line in MOUNTS.read_text(errors="replace").splitlines():
            mount, _, kind = line.partition(" - ")
            if mount.split()[2] == number:
                return kind.split()[0] in IN_MEMORY
    return False


def _made(places: list[Path], owner: int, held: ExitStack) -> Path:
    refusals = []
    for place in places:
        if not is_in_memory(place):
            refusals.append(f"{place} is not there, or is no tmpfs")
            continue
        sweep(place, owner)
        for _ in range(3):  # somebody's sweep may come before our lock
            try:
                directory = Path(mkdtemp(prefix=PREFIX, dir=place))  # 0700
                if owner != os.geteuid():
                    os.chown(directory, owner, -1)
                _lock(directory, LOCK_SH, held, owner)
            except OSError as error:
                refusals.append(f"{place}: {error.strerror}")
            else:
                return directory
    raise ZoneDirectoryError(
        f"there is no directory in memory for shared sessions ({'; '.join(refusals)})",
        "mount a tmpfs at /dev/shm, or set RuntimeDirectory= in the systemd unit",
    )


def _lock(
    directory: Path, kind: int, held: ExitStack, owner: int | None = None
) -> None:
    """Lock what is really there, really ours, and stays there. Raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(directory, flags)
    held.callback(os.close, descriptor)
    if os.fstat(descriptor).st_uid != (os.geteuid() if owner is None else owner):
        raise PermissionError(EPERM, "belongs to somebody else", str(directory))
    flock(descriptor, kind | LOCK_NB)
    if not os.path.samestat(os.fstat(descriptor), os.lstat(directory)):
        raise FileNotFoundError(ENOENT, "was taken away", str(directory))
