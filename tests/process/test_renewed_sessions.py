"""Sessions outlive the certificate they began with, and tickets their key's reign.

What is on the disk is watched, and exchanged in running workers.
"""

import signal
import ssl
from collections.abc import Iterable, Iterator
from itertools import permutations
from pathlib import Path
from secrets import token_bytes

import pytest
from attrs import evolve, frozen

from tests.interop.background import Background
from tests.interop.certificates import Pair, issue
from tests.interop.gateway import Doors, Table, mail_table, serving
from tests.interop.machine import until
from tests.process.processes import await_workers, kill, workers
from tests.process.standstill import await_successor, stopped
from tests.process.test_renewal import rename_into_place
from tests.process.visits import Guest

pytestmark = pytest.mark.process

IN_TIME = 5.0
"""Seconds in which every worker has what is on the disk."""

STORES: tuple[Table, ...] = (
    {"ssl_session_cache": "shared:SSL:1m"},
    {"ssl_session_tickets": True, "ssl_session_ticket_key": ["first", "second"]},
)


@frozen
class Site:
    """A gateway whose files are exchanged, and clients who know it from before."""

    program: Background
    directory: Path
    pair: Pair
    doors: Doors
    """Those where sessions lie in a zone."""
    ticket_doors: Doors

    def guests(self) -> list[Guest]:
        """Let clients of both versions come to every door."""
        return [*guests_at(self.doors), *guests_at(self.ticket_doors)]

    def each_worker(self) -> Iterator[None]:
        """Yield when one worker answers alone, and when the other does."""
        for _, other in permutations(workers(self.program.process.pid)):
            with stopped(other):
                yield


def guests_at(doors: Doors) -> list[Guest]:
    return [
        Guest.of(protocol, security, port, version)
        for (protocol, security), port in doors.ports.items()
        for version in ("TLSv1.2", "TLSv1.3")
    ]


def write_key(file: Path, octets: bytes) -> None:
    """Put a key in place of another, at once."""
    aside = file.with_suffix(".new")
    aside.touch(mode=0o600)
    aside.write_bytes(octets)
    aside.rename(file)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    conf = tmp_path / "conf"
    pair = issue(conf, "localhost")
    for name in ("first", "second"):
        write_key(conf / name, token_bytes(80))
    doors = [Doors.anywhere(pair.ca) for _ in STORES]
    servers = [
        {**server, **store}
        for each, store in zip(doors, STORES, strict=True)
        for server in each.servers
    ]
    table = mail_table(
        *servers,
        proxy_pass="127.0.0.1:1",
        ssl_certificate=str(pair.certificate),
        ssl_certificate_key=str(pair.key),
    )
    with serving(tmp_path, {**table, "worker_processes": 2}) as program:
        yield Site(program, conf, pair, *doors)


def all_resume(guests: Iterable[Guest]) -> bool:
    outcomes = [guest.come_back().resumed for guest in guests]
    return all(outcomes)


def test_sessions_outlive_the_certificate_that_they_began_with(
    site: Site, tmp_path: Path
) -> None:
    """And the workers that were there, and a reload behind the renewal."""
    guests = site.guests()
    for guest in guests:
        guest.come_anew()
    new = issue(tmp_path / "new", "localhost")
    rename_into_place(new, site.pair)
    renewed = ssl.PEM_cert_to_DER_cert(new.certificate.read_text())
    newcomer = Guest.of("imap", "tls", site.doors.port("imap", "tls"))
    for _ in site.each_worker():
        until(lambda: newcomer.come().certificate == renewed, "a renewal", IN_TIME)
        assert all_resume(guests)
    one, other = workers(site.program.process.pid)
    kill(one)
    successor = await_successor(site.program, one, other)
    with stopped(other):
        assert newcomer.come().certificate == renewed
        assert all_resume(guests)
    site.program.signal(signal.SIGHUP)
    await_workers(site.program, (other, successor))
    for _ in site.each_worker():
        assert newcomer.come().certificate == renewed
        assert all_resume(guests)


def test_tickets_outlive_the_reign_of_their_key_and_end_with_it(site: Site) -> None:
    """The files move up: what has encrypted decrypts still, and is gone next time."""
    keys = [(site.directory / "first").read_bytes(), token_bytes(80), token_bytes(80)]
    guests = guests_at(site.ticket_doors)
    for guest in guests:
        guest.come_anew()
    move_up(site, keys[0], keys[1])
    for _ in site.each_worker():
        until(lambda: all(map(is_renewed, guests)), "keys that moved up", IN_TIME)
    renewed = [evolve(guest) for guest in guests]
    assert all_resume(renewed)
    move_up(site, keys[1], keys[2])
    for _ in site.each_worker():
        until(lambda: all(map(is_renewed, renewed)), "keys that moved up", IN_TIME)
        assert not any(guest.come().resumed for guest in guests)


def move_up(site: Site, older: bytes, newer: bytes) -> None:
    """Have a new key encrypt, and an older one decrypt."""
    write_key(site.directory / "second", older)
    write_key(site.directory / "first", newer)


def is_renewed(guest: Guest) -> bool:
    """Whether a ticket resumes and is answered by another: RFC 5077 section 3.3."""
    assert guest.session
    visit = guest.come()
    assert visit.resumed
    assert visit.session
    return visit.session.id != guest.session.id
