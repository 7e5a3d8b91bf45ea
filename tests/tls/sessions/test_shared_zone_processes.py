"""A zone as several workers have it: found by all, and held up by none."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, lockf
from functools import partial
from os import urandom
from pathlib import Path
from random import Random

import pytest

from mailssl_trio.tls.sessions.zone_files import discard
from tests.tls.sessions.zone_worker import PATIENCE, ZoneWorker, zone_worker

pytestmark = pytest.mark.process

MB = 2**20


def ids(count: int) -> list[bytes]:
    return [urandom(32) for _ in range(count)]


@contextmanager
def zone_workers(directory: Path, count: int) -> Iterator[list[ZoneWorker]]:
    with ExitStack() as stack:
        started = [zone_worker(directory) for _ in range(count)]
        yield [stack.enter_context(worker) for worker in started]


def parts(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.mdb"))


def test_every_worker_finds_what_any_has_stored(tmp_path: Path) -> None:
    with zone_workers(tmp_path, 2) as (one, two):
        ours, theirs, later = ids(50), ids(50), ids(50)
        one.store(*ours)
        two.store(*theirs)
        assert one.found(*ours, *theirs) == ours + theirs
        assert two.found(*ours, *theirs) == ours + theirs
        time.sleep(0.05)
        assert one.found(*later) == []
        with zone_worker(tmp_path) as three:
            three.store(*later)
            assert one.found(*later) == later
            assert three.found(*ours, *theirs) == ours + theirs
            assert not one.complaints() + two.complaints() + three.complaints()


def test_sessions_of_a_killed_worker_are_found_and_its_part_has_an_heir(
    tmp_path: Path,
) -> None:
    with zone_workers(tmp_path, 2) as (one, two):
        stored = ids(100)
        one.store(*stored)
        one.kill()
        assert two.found(*stored) == stored
        before = parts(tmp_path)
        with zone_worker(tmp_path) as heir:
            assert heir.found(*stored) == stored
            assert parts(tmp_path) == before
            more = ids(100)
            heir.store(*more)
            assert two.found(*stored, *more) == stored + more


def test_parts_are_never_more_than_workers_at_once(tmp_path: Path) -> None:
    stored = ids(1)
    for _ in range(3):
        with zone_workers(tmp_path, 3) as workers:
            workers[0].store(*stored)
            for worker in workers:
                worker.kill()
    assert len(parts(tmp_path)) == 3
    assert len(list(tmp_path.glob("*.owner"))) == 3


def test_a_worker_stopped_anywhere_holds_up_nobody(tmp_path: Path) -> None:
    with zone_workers(tmp_path, 2) as (stormy, calm):
        stormy.store_without_end()
        for number in range(40):
            time.sleep(Random(number).uniform(0.001, 0.01))
            stormy.signal(signal.SIGSTOP)
            stored = ids(20)
            calm.store(*stored)
            assert calm.found(*stored) == stored
            calm.collect()
            stormy.signal(signal.SIGCONT)
        assert not calm.complaints()


def test_a_worker_killed_anywhere_leaves_a_part_that_works(tmp_path: Path) -> None:
    with zone_worker(tmp_path) as witness:
        for number in range(8):
            with zone_worker(tmp_path) as stormy:
                kept = ids(5)
                stormy.store(*kept)
                stormy.store_without_end()
                time.sleep(Random(number).uniform(0.001, 0.02))
                stormy.kill()
            assert witness.found(*kept) == kept
            with zone_worker(tmp_path) as heir:
                assert heir.found(*kept) == kept
                assert not heir.complaints()
        assert len(parts(tmp_path)) == 2


READ_AND_STOP = """
import lmdb, os, signal, sys
zone = lmdb.open(sys.argv[1], subdir=False, readonly=True, map_size=int(sys.argv[2]))
with zone.begin() as transaction:
    print(transaction.stat()["entries"], flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@contextmanager
def reading(part: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Have a process stopped that is reading."""
    command = [sys.executable, "-c", READ_AND_STOP, str(part), str(4 * MB)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        try:
            assert reader.stdout is not None
            assert reader.stdout.readline() == b"240\n"
            yield reader
        finally:
            reader.kill()


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_reader_that_never_ends_does_not_fill_the_part_it_reads(
    number: signal.Signals, tmp_path: Path
) -> None:
    """What LMDB would keep for its sake is all that changes while it reads."""
    with zone_worker(tmp_path, size=32 * 1024) as worker:
        worker.store(*ids(120))
        (part,) = parts(tmp_path)
        with reading(part) as reader:
            if number == signal.SIGKILL:
                reader.kill()
                reader.wait()
            for _ in range(40):
                stored = ids(100)
                worker.store(*stored)
                there = worker.found(*stored)
                assert there
                assert there == stored[-len(there) :]
            said = worker.complaints()
    if number == signal.SIGKILL:
        assert not said
    else:
        assert "MDB_MAP_FULL" in said[0]


def test_who_is_stopped_while_opening_a_part_holds_up_nobody(tmp_path: Path) -> None:
    with zone_workers(tmp_path, 2) as (one, two):
        stored = ids(10)
        one.store(*stored)
        one.kill()
        (part,) = set(parts(tmp_path)) - {
            path for path in parts(tmp_path) if _is_owned(path)
        }
        with open(part.with_name(f"{part.name}-lock"), "r+b") as lock:
            lockf(lock, LOCK_EX, 1)  # as LMDB does while it opens
            mine = ids(10)
            two.store(*mine)
            assert two.found(*stored, *mine) == mine
            lockf(lock, LOCK_UN, 1)
        time.sleep(0.05)
        assert two.found(*stored, *mine) == stored + mine


# Damage.


def overwrite(octets: bytes, path: Path) -> None:
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.write((octets * (size // len(octets) + 1))[:size])


def cut(size: int, path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(size)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "zeros": partial(overwrite, b"\0"),
    "ones": partial(overwrite, b"\xff"),
    "text": partial(overwrite, b"something else\n"),
    "garbage": partial(overwrite, Random(0).randbytes(100_003)),
    "cut in the middle": partial(cut, 40_960),
    "cut within a page": partial(cut, 41_000),
    "emptied": partial(cut, 0),
    "removed": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_part_costs_its_sessions_and_nothing_else(
    damage: str, tmp_path: Path
) -> None:
    with zone_workers(tmp_path, 2) as (one, two):
        lost, kept, new = ids(1000), ids(1000), ids(1000)
        one.store(*lost)
        (part,) = (path for path in parts(tmp_path) if path.stat().st_blocks > 200)
        two.store(*kept)
        assert two.found(*lost) == lost
        DAMAGES[damage](part)
        assert two.found(*lost, *kept) == kept
        assert one.found(*lost, *kept) == kept
        one.store(*new)
        assert one.found(*kept, *new) == kept + new
        time.sleep(0.05)
        assert two.found(*kept, *new) == kept + new
        assert not two.complaints()
        assert "sessions are lost" in one.complaints()[0]
    assert len(parts(tmp_path)) == 2


@pytest.mark.parametrize("size", [0, 4096])
def test_a_lock_file_that_is_cut_costs_no_more(size: int, tmp_path: Path) -> None:
    with zone_workers(tmp_path, 2) as (one, two):
        lost, new = ids(10), ids(10)
        one.store(*lost)
        assert two.found(*lost) == lost
        for part in parts(tmp_path):
            cut(size, part.with_name(f"{part.name}-lock"))
        assert two.found(*lost) == []
        assert one.found(*lost) == []
        one.store(*new)
        assert one.found(*new) == new
        time.sleep(0.05)
        assert two.found(*new) == new


@pytest.mark.parametrize("seed", range(5))
def test_some_octets_of_garbage_never_make_a_wrong_session(
    seed: int, tmp_path: Path
) -> None:
    random = Random(seed)
    with zone_worker(tmp_path) as worker:
        stored, new = ids(2000), ids(100)
        worker.store(*stored)
        (part,) = parts(tmp_path)
        with open(part, "r+b") as file:
            for _ in range(2000):
                file.seek(random.randrange(8192, part.stat().st_blocks * 512))
                file.write(random.randbytes(1))
        worker.found(*stored)  # what it finds is what was stored
        worker.store(*new)
        assert worker.found(*new) == new


def test_a_zone_thrown_away_begins_anew(tmp_path: Path) -> None:
    with zone_workers(tmp_path, 2) as (one, two):
        old, new = ids(10), ids(10)
        one.store(*old)
        assert two.found(*old) == old
        discard(tmp_path)
        assert one.found(*old) == two.found(*old) == []
        one.store(*new)
        assert one.found(*new) == new
        time.sleep(0.05)
        assert two.found(*new) == new


def test_a_directory_that_vanishes_and_comes_back(tmp_path: Path) -> None:
    directory = tmp_path / "zones"
    directory.mkdir()
    with zone_worker(directory) as worker:
        stored = ids(10)
        worker.store(*stored)
        for file in directory.iterdir():
            file.unlink()
        directory.rmdir()
        worker.store(*stored)
        assert worker.found(*stored) == []
        directory.mkdir()
        deadline = time.monotonic() + PATIENCE
        while worker.found(*stored) != stored:
            assert time.monotonic() < deadline
            worker.store(*stored)


def on_a_small_file_system(directory: Path, pages: int) -> list[str]:
    """Return what a program is started by that has little room; others have theirs."""
    script = (
        f'mount -t tmpfs -o size={4096 * (pages + 1)} tmpfs "$0"'
        ' && head -c 4096 /dev/zero >"$0/other" && exec "$@"'
    )
    before = ["unshare", "--mount", "sh", "-c", script, str(directory)]
    if subprocess.run([*before, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount anything")
    return before


def test_a_full_file_system_costs_new_sessions_only(tmp_path: Path) -> None:
    before = on_a_small_file_system(tmp_path, 150)
    with zone_worker(tmp_path, before=before) as worker:
        first, more = ids(500), ids(2000)
        worker.store(*first)
        assert worker.found(*first) == first
        worker.store(*more)
        assert worker.found(*first) == first
        assert len(worker.found(*more)) < 1500
        (complaint,) = worker.complaints()
        assert "there is no room for more sessions" in complaint


@pytest.mark.parametrize("pages", range(10))
def test_a_worker_that_starts_without_room_serves_without_a_zone(
    pages: int, tmp_path: Path
) -> None:
    before = on_a_small_file_system(tmp_path, pages)
    with zone_worker(tmp_path, before=before) as worker:
        stored = ids(200)
        worker.store(*stored)
        worker.collect()
        assert len(worker.found(*stored)) < 200
        assert worker.complaints()


def _is_owned(part: Path) -> bool:
    """Whether a living worker has a part open, as its lock file says."""
    with open(part.with_name(f"{part.name}-lock"), "r+b") as lock:
        try:
            lockf(lock, LOCK_EX | LOCK_NB, 1)
        except BlockingIOError:
            return True
        return False
