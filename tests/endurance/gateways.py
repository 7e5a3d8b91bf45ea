"""Gateways that are tried for long: six doors, two workers, and cheap passwords."""

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha1
from pathlib import Path

from attrs import define, field, frozen

from tests.interop.background import Background, background
from tests.interop.gateway import READY, SHIPPED, SHIPPED_PORTS, Doors, serve_command
from tests.interop.people import ALICE, BOB, Person
from tests.process.processes import workers

OF_A_CONNECTION = re.compile(r"(\d+)#\d+: \*\d+ ")
ENDED = re.compile(
    " (?:proxied session done|client connection closed)"
    "| while (?:in auth state|in starttls state|SSL handshaking),"
)
"""What a line says that is the last of a connection."""

ALARMS = ("Traceback", "[crit]", "[alert]", "[emerg]")


def users(people: Iterable[Person]) -> str:
    """Write a users file whose passwords are quick to verify."""
    salt = b"salt"
    return "\n".join(
        f'["{person.name}"]\npassword = "{{SSHA}}'
        + b64encode(sha1(person.octets[1] + salt).digest() + salt).decode()
        + '"\n'
        for person in people
    )


@define
class Log:
    """What a program has logged, read once as it grows."""

    program: Background
    lines: int = 0
    alarms: list[str] = field(factory=list)
    open: Counter[int] = field(factory=Counter)
    """Connections of each process, by the lines that tell of them."""
    _at: int = 0

    def read(self) -> None:
        """Read what is new."""
        with self.program.log.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.decode("utf-8", "replace").splitlines():
            self.lines += 1
            if found := OF_A_CONNECTION.search(line):
                begins = " connected to " in line
                ends = ENDED.search(line) is not None
                self.open[int(found[1])] += begins - ends
            if any(alarm in line for alarm in ALARMS):
                self.alarms.append(line)


@frozen
class Trial:
    """A gateway that is being tried."""

    program: Background
    doors: Doors
    log: Log

    @property
    def supervisor(self) -> int:
        """The process that others know."""
        return self.program.process.pid

    @property
    def workers(self) -> list[int]:
        """The processes that meet clients, those included that are about to leave."""
        return workers(self.supervisor)


@contextmanager
def running(
    directory: Path,
    configuration: str,
    doors: Doors,
    people: Iterable[Person] = (ALICE, BOB),
) -> Iterator[Trial]:
    """Run a gateway beside a users file of these people; it must stop with 0."""
    file = directory / "conf" / "mail.toml"
    file.parent.mkdir(parents=True)
    file.write_text(configuration)
    (file.parent / "users.toml").write_text(users(people))
    with background("gateway", serve_command(file), directory) as program:
        program.await_words(READY)
        trial = Trial(program, doors, Log(program))
        yield trial
        code = program.stop()
        trial.log.read()
        if code != 0:
            trial.log.alarms.append(f"the gateway has ended with {code}")


def shipped(directory: Path, top: str = "", mail: str = "") -> tuple[str, Doors]:
    """Return the shipped configuration on other ports, with some directives more."""
    doors = Doors.anywhere(directory / "var/tls/ca.pem")
    text = (SHIPPED / "mail.toml").read_text()
    for door, port in SHIPPED_PORTS.items():
        text = text.replace(f":{port}", f":{doors.ports[door]}")
    text = text.replace('worker_processes = "auto"', f"worker_processes = 2\n{top}")
    return text.replace("[mail]\n", f"[mail]\n{mail}\n", 1), doors
