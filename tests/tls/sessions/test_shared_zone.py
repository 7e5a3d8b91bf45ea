"""A zone as one worker sees it: what fits, what goes first, what the next one finds."""

import os
import random
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest
from attrs import define

from mailssl_trio.tls.sessions.session_cache import LARGEST_SESSION
from mailssl_trio.tls.sessions.shared_zone import SharedZone
from mailssl_trio.tls.sessions.zone_environment import PartError, map_size_of
from mailssl_trio.tls.sessions.zone_files import discard, discard_abandoned
from mailssl_trio.tls.sessions.zone_part import Part, capacity_of

MB = 2**20


@define
class Hands:
    """A clock that goes when it is told to."""

    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def zone(tmp_path: Path, clock: Hands, complaints: list[str]) -> Iterator[SharedZone]:
    zone = SharedZone(tmp_path, "SSL", MB, complaints.append, clock)
    yield zone
    zone.close()


def session_ids(count: int) -> list[bytes]:
    return [random.Random(number).randbytes(32) for number in range(count)]


def found(zone: SharedZone, ids: list[bytes]) -> list[bytes]:
    return [session_id for session_id in ids if zone.lookup(session_id)]


def open_and_mapped() -> tuple[int, int]:
    """Return how many descriptors this process has open, and files mapped."""
    maps = Path("/proc/self/maps").read_text()
    return len(os.listdir("/proc/self/fd")), maps.count(".mdb") + maps.count(".new")


# What is found.


def test_a_session_is_found_until_it_expires(zone: SharedZone, clock: Hands) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    clock.time += 299.9
    assert zone.lookup(b"id") == b"session"
    clock.time += 0.1
    assert zone.lookup(b"id") is None


def test_a_session_stored_again_is_the_later_one(
    zone: SharedZone, clock: Hands
) -> None:
    zone.store(b"id", b"first", clock.time + 100)
    zone.store(b"id", b"second", clock.time + 300)
    clock.time += 200
    zone.collect()
    assert zone.lookup(b"id") == b"second"


def test_nobody_finds_what_nobody_stored(zone: SharedZone) -> None:
    for session_id in (b"id", b"", bytes(32), bytes(33), bytes(10_000)):
        assert zone.lookup(session_id) is None


@pytest.mark.parametrize("lifetime", [0, -1, float("inf"), float("-inf"), float("nan")])
def test_what_has_no_future_or_no_end_is_not_stored(
    lifetime: float, zone: SharedZone, clock: Hands
) -> None:
    zone.store(b"id", b"session", clock.time + lifetime)
    assert zone.lookup(b"id") is None


def test_what_is_too_large_is_not_stored(
    zone: SharedZone, clock: Hands, complaints: list[str]
) -> None:
    zone.store(b"fits", bytes(LARGEST_SESSION), clock.time + 300)
    zone.store(b"large", bytes(LARGEST_SESSION + 1), clock.time + 300)
    zone.store(bytes(32), b"session", clock.time + 300)
    zone.store(bytes(33), b"session", clock.time + 300)
    zone.store(b"", b"session", clock.time + 300)
    zone.store(bytes(10_000), b"session", clock.time + 300)
    assert found(zone, [b"fits", b"large", bytes(32), bytes(33), b""]) == [
        b"fits",
        bytes(32),
    ]
    assert not complaints


# How much fits.


@pytest.mark.parametrize("size", [137, 1500, 4000])
def test_one_megabyte_holds_4000_sessions_and_the_first_to_expire_go(
    size: int, zone: SharedZone, clock: Hands, complaints: list[str]
) -> None:
    by_expiry = session_ids(4200)
    lifetimes = {session_id: 300 + n / 10 for n, session_id in enumerate(by_expiry)}
    for session_id in random.Random(0).sample(by_expiry, len(by_expiry)):
        zone.store(session_id, bytes(size), clock.time + lifetimes[session_id])
    assert found(zone, by_expiry) == by_expiry[200:]
    assert not complaints


