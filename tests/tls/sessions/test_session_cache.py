"""The cache of one worker: newest first, never too many, never too old."""

from attrs import define

from mailssl_trio.tls.sessions.session_cache import (
    LARGEST_SESSION,
    BuiltinCache,
    StoreChain,
)


@define
class Hands:
    """A clock that goes when it is told to."""

    time: float = 1_000_000.0

    def __call__(self) -> float:
        return self.time


def session_ids(count: int) -> list[bytes]:
    return [number.to_bytes(32) for number in range(1, count + 1)]


def found(cache: BuiltinCache, ids: list[bytes]) -> list[bytes]:
    return [session_id for session_id in ids if cache.lookup(session_id)]


def test_a_session_is_found_until_it_expires() -> None:
    clock = Hands()
    cache = BuiltinCache(10, clock)
    cache.store(b"id", b"session", clock.time + 300)
    clock.time += 299.9
    assert cache.lookup(b"id") == b"session"
    clock.time += 0.1
    assert cache.lookup(b"id") is None
    assert len(cache) == 0


def test_nobody_finds_what_nobody_stored() -> None:
    assert BuiltinCache().lookup(b"id") is None
    assert BuiltinCache().lookup(b"") is None


def test_the_newest_stay() -> None:
    clock = Hands()
    cache = BuiltinCache(100, clock)
    ids = session_ids(250)
    for session_id in ids:
        cache.store(session_id, session_id, clock.time + 300)
    assert found(cache, ids) == ids[-100:]


def test_a_session_stored_again_is_the_newest() -> None:
    clock = Hands()
    cache = BuiltinCache(2, clock)
    for session_id in (b"a", b"b", b"a", b"c"):
        cache.store(session_id, session_id, clock.time + 300)
    assert found(cache, [b"a", b"b", b"c"]) == [b"a", b"c"]


def test_size_zero_is_the_default_and_not_without_bound() -> None:
    assert BuiltinCache(0).size == 20480


def test_expired_sessions_go_without_being_asked_for() -> None:
    clock = Hands()
    cache = BuiltinCache(1000, clock)
    for session_id in session_ids(100):
        cache.store(session_id, b"old", clock.time + 300)
    clock.time += 300
    for session_id in session_ids(150)[100:]:
        cache.store(session_id, b"new", clock.time + 300)
    assert len(cache) == 50


def test_a_client_certificate_of_any_size_does_not_fill_the_memory() -> None:
    clock = Hands()
    cache = BuiltinCache(10, clock)
    cache.store(b"fits", bytes(LARGEST_SESSION), clock.time + 300)
    cache.store(b"large", bytes(LARGEST_SESSION + 1), clock.time + 300)
    assert found(cache, [b"fits", b"large"]) == [b"fits"]


def test_a_session_that_has_grown_too_large_is_not_found_as_it_was() -> None:
    clock = Hands()
    cache = BuiltinCache(10, clock)
    cache.store(b"id", b"small", clock.time + 300)
    cache.store(b"id", bytes(LARGEST_SESSION + 1), clock.time + 300)
    assert cache.lookup(b"id") is None


def test_no_representation_shows_a_session() -> None:
    clock = Hands()
    cache = BuiltinCache(10, clock)
    cache.store(b"id", b"secret", clock.time + 300)
    assert "secret" not in repr(cache)


def test_a_chain_keeps_in_both_and_looks_near_first() -> None:
    clock = Hands()
    near, far = BuiltinCache(1, clock), BuiltinCache(10, clock)
    chain = StoreChain(near, far)
    chain.store(b"first", b"1", clock.time + 300)
    chain.store(b"second", b"2", clock.time + 300)
    assert near.lookup(b"first") is None
    assert chain.lookup(b"first") == b"1"
    far.store(b"second", b"another", clock.time + 300)
    assert chain.lookup(b"second") == b"2"
    assert chain.lookup(b"third") is None
