"""What servers resume sessions with: which of them have it in common, and with whom."""

from pathlib import Path

import pytest
from attrs import evolve

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.files import Files
from mailssl_trio.messages import RandomKeys
from mailssl_trio.resuming import Resuming
from mailssl_trio.supervision.random_keys import TicketKeyring
from mailssl_trio.tls.policy import SessionCache, SharedCache, TlsPolicy
from mailssl_trio.tls.sessions.session_cache import BuiltinCache, StoreChain
from mailssl_trio.tls.sessions.ticket_keys import as_texts, from_texts

ZONE = SharedCache("SSL", 2**20)
SHIPPED = Path(__file__).parent.parent / "conf" / "mail.toml"


def policy(cache: SessionCache) -> TlsPolicy:
    return TlsPolicy((), session_cache=cache)


def with_tickets(timeout: int = 300, *files: Path) -> TlsPolicy:
    return TlsPolicy(
        (),
        session_tickets=True,
        session_timeout=timeout,
        session_ticket_keys=files,
    )


def resuming(zones: Path | None = None, *keys: RandomKeys) -> Resuming:
    return Resuming(zones, keys, pytest.fail)


def keys(timeout: int, octet: int) -> RandomKeys:
    return RandomKeys(timeout, (bytes([octet] * 80).hex(),))


@pytest.mark.parametrize("cache", [SessionCache(announced=False), SessionCache()])
def test_off_and_none_keep_nothing(cache: SessionCache) -> None:
    sessions = resuming().sessions(policy(cache), Files())
    assert sessions.store is None
    assert sessions.ticket_keys is None


def test_builtin_is_each_servers_own() -> None:
    ours, cache = resuming(), SessionCache(builtin=7)
    first, second = (ours.sessions(policy(cache), Files()).store for _ in range(2))
    assert isinstance(first, BuiltinCache)
    assert first.size == 7
    assert first is not second


def test_zone_of_one_name_is_common_to_all_servers(tmp_path: Path) -> None:
    """And to all workers: that takes processes to show."""
    ours = resuming(tmp_path)
    first, second, third = (
        ours.sessions(policy(SessionCache(shared=zone)), Files()).store
        for zone in (ZONE, ZONE, SharedCache("other", 2**20))
    )
    assert first is second
    assert first is not third
    ours.close()


def test_builtin_and_shared_together_are_both_asked(tmp_path: Path) -> None:
    both = SessionCache(builtin=7, shared=ZONE)
    ours = resuming(tmp_path)
    assert isinstance(ours.sessions(policy(both), Files()).store, StoreChain)
    ours.close()


def test_without_a_directory_the_shared_cache_alone_is_missing() -> None:
    both = SessionCache(builtin=7, shared=ZONE)
    shared = SessionCache(shared=ZONE)
    assert isinstance(resuming().sessions(policy(both), Files()).store, BuiltinCache)
    assert resuming().sessions(policy(shared), Files()).store is None


def test_random_keys_are_those_of_the_servers_timeout_and_are_replaced() -> None:
    ours = resuming(None, keys(300, 1), keys(60, 2))
    held = ours.sessions(with_tickets(60), Files()).ticket_keys
    assert held is ours.sessions(with_tickets(60), Files()).ticket_keys
    assert held is not None
    assert held.encrypting.name == b"\2" * 16
    ours.replace([keys(60, 3), keys(300, 1)])
    assert held.encrypting.name == b"\3" * 16


def test_keys_in_files_go_before_random_ones_and_are_read_again(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ticket.key"
    file.touch(mode=0o600)
    file.write_bytes(bytes([1] * 48))
    ours, files = resuming(), Files()
    held = ours.sessions(with_tickets(300, file), files).ticket_keys
    assert held is not None
    assert held.encrypting.name == b"\1" * 16
    file.write_bytes(bytes([2] * 80))
    ours.reread(files.afresh())
    assert held.encrypting.name == b"\2" * 16


def configuration(*timeouts: int) -> Config:
    """Return servers with tickets whose sessions live so long."""
    shipped = load(SHIPPED)
    servers = (
        evolve(shipped.servers[0], tls=with_tickets(timeout)) for timeout in timeouts
    )
    return evolve(shipped, servers=tuple(servers))


def test_keyring_has_keys_for_each_timeout_and_keeps_them_across_reloads() -> None:
    keyring = TicketKeyring()
    first = keyring.of(configuration(300, 60, 300))
    assert [each.timeout for each in first] == [60, 300]
    assert keyring.of(configuration(300))[0] == first[1]
    assert keyring.of(configuration(60, 300)) == first
    assert keyring.of(load(SHIPPED)) == ()
    assert not keyring.rotate()
    assert as_texts(from_texts(first[0].keys)) == first[0].keys
