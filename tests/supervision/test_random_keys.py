"""The keys of tickets that the supervisor makes, for each length that sessions have."""

from pathlib import Path

from attrs import evolve

from mailssl_trio.config.load import load
from mailssl_trio.config.model import Config
from mailssl_trio.supervision.random_keys import TicketKeyring

SHIPPED = Path(__file__).parents[2] / "conf" / "mail.toml"


def with_tickets(state_directory: Path, *timeouts: int) -> Config:
    """Return a configuration whose servers have tickets, of these lives."""
    config = load(SHIPPED, state_directory=state_directory)
    servers = []
    for server, timeout in zip(config.servers, timeouts, strict=False):
        assert server.tls is not None
        tls = evolve(server.tls, session_tickets=True, session_timeout=timeout)
        servers.append(evolve(server, tls=tls))
    return evolve(config, servers=tuple(servers))


def test_servers_whose_sessions_live_equally_long_have_the_same_keys(
    tmp_path: Path,
) -> None:
    keys = TicketKeyring().of(with_tickets(tmp_path, 300, 60, 300))
    assert [each.timeout for each in keys] == [60, 300]
    assert not set(keys[0].keys) & set(keys[1].keys)


def test_keys_outlive_a_reload(tmp_path: Path) -> None:
    keyring = TicketKeyring()
    before = keyring.of(with_tickets(tmp_path, 300))
    keyring.of(with_tickets(tmp_path))
    assert keyring.of(with_tickets(tmp_path, 300)) == before


def test_a_key_that_nobody_has_used_yet_is_not_replaced_when_serving_begins(
    tmp_path: Path,
) -> None:
    """However short sessions are, and however long the start has taken."""
    now = [0.0]
    keyring, config = TicketKeyring(lambda: now[0]), with_tickets(tmp_path, 300, 2)
    before = keyring.of(config)
    now[0] = 60
    keyring.begin()
    assert not keyring.rotate()
    assert keyring.of(config) == before
    now[0] = 62
    keyring.begin()  # at each reload, but only for keys that are new
    assert keyring.rotate()
