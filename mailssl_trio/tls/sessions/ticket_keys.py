"""The keys of session tickets: out of files, or made by us and replaced in time.

A ticket is a session that its client keeps for us, encrypted. Who has the key can read
all that was said in sessions of TLS 1.2 that it protects. So keys of our own making do
not grow old, and how long those in files live is the operator's to decide: the same
files on several machines let clients resume on any of them.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from stat import S_IRWXO
from typing import Self

from attrs import define, field, frozen

from mailssl_trio.files import Content, Files, NotAFileError
from mailssl_trio.tls.problems import TlsProblem

DIRECTIVE = "ssl_session_ticket_key"
NAME = 16
SIZES = (48, 80)


def time_since_boot() -> float:
    """Return seconds that nobody can set, and that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@frozen
class TicketKey:
    """What tickets are encrypted and authenticated with."""

    name: bytes
    """Stands in each ticket, in the clear, to say which key it was."""
    hmac: bytes = field(repr=False)
    """The secret of HMAC-SHA256."""
    aes: bytes = field(repr=False)
    """16 octets for AES-128-CBC, or 32 for AES-256-CBC."""

    @classmethod
    def parse(cls, octets: bytes) -> Self:
        """Read what nginx reads: 48 octets or 80, and the order is not the same."""
        name, secret = octets[:NAME], octets[NAME:]
        match len(octets):
            case 48:
                return cls(name, aes=secret[:16], hmac=secret[16:])
            case 80:
                return cls(name, hmac=secret[:32], aes=secret[32:])
            case size:
                raise ValueError(f"a ticket key of {size} octets")

    def __bytes__(self) -> bytes:
        parts = (self.hmac, self.aes) if len(self.aes) == 32 else (self.aes, self.hmac)
        return self.name + b"".join(parts)


@define
class TicketKeys:
    """The keys of one worker at this moment: the first encrypts, all decrypt."""

    _keys: tuple[TicketKey, ...] = field(repr=False)

    def __attrs_post_init__(self) -> None:
        self.replace(self._keys)

    @property
    def encrypting(self) -> TicketKey:
        """Return the key for new tickets."""
        return self._keys[0]

    def find(self, name: bytes) -> TicketKey | None:
        """Return the key of that name, None if it is unknown or gone."""
        return next((key for key in self._keys if key.name == name), None)

    def replace(self, keys: Iterable[TicketKey]) -> None:
        """Take these, all at once, in place of those before."""
        keys = tuple(keys)
        if not keys:
            raise ValueError("no key to encrypt tickets with")
        self._keys = keys


@define
class RotatingKeys:
    """Three keys of our own: previous, current and next.

    A key encrypts for one timeout and decrypts for one more, so every ticket can be
    used as long as its session lives. The next one is handed out early: whoever hears
    late that its time has come can decrypt what others have encrypted with it.
    """

    timeout: float
    """Seconds that a session lives."""
    _clock: Callable[[], float] = time_since_boot
    _random: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)
    _previous: TicketKey | None = field(init=False, default=None)
    _current: TicketKey = field(init=False)
    _next: TicketKey = field(init=False)
    _since: float = field(init=False)
    """When the current key's time began."""

    def __attrs_post_init__(self) -> None:
        self._current, self._next = self._made(), self._made()
        self._since = self._clock()

    @property
    def keys(self) -> tuple[TicketKey, ...]:
        """Return them in the order in which workers want them."""
        known = (self._current, self._next, self._previous)
        return tuple(key for key in known if key is not None)

    def begin(self) -> None:
        """Let the current key's time begin now, not when it was made."""
        self._since = self._clock()

    def rotate(self) -> bool:
        """Move on to where the keys should be by now; return whether that changed.

        Whoever comes late, because the machine slept, finds that the current key's time
        to decrypt may be over too. The next has encrypted nothing yet, and has all of
        its time before it.
        """
        late = (self._clock() - self._since) // self.timeout
        if late < 1:
            return False
        self._previous = self._current if late < 2 else None
        self._current, self._next = self._next, self._made()
        self._since += late * self.timeout
        return True

    def _made(self) -> TicketKey:
        return TicketKey.parse(self._random(max(SIZES)))


def as_texts(keys: Iterable[TicketKey]) -> tuple[str, ...]:
    """Write keys down for a worker. They are secrets still."""
    return tuple(bytes(key).hex() for key in keys)


def from_texts(texts: Iterable[str]) -> tuple[TicketKey, ...]:
    """Read what ``as_texts`` wrote. Raises ValueError."""
    return tuple(TicketKey.parse(bytes.fromhex(text)) for text in texts)


def read_ticket_keys(paths: Sequence[Path], files: Files) -> tuple[TicketKey, ...]:
    """Read keys that have no problems, in the order of their files."""
    return tuple(TicketKey.parse(files.read(path).data) for path in paths)


def ticket_key_problems(paths: Sequence[Path], files: Files) -> Iterator[TlsProblem]:
    """Yield what is wrong with the files, all of them."""
    names: dict[bytes, Path] = {}
    for path in paths:
        match _read(path, files):
            case TlsProblem() as problem:
                yield problem
            case Content(data) as content:
                yield from _exposure(path, content)
                if len(data) in SIZES:
                    yield from _twins(path, data[:NAME], names)
                else:
                    yield _of_another_size(path, len(data))


def _of_another_size(path: Path, size: int) -> TlsProblem:
    return TlsProblem(
        DIRECTIVE,
        f"{path} must be 48 or 80 bytes, and has {size}",
        f"make one: (umask 077; openssl rand 80 > {path})",
    )


def _exposure(path: Path, content: Content) -> Iterator[TlsProblem]:
    """Yield whether strangers can take the key, or put another in its place."""
    if content.mode & S_IRWXO:
        yield TlsProblem(
            DIRECTIVE,
            f"the key in {path} is open to every user (mode {content.mode:04o})",
            f"chmod o-rwx {path}",
        )


def _twins(path: Path, name: bytes, names: dict[bytes, Path]) -> Iterator[TlsProblem]:
    """Yield whether a key cannot be told from an earlier one in a ticket."""
    if name in names:
        yield TlsProblem(
            DIRECTIVE,
            f"{path} begins with the same {NAME} octets as {names[name]}",
            "name each key once, and make each by itself: openssl rand 80",
        )
    names.setdefault(name, path)


def _read(path: Path, files: Files) -> Content | TlsProblem:
    """Read a file that may be missing, forbidden, or no file at all."""
    remedy = "give the name of a file of 48 or 80 bytes: openssl rand 80"
    try:
        return files.read(path)
    except PermissionError:
        remedy = "let this user read it, and enter the directories above it"
        return TlsProblem(DIRECTIVE, f"{path} may not be read", remedy, denied=True)
    except FileNotFoundError:
        return TlsProblem(DIRECTIVE, f"{path} does not exist", remedy)
    except NotAFileError as error:
        return TlsProblem(DIRECTIVE, f"{path} {error}", remedy)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}"
        return TlsProblem(DIRECTIVE, text, remedy)
    except ValueError:  # NUL
        return TlsProblem(DIRECTIVE, f"{str(path)!r} is no file name", remedy)
