"""What may become of a zone: it costs resumptions, and never a connection."""

import os
import shutil
import signal
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from secrets import token_bytes
from threading import Event

import pytest
import tomli_w
from attrs import evolve

from mailssl_trio.tls.sessions.zone_directory import is_in_memory
from tests.interop.background import background
from tests.interop.gateway import (
    READY,
    Doors,
    Table,
    mail_table,
    serve_command,
    serving,
)
from tests.interop.machine import until
from tests.process.processes import crowd, lives, workers
from tests.process.standstill import stopped
from tests.process.visits import Guest, answering
from tests.process.zones import parts_of, zones_of

pytestmark = pytest.mark.process

VERSIONS = ("TLSv1.2", "TLSv1.3")
AT_ONCE = 0.2  # seconds for a visit, on a machine that is busy with others


@pytest.fixture
def doors(tmp_path: Path) -> Doors:
    return Doors.anywhere(tmp_path)


@pytest.fixture
def guests(doors: Doors) -> list[Guest]:
    """Let clients of both versions come to every door."""
    return [
        Guest.of(protocol, security, port, version)
        for (protocol, security), port in doors.ports.items()
        for version in VERSIONS
    ]


def settings(doors: Doors) -> Table:
    table = mail_table(
        *doors.servers, proxy_pass="127.0.0.1:1", ssl_session_cache="shared:SSL:1m"
    )
    return {**table, "worker_processes": 2}


def test_zones_lie_in_memory_where_nobody_else_may_look(
    tmp_path: Path, doors: Doors, guests: list[Guest]
) -> None:
    with serving(tmp_path, settings(doors)) as program:
        assert all(not guest.come_anew().resumed for guest in guests)
        directory = zones_of(program)
        assert is_in_memory(directory)
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        files = list(directory.iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert len(parts_of(program)) == 2
    assert not directory.exists()


def test_what_a_killed_program_leaves_is_swept_by_the_next(
    tmp_path: Path, doors: Doors
) -> None:
    file = tmp_path / "mail.toml"
    file.write_text(tomli_w.dumps(settings(doors)))
    with background("killed", serve_command(file), tmp_path) as program:
        program.await_words(READY)
        directory = zones_of(program)
        orphans = workers(program.process.pid)
        program.signal(signal.SIGKILL)
        program.wait()
        until(lambda: not any(map(lives, orphans)), "the end of its workers")
    assert directory.exists()
    with serving(tmp_path, settings(doors)) as program:
        assert not directory.exists()
        assert zones_of(program) != directory


def remove(directory: Path) -> None:
    shutil.rmtree(directory)


def write_garbage(directory: Path) -> None:
    """Write over all that is there, without changing its length."""
    for part in directory.glob("*.mdb"):
        with part.open("r+b") as file:
            file.write(token_bytes(2**20))


def cut(directory: Path) -> None:
    for part in directory.glob("*.mdb"):
        os.truncate(part, 4096)


@pytest.mark.parametrize("spoil", [remove, write_garbage, cut])
def test_a_zone_that_is_spoilt_refuses_nobody(
    spoil: Callable[[Path], None], tmp_path: Path, doors: Doors, guests: list[Guest]
) -> None:
    with (
        serving(tmp_path, settings(doors)) as program,
        crowd(doors.port("imap", "starttls")) as people,
    ):
        before = workers(program.process.pid)
        for guest in guests:
            guest.come_anew()
            assert guest.come_back().resumed
        spoil(zones_of(program))
        for guest in guests:
            assert guest.come().said
        assert (people.refused, people.cut) == (0, 0)
        assert workers(program.process.pid) == before
        assert "sessions are lost" in program.logged()


@pytest.mark.parametrize("spoil", [write_garbage, cut])
def test_a_zone_that_was_spoilt_is_begun_anew(
    spoil: Callable[[Path], None], tmp_path: Path, doors: Doors, guests: list[Guest]
) -> None:
    with serving(tmp_path, settings(doors)) as program:
        spoil(zones_of(program))

        def all_resume() -> bool:
            return all(guest.come_anew() and guest.come().resumed for guest in guests)

        until(all_resume, "sessions that resume again", 5)


def test_a_worker_that_is_stopped_holds_up_no_other(
    tmp_path: Path, doors: Doors, guests: list[Guest]
) -> None:
    """At whatever moment, also in the middle of writing into the zone."""
    with serving(tmp_path, settings(doors)) as program, kept_busy(guests):
        one, other = workers(program.process.pid)
        for _ in range(10):
            with stopped(other):
                began = time.monotonic()
                visits = [guest.come_anew() for guest in guests]
                visits += [guest.come_back() for guest in guests]
                assert time.monotonic() - began < len(visits) * AT_ONCE
            assert answering(program, visits) == {one}
            assert [visit.resumed for visit in visits] == [
                *len(guests) * [False],
                *len(guests) * [True],
            ]


@contextmanager
def kept_busy(guests: Iterable[Guest]) -> Iterator[None]:
    """Have others like these come all the while, who may be with a stopped worker."""
    over = Event()

    def come(guest: Guest) -> None:
        while not over.is_set():
            guest.come_anew()

    with ThreadPoolExecutor() as others:
        coming = [others.submit(come, evolve(guest)) for guest in guests]
        try:
            yield
        finally:
            over.set()
    for each in coming:
        each.result()
