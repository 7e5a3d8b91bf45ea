"""The files that a configuration names: read once, judged, and then the same for all.

The supervisor reads them from the disk. What it has judged goes to its workers, so a
worker that takes a dead one's place serves what the others serve, whatever has been
written to the disk meanwhile. It is the same with hosts that are named where only an
address will do: they are looked up once.
"""

import os
import socket
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE, S_IRWXO, S_ISDIR, S_ISREG

from attrs import field, frozen


class NotAFileError(OSError):
    """Something that is there, and that one cannot read to its end and be done."""


@frozen
class Content:
    """What is in a file. It may be a private key."""

    data: bytes = field(repr=False)
    mode: int = 0o600
    """Its permissions, as chmod(1) takes them."""


class Files:
    """Files and hosts by name. What has been read once is not read again."""

    def __init__(
        self,
        known: Mapping[Path, Content] | None = None,
        *,
        origins: Mapping[Path, bytes] | None = None,
        hosts: Mapping[str, tuple[str, ...]] | None = None,
        on_disk: bool = True,
    ) -> None:
        self.known = dict(known or {})
        self.origins = dict(origins or {})
        """SHA-256 of what each file held when it was first read, by any of us."""
        self.hosts = dict(hosts or {})
        """The IP addresses that each had when it was first asked for."""
        self.on_disk = on_disk
        """Whether what is not known is looked for."""
        self.exposed: dict[Path, int] | None = None
        """Where secrets may be open to others, as they may be with nginx: the files
        that are, and their permissions; else None."""

    def read(self, path: Path) -> Content:
        """Return what is in a file. Raises OSError, and ValueError for NUL."""
        if path not in self.known:
            if not self.on_disk:
                raise FileNotFoundError(f"{path} was not handed down")
            self.known[path] = self._forgiven(path, _read(path))
        content = self.known[path]
        self.origins.setdefault(path, sha256(content.data).digest())
        return content

    def origin(self, path: Path) -> bytes:
        """Return what tells a file from others, and outlives its renewal."""
        self.read(path)
        return self.origins[path]

    def addresses(self, host: str) -> tuple[str, ...]:
        """Return the IP addresses of a host. Raises OSError."""
        if host not in self.hosts:
            if not self.on_disk:
                raise OSError(f"the addresses of {host} were not handed down")
            self.hosts[host] = _look_up(host)
        return self.hosts[host]

    def afresh(self) -> "Files":
        """Return the same with nothing known: what is on the disk now."""
        files = Files(origins=self.origins, on_disk=self.on_disk)
        files.exposed = None if self.exposed is None else {}
        return files

    def forgive(self) -> None:
        """Take secrets that are open to others for what they should be, and note it."""
        self.exposed = {}
        for path, content in self.known.items():
            self.known[path] = self._forgiven(path, content)

    def _forgiven(self, path: Path, content: Content) -> Content:
        if self.exposed is None or not content.mode & S_IRWXO:
            return content
        self.exposed[path] = content.mode
        return Content(content.data, content.mode & ~S_IRWXO)


def _look_up(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as wrong:
        raise OSError("no host name") from wrong
    return tuple(dict.fromkeys(str(name[0]).partition("%")[0] for *_, name in found))


def _read(path: Path) -> Content:
    mode = path.stat().st_mode
    if S_ISDIR(mode):
        raise NotAFileError("is a directory")
    if not S_ISREG(mode):  # a FIFO would keep us waiting
        raise NotAFileError("is not a regular file")
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        return Content(file.read(), S_IMODE(os.fstat(descriptor).st_mode))
