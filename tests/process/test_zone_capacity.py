"""A zone of one megabyte, filled by real handshakes."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import lmdb
import pytest
from attrs import evolve
from trustme import CA

from tests.interop.background import Background
from tests.interop.gateway import Doors, Table, mail_table, serving
from tests.interop.machine import until
from tests.process.visits import Guest, Visit
from tests.process.zones import parts_of
from tests.tls.certificates.issuing import write

pytestmark = pytest.mark.process

PROMISED, TOO_MANY = 4000, 200
CLIENTS = 4  # at the same time


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path)


def settings(doors: Doors, processes: int, **directives: object) -> Table:
    table = mail_table(
        *doors.servers,
        proxy_pass="127.0.0.1:1",
        ssl_session_cache="shared:SSL:1m",
        **directives,
    )
    return {**table, "worker_processes": processes}


def all_come(guests: Iterable[Guest]) -> list[Visit]:
    """Have guests come, some at a time, each with what it has."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(Guest.come, guests))


def all_come_anew(guests: Iterable[Guest]) -> list[Visit]:
    """Have guests come, some at a time, each with nothing."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(Guest.come_anew, guests))


def all_kinds(doors: Doors, ca: CA) -> Iterator[Guest]:
    """Yield a newcomer of each kind."""
    shown = ca.issue_cert("alice@example.org")
    for version in ("TLSv1.2", "TLSv1.3"):
        for (protocol, security), port in doors.ports.items():
            plain, known = (
                Guest.of(protocol, security, port, version) for _ in range(2)
            )
            shown.configure_cert(known.tls)
            yield from (plain, known)


def sessions_in(program: Background) -> int:
    """Return how many sessions all parts of all zones have."""
    return sum(map(_entries, parts_of(program))) // 2  # each has an expiry beside it


def _entries(part: Path) -> int:
    with lmdb.open(str(part), subdir=False, readonly=True, lock=False) as opened:
        return int(opened.stat()["entries"])


def test_one_megabyte_holds_the_newest_4000_of_all_kinds(
    tmp_path: Path, doors: Doors
) -> None:
    """TLS 1.2 and 1.3, with and without certificates of clients, at all doors.

    One worker, since each has room for so many. A session of TLS 1.3 that is resumed
    is stored anew, so that a look at it costs the oldest its place.
    """
    ca = CA()
    asking = {
        "ssl_verify_client": "optional",
        "ssl_client_certificate": str(write(tmp_path, ca.cert_pem.bytes())),
    }
    with serving(tmp_path, settings(doors, 1, **asking)) as program:
        kinds = cycle(all_kinds(doors, ca))
        guests = [evolve(kind) for kind in islice(kinds, PROMISED + TOO_MANY)]
        assert not any(visit.resumed for visit in all_come_anew(guests))
        assert sessions_in(program) == PROMISED
        newest = guests[TOO_MANY + CLIENTS :: 20]
        assert all(visit.resumed for visit in all_come(newest))
        assert not any(visit.resumed for visit in all_come(guests[: TOO_MANY // 2]))


def test_sessions_that_have_expired_are_not_kept(tmp_path: Path, doors: Doors) -> None:
    briefly = settings(doors, 2, ssl_session_timeout="2s")
    with serving(tmp_path, briefly) as program:
        guests = [evolve(kind) for kind in islice(cycle(all_kinds(doors, CA())), 60)]
        all_come_anew(guests)
        assert sessions_in(program) == len(guests)
        until(lambda: sessions_in(program) == 0, "an empty zone", 2 + 1 + 5 + 2)