def test_of_those_that_expire_in_the_same_second_the_first_to_come_go(
    zone: SharedZone, clock: Hands
) -> None:
    """OpenSSL counts the life of a session in whole seconds."""
    ids = session_ids(4200)
    for session_id in ids:
        zone.store(session_id, b"session", clock.time // 1 + 300)
        clock.time += 0.0025
    assert found(zone, ids) == ids[200:]


def test_the_largest_sessions_are_fewer_and_the_last_to_expire(
    zone: SharedZone, clock: Hands, complaints: list[str]
) -> None:
    ids = session_ids(3000)
    for number, session_id in enumerate(ids):
        zone.store(session_id, bytes(LARGEST_SESSION), clock.time + 300 + number / 10)
    there = found(zone, ids)
    assert there == ids[-len(there) :]
    assert len(there) > 1000
    assert not complaints


def test_large_sessions_find_room_among_4000_small_ones(
    zone: SharedZone, clock: Hands, complaints: list[str]
) -> None:
    small, large = session_ids(5000)[:4000], session_ids(5000)[4000:]
    for session_id in small:
        zone.store(session_id, bytes(2000), clock.time + 300)
    for session_id in large:
        zone.store(session_id, bytes(LARGEST_SESSION), clock.time + 301)
    assert found(zone, large) == large
    assert not complaints


@pytest.mark.parametrize(
    ("size", "capacity"), [(32 * 1024, 125), (MB, 4000), (10 * MB, 40_000)]
)
def test_sizes_in_figures(size: int, capacity: int) -> None:
    assert capacity_of(size) == capacity
    assert map_size_of(size) == max(4 * MB, 24 * size)


def test_memory_is_taken_by_what_is_there(tmp_path: Path, clock: Hands) -> None:
    zone = SharedZone(tmp_path, "SSL", 100 * MB, None, clock)
    for session_id in session_ids(100):
        zone.store(session_id, bytes(137), clock.time + 300)
    zone.close()
    (part,) = tmp_path.glob("*.mdb")
    assert part.stat().st_size == 2400 * MB
    assert part.stat().st_blocks * 512 < MB / 4


# What goes.


def test_expired_sessions_are_collected_some_at_a_time(
    tmp_path: Path, clock: Hands
) -> None:
    part = Part.create(tmp_path / "a.mdb", MB)
    for session_id in session_ids(500):
        part.store(session_id, b"old", clock.time + 300, clock.time)
    part.store(b"id", b"new", clock.time + 400, clock.time)
    assert part.collect(clock.time, 200) == 0
    clock.time += 300
    assert [part.collect(clock.time, 200) for _ in range(4)] == [200, 200, 100, 0]
    assert part.lookup(b"id", clock.time) == b"new"
    part.close()


def test_each_session_that_comes_takes_two_expired_ones_away(
    tmp_path: Path, clock: Hands
) -> None:
    part = Part.create(tmp_path / "a.mdb", MB)
    for session_id in session_ids(100):
        part.store(session_id, b"old", clock.time + 300, clock.time)
    clock.time += 300
    for session_id in session_ids(140)[100:]:
        part.store(session_id, b"new", clock.time + 300, clock.time)
    assert part.collect(clock.time, 200) == 20
    part.close()


# Other zones, and later workers.


def test_zones_of_other_names_or_sizes_are_others(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    for name, size in (("SSl", MB), ("SSL", 2 * MB), ("../é\0*\n", MB), ("", MB)):
        other = SharedZone(tmp_path, name, size, None, clock)
        assert other.lookup(b"id") is None
        other.store(b"other", b"session", clock.time + 300)
        assert other.lookup(b"other") == b"session"
        other.close()
    assert zone.lookup(b"other") is None


def test_a_new_size_leaves_the_old_zone_alone(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    zone.close()
    SharedZone(tmp_path, "SSL", 2 * MB, None, clock).close()
    again = SharedZone(tmp_path, "SSL", MB, None, clock)
    assert again.lookup(b"id") == b"session"
    again.close()


def test_who_comes_next_has_what_was_left(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    zone.close()
    files = set(os.listdir(tmp_path))
    successor = SharedZone(tmp_path, "SSL", MB, None, clock)
    assert successor.lookup(b"id") == b"session"
    successor.close()
    assert set(os.listdir(tmp_path)) == files


def test_what_nobody_owns_goes_when_all_of_it_has_expired(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    other = SharedZone(tmp_path, "SSL", MB, None, clock)
    for each in (zone, other):
        each.store(bytes(str(id(each)), "ascii"), b"session", clock.time + 300)
    other.close()
    parts = sorted(tmp_path.glob("*.mdb"))
    discard_abandoned(tmp_path, 300)
    assert sorted(tmp_path.glob("*.mdb")) == parts
    for part in parts:
        os.utime(part, (0, time.time() - 301))
    discard_abandoned(tmp_path, 300)
    assert sorted(tmp_path.glob("*.mdb")) == parts[:1]
    assert zone.lookup(bytes(str(id(zone)), "ascii"))


def test_a_part_that_was_looked_into_can_become_ours(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    other = SharedZone(tmp_path, "SSL", MB, None, clock)
    other.store(b"id", b"session", clock.time + 300)
    other.close()
    assert zone.lookup(b"id") == b"session"
    (owner,) = tmp_path.glob("*.0.owner")
    (part,) = tmp_path.glob("*.0.*.mdb")
    owner.unlink()
    part.unlink()
    with open(owner, "w") as taken:
        flock(taken, LOCK_EX)
        zone.store(b"more", b"session", clock.time + 300)
        assert found(zone, [b"id", b"more"]) == [b"id", b"more"]
        assert not list(tmp_path.glob("*.0.*.mdb"))
        assert len(list(tmp_path.glob("*.1.*.mdb"))) == 1


def test_a_zone_that_was_closed_stays_so(zone: SharedZone, clock: Hands) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    zone.close()
    before = open_and_mapped()
    zone.store(b"id", b"session", clock.time + 300)
    zone.collect()
    assert zone.lookup(b"id") is None
    assert open_and_mapped() == before
    zone.close()


def test_only_this_user_can_read_it(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_nothing_stays_open(tmp_path: Path, clock: Hands) -> None:
    (tmp_path / "not-lmdb.mdb").write_bytes(bytes(map_size_of(MB)))
    before = open_and_mapped()
    for number in range(20):
        zone = SharedZone(tmp_path, "SSL", MB, None, clock)
        zone.store(b"id", b"session", clock.time + 300)
        if number % 2:
            discard(tmp_path)
        zone.store(b"id", b"session", clock.time + 300)
        zone.close()
        with pytest.raises(PartError):
            Part(tmp_path / "not-lmdb.mdb", MB, is_ours=False)
    assert open_and_mapped() == before


def test_parts_of_others_that_have_gone_do_not_stay_mapped(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    zone.lookup(b"id")
    before = open_and_mapped()
    for _ in range(5):
        other = SharedZone(tmp_path, "SSL", MB, None, clock)
        other.store(b"id", b"session", clock.time + 300)
        other.close()
        time.sleep(0.02)
        assert zone.lookup(b"id") == b"session"
        for path in tmp_path.glob("*.1.*"):
            path.unlink()
        assert zone.lookup(b"id") is None
    assert open_and_mapped() == before


# What is not as it should be.


def test_a_session_that_finds_its_part_gone_is_kept_in_a_new_one(
    tmp_path: Path, zone: SharedZone, clock: Hands, complaints: list[str]
) -> None:
    discard(tmp_path)
    zone.store(b"id", b"session", clock.time + 300)
    assert zone.lookup(b"id") == b"session"
    assert complaints == [
        'shared session cache "SSL": sessions are lost: somebody has removed it'
    ]


def test_parts_that_are_destroyed_again_and_again_are_made_more_slowly(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    made = 0
    for session_id in session_ids(20):
        discard(tmp_path)
        zone.store(session_id, b"session", clock.time + 300)
        made += len(list(tmp_path.glob("*.mdb")))
    assert 1 <= made < 20


def test_without_a_directory_nothing_is_kept_and_it_is_said_once(
    tmp_path: Path, clock: Hands, complaints: list[str]
) -> None:
    zone = SharedZone(tmp_path / "absent", "SSL", MB, complaints.append, clock)
    for session_id in session_ids(10):
        zone.store(session_id, b"session", clock.time + 300)
        assert zone.lookup(session_id) is None
    zone.collect()
    zone.close()
    (complaint,) = complaints
    assert complaint.startswith('shared session cache "SSL": sessions are lost: ')
    assert "No such file or directory" in complaint


@pytest.mark.parametrize("ending", [".mdb", ".mdb-lock"])
@pytest.mark.parametrize("octets", [b"", b"garbage" * 10_000])
def test_a_part_that_is_none_is_replaced(
    ending: str,
    octets: bytes,
    tmp_path: Path,
    zone: SharedZone,
    clock: Hands,
    complaints: list[str],
) -> None:
    zone.store(b"id", b"session", clock.time + 300)
    zone.close()
    (file,) = tmp_path.glob(f"*{ending}")
    file.write_bytes(octets)
    successor = SharedZone(tmp_path, "SSL", MB, complaints.append, clock)
    assert successor.lookup(b"id") is None
    successor.store(b"id", b"session", clock.time + 300)
    assert successor.lookup(b"id") == b"session"
    successor.close()
    assert len(list(tmp_path.glob("*.mdb"))) == 1


def test_what_is_left_of_a_worker_killed_while_it_began_is_taken_away(
    tmp_path: Path, zone: SharedZone, clock: Hands
) -> None:
    zone.close()
    (part,) = tmp_path.glob("*.mdb")
    lock = part.with_name(f"{part.name}-lock")
    part.rename(part.with_suffix(".new"))
    lock.rename(part.with_name(f"{part.stem}.new-lock"))
    SharedZone(tmp_path, "SSL", MB, None, clock).close()
    assert len(list(tmp_path.iterdir())) == 3
    assert not list(tmp_path.glob("*.new*"))


def test_no_link_is_followed(
    tmp_path: Path, zone: SharedZone, clock: Hands, complaints: list[str]
) -> None:
    zone.close()
    (owner,) = tmp_path.glob("*.owner")
    owner.unlink()
    owner.symlink_to(tmp_path / "elsewhere")
    SharedZone(tmp_path, "SSL", MB, complaints.append, clock).close()
    assert not (tmp_path / "elsewhere").exists()
    assert "symbolic links" in complaints[0]
