"""What a client can resume, in a program of two workers that die and reload.

The table is that of tests/tls/sessions/test_resumption.py, at every door of a gateway.
Each session is made in one worker. The others are stopped meanwhile, so that it is
known who answers; the log is asked whether it is so.
"""

import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from attrs import field, frozen

from tests.interop.background import Background
from tests.interop.gateway import Doors, Table, mail_table, serving
from tests.process.processes import await_workers, kill, workers
from tests.process.standstill import await_successor, stopped
from tests.process.visits import Guest, Visit, answering
from tests.tls.sessions.test_resumption import ROWS

pytestmark = pytest.mark.process

CACHES: Mapping[str, str | list[str]] = {
    "off": "off",
    "none": "none",
    "builtin": "builtin:1000",
    "shared": "shared:SSL:1m",
    "both": ["builtin:1000", "shared:both:1m"],
}

HEAD = (
    *("cache", "tickets", "version", "client's", "door"),
    *("this worker", "another", "after its death", "after a reload"),
)


@frozen
class Line:
    """A row of the table at one of the doors."""

    words: Sequence[str]
    guest: Guest
    expected: Sequence[str]
    seen: list[str] = field(factory=list)

    def note(self, visits: Iterable[Visit]) -> None:
        """Write down what became of some visits, which is hoped to be the same."""
        outcomes = {"resumed" if visit.resumed else "full" for visit in visits}
        self.seen.append("/".join(sorted(outcomes)))

    @property
    def text(self) -> str:
        return _columns([*self.words, *self.seen])


def _columns(words: Iterable[str]) -> str:
    return "".join(f"{word:16}" for word in words).rstrip()


def test_sessions_resume_where_the_table_says(tmp_path: Path) -> None:
    """What another worker resumes outlives its worker and a reload; nothing else."""
    servers = {
        (cache, tickets): Doors.anywhere(tmp_path / "ca.pem")
        for cache in CACHES
        for tickets in ("off", "on")
    }
    lines = list(lines_of(servers))
    with serving(tmp_path, settings(servers)) as program:
        one, other = workers(program.process.pid)
        arrive(lines, program, one, (other,))
        come_back(lines, program, {one: (other,)})
        come_back(lines, program, {other: (one,)})
        kill(one)
        successor = await_successor(program, one, other)
        come_back(lines, program, {successor: (other,), other: (successor,)})
        arrive(lines, program, other, (successor,))
        program.signal(signal.SIGHUP)
        one, other = await_workers(program, (other, successor))
        come_back(lines, program, {one: (other,), other: (one,)})
    print(_columns(HEAD), *(line.text for line in lines), sep="\n")
    wrong = [line.text for line in lines if line.seen != line.expected]
    assert not wrong, "\n".join((_columns(HEAD), *wrong))


def settings(servers: Mapping[tuple[str, str], Doors]) -> Table:
    """Return a gateway that has all six doors for each cache, and each with tickets."""
    tables = [
        {
            **table,
            "ssl_session_cache": CACHES[cache],
            "ssl_session_tickets": tickets == "on",
        }
        for (cache, tickets), doors in servers.items()
        for table in doors.servers
    ]
    return {**mail_table(*tables, proxy_pass="127.0.0.1:1"), "worker_processes": 2}


def lines_of(servers: Mapping[tuple[str, str], Doors]) -> Iterator[Line]:
    """Yield every row of the table, at every door."""
    for cache, tickets, version, clients, _id, _ticket, here, elsewhere in ROWS:
        for (protocol, security), port in servers[cache, tickets].ports.items():
            guest = Guest.of(protocol, security, port, version)
            if clients == "no":
                guest.do_without_tickets()
            words = (cache, tickets, version, clients, f"{protocol} {security}")
            yield Line(words, guest, [here, *3 * [elsewhere]])


def arrive(
    lines: Iterable[Line], program: Background, worker: int, others: Sequence[int]
) -> None:
    """Have all clients begin a session with one worker."""
    with stopped(*others):
        visits = [line.guest.come_anew() for line in lines]
    assert not any(visit.resumed for visit in visits)
    assert answering(program, visits) == {worker}


def come_back(
    lines: Iterable[Line], program: Background, tours: Mapping[int, Sequence[int]]
) -> None:
    """Have all clients come back to some workers, while others are stopped."""
    visits: list[list[Visit]] = []
    for worker, others in tours.items():
        with stopped(*others):
            visits.append([line.guest.come_back() for line in lines])
        assert answering(program, visits[-1]) == {worker}
    for line, *each in zip(lines, *visits, strict=True):
        line.note(each)
