"""How long sessions live, how their clients leave, and on which machine they resume.

OpenSSL keeps its own clock, so these tests wait in real time: all ways at once.
"""

import time
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from secrets import token_bytes

import pytest
from attrs import evolve

from tests.interop.certificates import issue
from tests.interop.gateway import Doors, Table, mail_table, serving
from tests.interop.machine import until
from tests.process.processes import workers
from tests.process.standstill import stopped
from tests.process.visits import Guest, Leaving, answering

pytestmark = pytest.mark.process

TIMEOUT = 3
VERSIONS = ("TLSv1.2", "TLSv1.3")
SHARED: Table = {"ssl_session_cache": "shared:SSL:1m"}
TICKETS: Table = {"ssl_session_tickets": True}


def settings(*servers: Table, **directives: object) -> Table:
    table = mail_table(*servers, proxy_pass="127.0.0.1:1", **directives)
    return {**table, "worker_processes": 2}


def guests_at(doors: Doors) -> list[Guest]:
    """Let clients of both versions come to every door."""
    return [
        Guest.of(protocol, security, port, version)
        for (protocol, security), port in doors.ports.items()
        for version in VERSIONS
    ]


def test_a_session_lives_as_long_as_told_and_cannot_prolong_itself(
    tmp_path: Path,
) -> None:
    """It is resumed again and again, in whichever worker, until its time is over.

    The key is in a file: random ones are replaced in so short a time.
    """
    ways = {False: Doors.anywhere(tmp_path), True: Doors.anywhere(tmp_path)}
    known = {**TICKETS, "ssl_session_ticket_key": ticket_key(tmp_path, 80)}
    servers = [
        {**server, **(known if tickets else SHARED)}
        for tickets, doors in ways.items()
        for server in doors.servers
    ]
    told = {"ssl_session_timeout": f"{TIMEOUT}s"}
    with serving(tmp_path, settings(*servers, **told)):
        guests = guests_at(ways[False]) + guests_at(ways[True])
        began = time.time()
        for guest in guests:
            assert not guest.come_anew().resumed
        all_began = time.time()
        for guest in cycle(guests):  # OpenSSL counts in whole seconds
            if time.time() > began + TIMEOUT - 1.1:
                break
            assert guest.come_back().resumed
        time.sleep(all_began + TIMEOUT + 1 - time.time())
        assert not any(guest.come_back().resumed for guest in guests)


@pytest.mark.parametrize("leaving", ["close_notify", "close", "reset"])
def test_a_client_resumes_however_it_has_left(leaving: Leaving, tmp_path: Path) -> None:
    """Mail clients close TCP without a word of TLS."""
    doors = Doors.anywhere(tmp_path)
    with serving(tmp_path, settings(*doors.servers, **SHARED)) as program:
        guests = guests_at(doors)
        one, other = workers(program.process.pid)
        with stopped(other):
            for guest in guests:
                guest.come_anew(leaving)
            until(lambda: departures(program.logged()) == len(guests), "departures")
            assert all(guest.come_back().resumed for guest in guests)
        with stopped(one):
            visits = [guest.come() for guest in guests]
        assert answering(program, visits) == {other}
        assert all(visit.resumed for visit in visits)


def departures(log: str) -> int:
    """Return how many clients are known to have gone."""
    return log.count("client connection closed:")


def test_two_gateways_with_the_same_ticket_keys_resume_each_others_sessions(
    tmp_path: Path,
) -> None:
    """In both directions, though each encrypts with another of the keys."""
    pair = issue(tmp_path / "tls", "localhost")
    keys = [ticket_key(tmp_path, size) for size in (80, 48)]
    nodes = [Doors.anywhere(tmp_path), Doors.anywhere(tmp_path)]
    with ExitStack() as running:
        for number, doors in enumerate(nodes):
            directory = tmp_path / str(number)
            directory.mkdir()
            known = settings(
                *doors.servers,
                **TICKETS,
                ssl_session_ticket_key=keys[:: 1 - 2 * number],
                ssl_certificate=str(pair.certificate),
                ssl_certificate_key=str(pair.key),
            )
            running.enter_context(serving(directory, known))
        for here, there in (nodes, nodes[::-1]):
            for guest, counterpart in zip(
                guests_at(here), guests_at(there), strict=True
            ):
                guest.come_anew()
                elsewhere = evolve(guest, port=counterpart.port)
                assert elsewhere.come_back().resumed
                assert elsewhere.session is not guest.session  # encrypted anew
                assert guest.come().resumed


def ticket_key(directory: Path, size: int) -> str:
    """Make a file of random octets; return its name."""
    file = directory / f"{size}.key"
    file.touch(mode=0o600)
    file.write_bytes(token_bytes(size))
    return str(file)
