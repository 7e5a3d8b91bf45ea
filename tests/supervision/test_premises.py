"""What all workers have in common is looked after where no worker does it."""

import os
import time
from pathlib import Path

import trio
from attrs import evolve
from trio.testing import MockClock

from mailssl_trio.config.load import load
from mailssl_trio.files import Files
from mailssl_trio.supervision.judging import judge
from mailssl_trio.supervision.premises import COLLECTION, Premises
from mailssl_trio.tls.sessions.shared_zone import SharedZone

SHIPPED = Path(__file__).parents[2] / "conf" / "mail.toml"


async def test_sessions_that_a_reload_left_to_nobody_go_in_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    files = Files()
    config = evolve(load(SHIPPED, state_directory=tmp_path, files=files), servers=())
    shared = load(SHIPPED, state_directory=tmp_path, files=files)
    anywhere = tuple(
        evolve(server, listens=(evolve(server.listens[0], port=0),))
        for server in shared.servers
    )
    premises = Premises()
    told = await premises.prepare(judge(evolve(shared, servers=anywhere), files))
    assert told.zones is not None
    zone = SharedZone(told.zones, "SSL", 2**20)
    zone.store(b"id", b"session", time.time() + 300)
    zone.close()
    (part,) = told.zones.glob("*.mdb")
    os.utime(part, (0, time.time() - 1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(premises.collect, config)
        await trio.sleep(1.5 * COLLECTION)
        nursery.cancel_scope.cancel()
    assert not part.exists()
    premises.close()
    assert not told.zones.exists()
