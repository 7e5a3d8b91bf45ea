"""Counting in memory that processes share."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from attrs import evolve

from mailssl_trio.limits.counts import BUCKETS, SLOTS, Counts, Place, Segments

HASH_KEY = bytes(16)


@pytest.fixture
def segments() -> Iterator[Segments]:
    segments = Segments()
    yield segments
    segments.close()


def counting(place: Place | None) -> Counts:
    assert place is not None
    inherited = os.dup(place.descriptor)
    return Counts(evolve(place, descriptor=inherited), HASH_KEY)


def test_count_is_of_all_workers(segments: Segments) -> None:
    with segments.lent() as here, segments.lent() as there:
        ours, theirs = counting(here), counting(there)
        assert [ours.add(b"a"), theirs.add(b"a"), ours.add(b"b")] == [1, 2, 1]
        ours.drop(b"a")
        assert theirs.add(b"a") == 2
        ours.drop(b"never counted")
        assert ours.add(b"never counted") == 1


def test_what_a_worker_counted_is_gone_with_it(segments: Segments) -> None:
    with segments.lent() as here:
        ours = counting(here)
        with segments.lent() as there:
            assert counting(there).add(b"a") == 1
            assert ours.add(b"a") == 2
        assert ours.add(b"a") == 2
        with segments.lent() as next_one:
            assert next_one == there
            assert counting(next_one).add(b"a") == 3


def test_worker_that_is_killed_counts_for_nothing(segments: Segments) -> None:
    count = (
        "import os, sys; from mailssl_trio.limits.counts import Counts, Place\n"
        "counts = Counts(Place(int(sys.argv[1]), int(sys.argv[2])), bytes(16))\n"
        "print([counts.add(b'a') for _ in range(7)][-1], flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    with segments.lent() as here:
        ours = counting(here)
        assert ours.add(b"a") == 1
        with segments.lent() as there:
            assert there is not None
            words = [str(there.descriptor), str(there.segment)]
            killed = subprocess.run(
                [sys.executable, "-c", count, *words],
                pass_fds=(there.descriptor,),
                capture_output=True,
                check=False,
            )
            assert (killed.returncode, killed.stdout) == (-9, b"8\n")
            assert ours.add(b"a") == 9
        assert ours.add(b"a") == 3


def test_as_many_keys_fit_as_a_worker_ever_has(segments: Segments) -> None:
    with segments.lent() as here:
        counts = counting(here)
        names = [b"%d" % number for number in range(BUCKETS * SLOTS // 4)]
        assert all(counts.add(name) == 1 for name in names)
        for name in names:
            counts.drop(name)
        assert all(counts.add(name) == 1 for name in names)


def test_what_finds_no_room_is_not_counted(
    segments: Segments,
) -> None:
    with segments.lent() as here:
        counts = counting(here)
        names = [b"%d" % number for number in range(BUCKETS * SLOTS)]
        lost = next(at for at, name in enumerate(names) if counts.add(name) == 0)
        assert counts.add(names[lost]) == 0
        counts.drop(names[lost])
        for name in names[:lost]:
            counts.drop(name)
        assert counts.add(names[lost]) == 1


def test_limit_is_never_exceeded_by_those_who_come_at_once(
    segments: Segments,
) -> None:
    limit, inside, most = 3, 0, 0
    lock = threading.Lock()

    def come_and_go(counts: Counts) -> None:
        nonlocal inside, most
        for _ in range(300):
            if counts.add(b"a") <= limit:
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1
            counts.drop(b"a")

    with ExitStack() as workers:
        every = [workers.enter_context(segments.lent()) for _ in range(6)]
        threads = [
            threading.Thread(target=come_and_go, args=[counting(each)])
            for each in every
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert 1 <= most <= limit


def test_only_so_many_segments_are_lent(segments: Segments) -> None:
    with ExitStack() as lent:
        places = [lent.enter_context(segments.lent()) for _ in range(1025)]
        assert places[-1] is None
        assert None not in places[:-1]
