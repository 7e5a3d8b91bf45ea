"""What the supervisor and its workers say to each other: the whole vocabulary.

A message is a class here and a name in ``TYPES``; to add one is to write both.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from attrs import field, frozen

from mailssl_trio.files import Content, Files
from mailssl_trio.limits.counts import Place
from mailssl_trio.limits.sanctions import Failure, Sanction, Success


class Message:
    """Something that is said over a channel."""

    __slots__ = ()


@frozen
class Door:
    """A listening socket that a worker inherits."""

    server: int
    """Whose it is: the index of the virtual server."""
    ssl: bool
    """TLS is spoken from the first octet."""
    descriptor: int
    proxy_protocol: bool = False
    """A PROXY header comes before everything else."""


@frozen
class HandedFile:
    """A file as the supervisor has read and judged it."""

    path: Path
    data: bytes = field(repr=False)
    mode: int
    origin: bytes

    @classmethod
    def of(cls, files: Files, paths: Iterable[Path]) -> "tuple[HandedFile, ...]":
        """Return some of the files that are known."""
        return tuple(
            cls(path, content.data, content.mode, files.origin(path))
            for path, content in ((path, files.known[path]) for path in paths)
        )


@frozen
class HandedHost:
    """A host that the supervisor has looked up."""

    name: str
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, files: Files) -> "tuple[HandedHost, ...]":
        """Return all that are known."""
        return tuple(cls(name, found) for name, found in files.hosts.items())


def handed_down(files: Iterable[HandedFile], hosts: Iterable[HandedHost] = ()) -> Files:
    """Return what a worker reads instead of the disk, and asks instead of DNS."""
    files = tuple(files)
    return Files(
        {file.path: Content(file.data, file.mode) for file in files},
        origins={file.path: file.origin for file in files},
        hosts={host.name: host.addresses for host in hosts},
        on_disk=False,
    )


@frozen
class RandomKeys:
    """Keys of session tickets, for servers whose sessions live so long."""

    timeout: int
    keys: tuple[str, ...] = field(repr=False)
    """In hexadecimal: the first encrypts, all decrypt."""


@frozen
class Limiting:
    """What a worker keeps limits with that hold for all."""

    hash_key: bytes = field(repr=False)
    place: Place | None
    """Where it counts; None where nothing is counted."""
    bans: tuple[str, ...] = field(repr=False)
    """Those that hold at its start, a line each; of so many nothing else is quick."""
    now: float
    """What the clock says by which they end."""

    @property
    def standing(self) -> Iterator[Sanction]:
        """The same, for who begins."""
        return (Sanction.of(ban, self.now) for ban in self.bans)


@frozen
class Configure(Message):
    """To a worker, first of all: this is what you serve."""

    file: Path
    state_directory: Path
    files: tuple[HandedFile, ...] = field(repr=False)
    """Everything that is read, the text of the configuration itself included."""
    doors: tuple[Door, ...]
    zones: Path | None = None
    """The directory of the shared zones."""
    ticket_keys: tuple[RandomKeys, ...] = ()
    limiting: Limiting | None = None
    hosts: tuple[HandedHost, ...] = ()


@frozen
class Renew(Message):
    """To a worker: these files have changed, and are good."""

    files: tuple[HandedFile, ...] = field(repr=False)


@frozen
class ReplaceTicketKeys(Message):
    """To a worker: encrypt session tickets with these from now on."""

    ticket_keys: tuple[RandomKeys, ...]


@frozen
class Sanctioned(Message):
    """To a worker: this has come to hold, or holds no more."""

    sanctions: tuple[Sanction, ...]


@frozen
class Reopen(Message):
    """To a worker: go on in the log files that have the names by now."""


@frozen
class Retire(Message):
    """To a worker: others serve now; take nobody more, and let yours finish."""


@frozen
class Stop(Message):
    """To a worker: the program ends; say goodbye, and let sessions end."""

    patient: bool = False
    """They may take their time, where no time is set."""


@frozen
class End(Message):
    """To a worker: end at once."""


@frozen
class Serving(Message):
    """From a worker: everything is built, and clients are let in."""


@frozen
class Leaves(Message):
    """From a worker: a signal has told it to stop; others must let clients in."""


@frozen
class LoginsTold(Message):
    """From a worker: logins that limits are about."""

    failures: tuple[Failure, ...]
    successes: tuple[Success, ...]


@frozen
class Failed(Message):
    """From a worker: it cannot serve."""

    text: str
    denied: bool = False
    """The system does not let it."""


@frozen
class Question(Message):
    """To a worker: something that it answers at once."""

    number: int = field(default=0, kw_only=True)
    """Which question of the channel it is; its answer has the same."""


@frozen
class Answer(Message):
    """From a worker: what it was asked for."""

    number: int = field(default=0, kw_only=True)


@frozen
class Whom:
    """Connections that are meant: those of which anything here is true."""

    user: str | None = None
    """Who has logged in there, in whatever case."""
    session: str | None = None
    network: str | None = None
    """Where the client is."""


@frozen
class Session:
    """A connection, as administrators see it."""

    session: str
    user: str
    """As it was said at the login, or how that began; octets that are no UTF-8 are
    ``\\xNN``."""
    mechanism: str
    protocol: str
    client: str
    client_port: int
    server: str
    tls: str
    """The version of it; "" where there is none."""
    starttls: bool
    upstream: str
    began: int
    logged_in: int | None
    """Seconds since 1970; None before the login."""


@frozen
class FindSessions(Question):
    """Who is here? A page of them, oldest first."""

    whom: Whom | None = None
    """None: everybody."""
    before_login: bool = False
    """Whether those count, too, who have not logged in."""
    after: int = 0
    """The last connection that was looked at for the page before."""


@frozen
class EndSessions(Question):
    """End some of those who are meant, and say how many that were."""

    whom: Whom
    after: int = 0


@frozen
class CountSessions(Question):
    """How many are here?"""


@frozen
class SessionsFound(Answer):
    """Some connections; there may be others after the last that was looked at."""

    sessions: tuple[Session, ...]
    after: int | None
    """That one; None where there are no others."""


@frozen
class SessionsEnded(Answer):
    """So many connections are made to end."""

    count: int
    after: int | None


@frozen
class SessionCount(Answer):
    """So many connections are open."""

    logged_in: int
    before_login: int


TYPES: Mapping[str, type[Message]] = {
    "configure": Configure,
    "files": Renew,
    "ticket_keys": ReplaceTicketKeys,
    "reopen": Reopen,
    "retire": Retire,
    "stop": Stop,
    "end": End,
    "serving": Serving,
    "leaves": Leaves,
    "failed": Failed,
    "sanctioned": Sanctioned,
    "logins": LoginsTold,
    "find_sessions": FindSessions,
    "end_sessions": EndSessions,
    "count_sessions": CountSessions,
    "sessions_found": SessionsFound,
    "sessions_ended": SessionsEnded,
    "session_count": SessionCount,
}
